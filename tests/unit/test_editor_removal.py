"""Removal: textures and gradients continue, edges are warned of, and runs repeat."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from image_core.editors import ClassicConfig
from image_core.editors.classic.first_guess import guess
from image_core.editors.classic.lines import Line, parts, straight_lines
from image_core.editors.classic.melding import meld
from image_core.editors.classic.patchmatch import Synthesis, describe
from image_core.editors.classic.removal import crosses_structures, smooth_fill
from image_core.editors.classic.rim import with_rim
from image_core.editors.classic.synthesis import fill
from image_core.testing import batch_of
from image_core.types import Edit, EditStep, Image, Mask

STEP = EditStep(instruction="remove it", kind="remove")


def _removed(image: Image, alpha: Mask, key: int = 1, **options: float) -> Edit:
    prepared = ClassicConfig(**options).build().prepare(STEP, [])  # type: ignore[arg-type]
    return prepared.edit(batch_of([image], [alpha], keys=[key]))


def _periodic(height: int = 128, width: int = 160) -> Image:
    y, x = np.mgrid[0:height, 0:width]
    red = 0.5 + 0.4 * np.sin(2 * np.pi * x / 8) * np.sin(2 * np.pi * y / 8)
    green = 0.5 + 0.3 * np.cos(2 * np.pi * x / 8)
    return np.stack([red, green, np.full_like(red, 0.3)], axis=-1).astype(np.float32)


def _guide(image: Image) -> np.ndarray:
    return np.concatenate([image, np.zeros((*image.shape[:2], 1), np.float32)], axis=2)


def _hole(shape: tuple[int, int], box: tuple[int, int, int, int]) -> Mask:
    alpha = np.zeros(shape, np.float32)
    alpha[box[1] : box[3], box[0] : box[2]] = 1
    return alpha


def test_a_periodic_texture_is_continued() -> None:
    image = _periodic()
    alpha = _hole((128, 160), (60, 50, 90, 76))
    spoilt = np.where(alpha[..., None] > 0, np.float32(0.9), image).astype(np.float32)
    filled = _removed(spoilt, alpha).images[0]
    assert np.abs(filled - image)[alpha > 0].mean() < 0.03


def test_what_was_in_the_hole_does_not_matter() -> None:
    image = _periodic()
    alpha = _hole((128, 160), (60, 50, 90, 76))
    first = np.where(alpha[..., None] > 0, np.float32(0), image)
    second = np.where(alpha[..., None] > 0, np.float32(1), image)
    assert np.array_equal(_removed(first, alpha).images[0], _removed(second, alpha).images[0])


def test_the_same_key_gives_the_same_bits() -> None:
    image = np.random.default_rng(0).random((90, 90, 3)).astype(np.float32)
    alpha = _hole((90, 90), (30, 30, 60, 60))
    one, two = (_removed(image, alpha, key=5).images[0] for _ in range(2))
    assert np.array_equal(one, two)


def test_a_gradient_is_filled_without_a_seam() -> None:
    x = np.linspace(0.2, 0.8, 160, dtype=np.float32)
    image = np.repeat(np.repeat(x[None, :, None], 120, axis=0), 3, axis=2)
    image += np.random.default_rng(1).normal(0, 0.004, image.shape).astype(np.float32)
    alpha = _hole((120, 160), (60, 40, 95, 75))
    filled = _removed(np.where(alpha[..., None] > 0, np.float32(0), image), alpha).images[0]
    assert np.abs(filled - image)[alpha > 0].mean() < 0.04
    border = np.abs(filled[40:75, 60] - filled[40:75, 59]).mean()
    assert border < 0.03


def test_a_large_picture_is_solved_small_and_voted_sharp() -> None:
    tile = _periodic(64, 64)
    image = np.tile(np.repeat(np.repeat(tile, 3, axis=0), 3, axis=1), (2, 2, 1))
    alpha = _hole(image.shape[:2], (150, 150, 210, 200))
    spoilt = np.where(alpha[..., None] > 0, np.float32(0), image)
    filled = _removed(spoilt, alpha, solve_megapixels=0.05).images[0]
    assert np.abs(filled - image)[alpha > 0].mean() < 0.08
    assert filled[alpha > 0].std() > 0.8 * image[alpha > 0].std()


def test_thin_and_tiny_holes_are_filled_smoothly() -> None:
    image = np.full((100, 100, 3), 0.6, np.float32)
    wire = _hole((100, 100), (0, 48, 100, 51))
    made = _removed(np.where(wire[..., None] > 0, np.float32(0), image), wire)
    assert np.abs(made.images[0] - 0.6).max() < 0.01
    assert made.warnings == ()


def test_a_large_hole_is_warned_of() -> None:
    alpha = _hole((128, 160), (40, 40, 100, 100))
    assert any("of the picture" in warning for warning in _removed(_periodic(), alpha).warnings)


def test_an_edge_that_runs_into_the_hole_is_seen() -> None:
    hole = _hole((120, 160), (60, 40, 100, 80)) > 0
    flat = np.full((120, 160, 3), 0.5, np.float32)
    split = flat.copy()
    split[60:] = 0.1
    framed = flat.copy()
    cv2.rectangle(framed, (55, 35), (104, 84), (0.1, 0.1, 0.1), 2)
    assert not crosses_structures(flat, hole)
    assert crosses_structures(split, hole)
    assert not crosses_structures(framed, hole)


def test_a_region_that_is_the_whole_picture_is_left_with_a_warning() -> None:
    image = _periodic()
    made = _removed(image, np.ones((128, 160), np.float32))
    assert np.array_equal(made.images[0], image)
    assert "whole picture" in made.warnings[0]


def test_little_around_the_region_is_filled_smoothly_with_a_warning() -> None:
    image = _periodic(40, 40)
    alpha = _hole((40, 40), (2, 2, 38, 38))
    made = _removed(image, alpha)
    assert np.isfinite(made.images[0]).all()
    assert any("smoothly" in warning for warning in made.warnings)


def test_bad_pixels_around_the_hole_are_survived() -> None:
    image = _periodic()
    image[20, 20] = np.nan
    alpha = _hole((128, 160), (60, 50, 90, 76))
    assert np.isfinite(_removed(image, alpha).images[0][alpha > 0]).all()


def test_low_terms_measure_the_distance_of_patches() -> None:
    smooth = cv2.GaussianBlur(
        np.random.default_rng(0).random((40, 40, 3)).astype(np.float32), (0, 0), 3
    )
    features = describe(smooth, _guide(smooth), 4, 0.0)
    near = ((features[20, 20] - features[20, 21]) ** 2).sum()
    far = ((features[20, 20] - features[8, 30]) ** 2).sum()
    assert near < far


def test_no_source_at_all_is_said() -> None:
    image = _periodic(30, 30)
    hole = np.ones((30, 30), bool)
    hole[0] = False
    with pytest.raises(ValueError, match="no whole patch"):
        fill(image, hole, np.random.default_rng(0), Synthesis(), lambda _done: None)


def test_melding_hides_a_step_and_keeps_what_is_known() -> None:
    image = np.full((40, 60, 3), 0.5, np.float32)
    hole = np.zeros((40, 60), bool)
    hole[10:30, 20:40] = True
    wrong = np.where(hole[..., None], np.float32(0.6), image)
    flat = np.zeros_like(image)
    joined = meld(wrong, flat, flat, hole, tie=0.001, steps=300)
    assert np.abs(joined - 0.5)[hole].max() < 0.03
    assert np.array_equal(joined[~hole], wrong[~hole])


def test_melding_keeps_wanted_differences() -> None:
    x = np.linspace(0, 1, 60, dtype=np.float32)
    image = np.repeat(np.repeat(x[None, :, None], 40, axis=0), 3, axis=2)
    hole = np.zeros((40, 60), bool)
    hole[10:30, 20:40] = True
    right, down = np.zeros_like(image), np.zeros_like(image)
    right[:, :-1] = np.diff(image, axis=1)
    start = np.where(hole[..., None], np.float32(0.5), image)
    joined = meld(start, right, down, hole, tie=1e-4, steps=400)
    assert np.abs(joined - image).max() < 0.02


def test_smooth_fill_leaves_the_rest_alone() -> None:
    image = _periodic()
    hole = _hole((128, 160), (20, 20, 24, 60)) > 0
    filled = smooth_fill(image, hole)
    assert np.array_equal(filled[~hole], image[~hole])


def test_the_rocket_photos_tower_gives_way_to_sky(shared_data: Path) -> None:
    picture = cv2.imread(str(shared_data / "photos" / "rocket.jpg"))[..., ::-1]
    image = picture.astype(np.float32) / 255
    alpha = _hole(image.shape[:2], (163, 123, 206, 360))
    filled = _removed(image, alpha).images[0]
    beside = np.concatenate([image[130:340, 140:160], image[130:340, 210:230]], axis=1)
    rows = np.abs(filled[130:340, 163:206].mean(axis=1) - beside.mean(axis=1))
    assert rows.mean() < 0.05


def _wall_and_floor(floor: int = 80) -> Image:
    image = np.empty((140, 180, 3), np.float32)
    image[:floor] = 0.75
    image[floor:] = (0.5, 0.35, 0.2)
    noise = np.random.default_rng(2).normal(0, 0.004, image.shape)
    return np.asarray(image + noise, dtype=np.float32)


def test_what_bleeds_over_a_tight_masks_edge_is_not_drawn_inwards() -> None:
    image = np.full((140, 180, 3), 0.6, np.float32)
    alpha = _hole((140, 180), (60, 40, 120, 100))
    thing = cv2.dilate(alpha, np.ones((3, 3), np.uint8))[..., None]
    thing = cv2.GaussianBlur(thing, (0, 0), 0.7)[..., None]
    soiled = (image * (1 - thing) + thing * np.float32([0.9, 0.7, 0.0])).astype(np.float32)
    filled = _removed(soiled, alpha).images[0]
    assert np.abs(filled - image)[alpha > 0].max() < 0.02


def test_the_border_of_wall_and_floor_goes_on_straight() -> None:
    image = _wall_and_floor()
    alpha = _hole((140, 180), (60, 30, 120, 110))
    spoilt = np.where(alpha[..., None] > 0, np.float32(0.1), image).astype(np.float32)
    filled = _removed(spoilt, alpha).images[0]
    away = np.abs(np.arange(140) - 80) > 2
    assert np.abs(filled - image)[away][alpha[away] > 0].mean() < 0.02


def test_shading_is_bridged_by_a_plain_surface() -> None:
    x = np.linspace(0.3, 0.8, 180, dtype=np.float32)
    image = np.repeat(np.repeat(x[None, :, None], 140, axis=0), 3, axis=2)
    alpha = _hole((140, 180), (60, 30, 120, 110))
    filled = _removed(np.where(alpha[..., None] > 0, np.float32(0), image), alpha).images[0]
    assert np.abs(filled - image)[alpha > 0].mean() < 0.02


def test_a_rim_is_soiled_as_far_as_it_shows_the_thing() -> None:
    image = np.full((140, 180, 3), 0.6, np.float32)
    hole = _hole((140, 180), (60, 40, 120, 100)) > 0
    image[38:102, 58:122] = (0.9, 0.7, 0.0)
    grown = with_rim(image, hole)
    assert grown[38:102, 58:122].all()
    assert grown.sum() < 70 * 70


def test_a_strip_of_wall_between_the_hole_and_the_next_thing_stays_known() -> None:
    image = np.full((140, 180, 3), 0.7, np.float32)
    image[:, :54] = 0.05
    hole = _hole((140, 180), (60, 40, 120, 100)) > 0
    assert not with_rim(image, hole)[50:90, 54:57].any()


def test_a_line_is_found_where_an_edge_enters_and_leaves_the_hole() -> None:
    lines = straight_lines(_wall_and_floor(), _hole((140, 180), (60, 30, 120, 110)) > 0)
    assert len(lines) == 1
    assert abs(lines[0].normal[1]) > 0.999
    assert abs(lines[0].offset - 79.5) < 1.5


def test_an_edge_on_one_side_only_and_stripes_make_no_line() -> None:
    hole = _hole((140, 180), (60, 30, 120, 110)) > 0
    one = _wall_and_floor()
    one[:, 90:] = 0.75
    assert straight_lines(one, hole) == []
    stripes = np.repeat(_periodic(140, 180)[:1], 140, axis=0)
    assert straight_lines(np.ascontiguousarray(stripes), hole) == []


def test_each_part_of_a_hole_is_guessed_from_its_own_border() -> None:
    image = _wall_and_floor()
    hole = _hole((140, 180), (60, 30, 120, 110)) > 0
    line = Line(normal=(0.0, 1.0), offset=79.5)
    filled = guess(image, hole, parts((140, 180), [line], (140, 180)), np.ones(hole.shape, "f"))
    assert np.abs(filled - image)[hole].max() < 0.03
