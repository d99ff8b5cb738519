"""Rendering of flat scenes: exact coverage, right colours, edits that stay in their region."""

from __future__ import annotations

import math

import numpy as np
import pytest

from image_core.colour import srgb_to_oklab
from image_core.errors import InvalidInput
from pocket.flat import (
    SHAPES,
    edits,
    object_masks,
    region_masks,
    render,
    sample_scenes,
    target_masks,
    to_bytes,
)
from pocket.flat.outlines import REACH, signed_distance
from pocket.flat.words import colour_table

FINE = 501


def fine_plane() -> tuple[np.ndarray, np.ndarray]:
    steps = np.linspace(-1.5, 1.5, FINE, dtype=np.float32)
    x, y = np.meshgrid(steps, steps)
    return x, y


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_stands_about_its_centre_of_mass_within_its_reach(shape: str) -> None:
    x, y = fine_plane()
    inside = signed_distance(shape, x, y) < 0
    assert np.hypot(x, y)[inside].max() <= REACH + 1e-6
    assert abs(float(x[inside].mean())) < 0.01
    assert abs(float(y[inside].mean())) < 0.01


def test_the_outlines_are_the_shapes_that_their_names_say() -> None:
    x, y = fine_plane()
    away, angle = np.hypot(x, y), np.arctan2(x, -y)
    areas = {shape: float((signed_distance(shape, x, y) < 0).mean()) * 9 for shape in SHAPES}
    assert areas["circle"] == pytest.approx(math.pi, rel=0.01)
    assert areas["ring"] == pytest.approx(math.pi * 0.75, rel=0.01)
    assert areas["square"] == pytest.approx((2 * 0.84) ** 2, rel=0.02)
    assert areas["triangle"] == pytest.approx(3 * math.sqrt(3) * 0.6**2, rel=0.01)
    # a star has five points, one of them on top; a cross four arms
    rim = (away > 0.85) & (away < 0.9)
    for shape, points in (("star", 5), ("cross", 4), ("triangle", 3)):
        inside = signed_distance(shape, x, y)[rim] < 0
        order = np.argsort(angle[rim])
        runs = np.count_nonzero(np.diff(inside[order].astype(int)) == 1)
        # neighbours of the same angle may change places at a border
        assert points <= runs
        turned = np.round(np.degrees(angle[rim][inside]) / (360 / points)) * (360 / points)
        assert len(np.unique(turned % 360)) == points


def test_coverage_has_the_area_of_the_outline() -> None:
    scenes = sample_scenes("validation", count=120)
    x, y = fine_plane()
    unit = [float((signed_distance(shape, x, y) < 0).mean()) * 9 for shape in SHAPES]
    covered = object_masks(scenes, size=64).sum(axis=(2, 3)) / 32**2
    wanted = np.array(unit)[scenes.shape] * scenes.radius**2
    assert np.abs(covered / wanted - 1)[scenes.present].max() < 0.04
    assert not covered[~scenes.present].any()


def test_a_larger_picture_shows_the_same_scene() -> None:
    scenes = sample_scenes("validation", count=60)
    small, large = render(scenes, size=64), render(scenes, size=256)
    shrunk = large.reshape(60, 64, 4, 64, 4, 3).mean(axis=(2, 4))
    assert np.abs(small - shrunk).mean() < 0.006
    assert np.quantile(np.abs(small - shrunk), 0.99) < 0.08


def test_objects_have_their_colour_and_the_ground_is_muted() -> None:
    scenes = sample_scenes("train", count=80)
    lab = srgb_to_oklab(render(scenes))
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    masks = object_masks(scenes)
    assert chroma[masks.max(axis=1) == 0].max() < 0.045
    hues = srgb_to_oklab(colour_table())[:, 1:]
    hues /= np.linalg.norm(hues, axis=1, keepdims=True)
    for row in range(80):
        for slot in scenes.slots(row):
            inside = lab[row][masks[row, slot] == 1][:, 1:]
            assert (inside @ hues.T).argmax(axis=1).tolist() == [scenes.colour[row, slot]] * len(
                inside
            )


def test_an_edit_changes_nothing_outside_its_region_and_something_inside() -> None:
    scenes = sample_scenes("train", seed=2, count=240)
    batch = edits(scenes)
    before, after = render(batch.before), render(batch.after)
    region = region_masks(batch)
    changed = (before != after).any(axis=3)
    assert not (changed & (region == 0)).any()
    inside = (changed & (region == 1)).sum(axis=(1, 2)) / np.maximum(
        (region == 1).sum(axis=(1, 2)), 1
    )
    assert inside.min() > 0.1  # stripes on a plain thing leave what lies between them
    target = target_masks(batch)
    assert (target <= region).all()
    adds = np.array([case.task == "add" for case in batch.cases])
    assert not target[adds].any()
    assert target[~adds].max(axis=(1, 2)).min() == 1


def test_a_picture_is_the_same_bytes_in_whatever_batch_it_is_rendered() -> None:
    scenes = sample_scenes("test", count=70)
    whole = to_bytes(render(scenes))
    assert np.array_equal(whole[33:41], to_bytes(render(scenes[33:41])))
    assert np.array_equal(object_masks(scenes)[69:], object_masks(scenes[[69]]))


def test_sizes_that_no_picture_can_have_are_refused() -> None:
    scenes = sample_scenes("test", count=1)
    for size in (0, 15, 1025):
        with pytest.raises(InvalidInput, match="scenes of"):
            render(scenes, size=size)
        with pytest.raises(InvalidInput, match="scenes of"):
            object_masks(scenes, size=size)
    assert render(scenes, size=16).shape == (1, 16, 16, 3)
