"""Reading flat scenes back, and judging edits by what is read."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from image_core.errors import InvalidInput
from pocket.flat import (
    FlatSettings,
    edits,
    expectation,
    measure,
    render,
    sample_scenes,
    shows,
    success,
)

COUNT = 300


@pytest.fixture(scope="module")
def scenes():
    return sample_scenes("validation", seed=7, count=COUNT)


@pytest.fixture(scope="module")
def pictures(scenes):
    return render(scenes)


def test_clean_pictures_are_read_right(scenes, pictures) -> None:
    right = {"objects": 0, "ground": 0, "pattern": 0, "size": 0}
    things = 0
    for row, picture in enumerate(pictures):
        measured = measure(picture)
        verdict = success(measured, shows(scenes, row))
        right["objects"] += verdict.objects
        right["ground"] += verdict.ground
        for thing in scenes.things(row):
            things += 1
            near = min(measured.things, key=lambda one: np.hypot(one.x - thing.x, one.y - thing.y))
            assert np.hypot(near.x - thing.x, near.y - thing.y) < 0.04
            right["pattern"] += near.pattern == thing.pattern
            right["size"] += near.big == thing.big
    assert right["objects"] >= 0.99 * COUNT
    assert right["ground"] >= 0.99 * COUNT
    assert right["pattern"] >= 0.99 * things
    assert right["size"] >= 0.99 * things


def test_a_little_blur_and_noise_hide_little(scenes, pictures) -> None:
    random = np.random.default_rng(0)
    objects = ground = 0
    for row, picture in enumerate(pictures[:150]):
        soft = cv2.GaussianBlur(picture, (0, 0), 0.7)
        soft = np.clip(soft + random.normal(0, 0.015, soft.shape), 0, 1).astype(np.float32)
        verdict = success(soft, shows(scenes, row))
        objects += verdict.objects
        ground += verdict.ground
    assert objects >= 0.95 * 150
    assert ground >= 0.95 * 150


def test_the_true_edit_is_right_and_the_source_never_is() -> None:
    batch = edits(sample_scenes("validation", seed=8, count=120))
    before, after = render(batch.before), render(batch.after)
    expected = [expectation(case) for case in batch.cases]
    right = [success(picture, one).right for picture, one in zip(after, expected, strict=True)]
    assert np.mean(right) >= 0.99
    untouched = [success(picture, one).right for picture, one in zip(before, expected, strict=True)]
    assert not any(untouched)


def test_what_is_strict_is_refused_and_what_is_free_is_taken() -> None:
    scenes = sample_scenes("test", count=60, settings=FlatSettings(most_objects=2, patterned=0))
    two = [row for row in range(60) if len(scenes.slots(row)) == 2]
    for row in two[:10]:
        expected = shows(scenes, row)
        measured = measure(render(scenes[[row]])[0])
        assert success(measured, expected).objects
        first, second = expected.things
        moved = replace(expected, things=(replace(first, x=first.x - 0.3), second))
        assert not success(measured, moved).objects
        assert success(measured, replace(moved, anywhere=True)).objects
        other = "star" if first.shape != "star" else "ring"
        reshaped = success(
            measured, replace(expected, things=(replace(first, shape=other), second))
        )
        assert (reshaped.objects, reshaped.colours) == (False, True)
        fewer = success(measured, replace(expected, things=(first,)))
        assert (fewer.objects, fewer.count) == (False, False)
        # an added one may lie anywhere on its side
        side = "left" if first.x > 0.2 else "right"
        free = replace(moved, free=0)
        assert success(measured, free).objects
        if abs(first.x) > 0.2:
            assert not success(measured, replace(free, side=side)).objects


def test_an_empty_ground_has_no_objects() -> None:
    scenes = sample_scenes("test", count=40)
    bare = render(scenes.changed(present=np.zeros_like(scenes.present)))
    for row, picture in enumerate(bare):
        measured = measure(picture)
        assert measured.things == ()
        assert measured.ground == scenes.ground_name(row)


def test_larger_pictures_are_read_as_well(scenes) -> None:
    few = scenes[:40]
    for row, picture in enumerate(render(few, size=160)):
        verdict = success(picture, shows(few, row))
        assert verdict.objects
        assert verdict.ground


def test_pictures_that_are_no_scenes_are_refused_or_read_as_nothing() -> None:
    with pytest.raises(InvalidInput, match="64 x 32"):
        measure(np.zeros((32, 64, 3), np.float32))
    with pytest.raises(InvalidInput, match="8 x 8"):
        measure(np.zeros((8, 8, 3), np.float32))
    for value in (0.0, 1.0):
        measured = measure(np.full((64, 64, 3), value, np.float32))
        assert (measured.things, measured.ground) == ((), "plain")
    red = np.zeros((64, 64, 3), np.float32)
    red[..., 0] = 0.8
    assert [thing.colour for thing in measure(red).things] == ["red"]
