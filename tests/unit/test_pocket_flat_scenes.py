"""Flat scenes: keyed by their number, apart from each other, and blind to what is held out."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from image_core.colour import srgb_to_oklab
from image_core.colour_names import parse_colour
from image_core.errors import InvalidInput
from pocket.flat import (
    COLOURS,
    GROUNDS,
    HELD_OUT,
    NOUNS,
    PATTERNS,
    SHAPES,
    SPLITS,
    FlatSettings,
    edits,
    sample_scenes,
)
from pocket.flat.layout import GAP
from pocket.flat.outlines import REACH
from pocket.flat.scenes import Scenes
from pocket.flat.settings import check_split

ARRAYS = ("present", "colour", "shape", "pattern", "radius", "x", "y", "ground", "first", "light")


def same(first: Scenes, second: Scenes) -> bool:
    return all(np.array_equal(getattr(first, name), getattr(second, name)) for name in ARRAYS)


def test_a_scene_is_the_same_in_whatever_batch_it_is_drawn() -> None:
    whole = sample_scenes("train", seed=4, start=0, count=40)
    assert same(whole[10:20], sample_scenes("train", seed=4, start=10, count=10))
    chosen = np.array([3, 17, 39])
    for row, number in enumerate(chosen):
        assert same(
            whole[chosen][row : row + 1], sample_scenes("train", seed=4, start=int(number), count=1)
        )


def test_no_two_streams_share_a_scene() -> None:
    places: set[tuple[float, ...]] = set()
    for split, seed in itertools.product(SPLITS, (0, 1)):
        scenes = sample_scenes(split, seed=seed, count=200)
        places |= {tuple(row) for row in np.concatenate([scenes.x, scenes.y], axis=1).tolist()}
    assert len(places) == len(SPLITS) * 2 * 200


def test_objects_lie_inside_the_picture_and_apart_from_each_other() -> None:
    scenes = sample_scenes("train", count=600)
    reach = REACH * scenes.radius
    inside = (np.abs(scenes.x) + reach <= 1) & (np.abs(scenes.y) + reach <= 1)
    assert inside[scenes.present].all()
    for one, other in itertools.combinations(range(4), 2):
        both = scenes.present[:, one] & scenes.present[:, other]
        away = np.hypot(
            scenes.x[:, one] - scenes.x[:, other], scenes.y[:, one] - scenes.y[:, other]
        )
        assert (away - reach[:, one] - reach[:, other] >= GAP - 1e-5)[both].all()


def test_everything_occurs_and_no_scene_shows_a_colour_and_shape_twice() -> None:
    scenes = sample_scenes("train", count=600)
    for name, values in (("colour", COLOURS), ("shape", SHAPES), ("pattern", PATTERNS)):
        counts = np.bincount(getattr(scenes, name)[scenes.present], minlength=len(values))
        assert counts.min() > 50, name
    assert np.bincount(scenes.ground, minlength=len(GROUNDS)).min() > 80
    assert np.bincount(scenes.present.sum(axis=1), minlength=5)[1:].min() > 100
    assert 0.2 < scenes.big[scenes.present].mean() < 0.5
    for row in range(len(scenes)):
        pairs = [(thing.colour, thing.shape) for thing in scenes.things(row)]
        assert len(set(pairs)) == len(pairs)


def test_training_never_shows_says_or_makes_a_held_out_pair() -> None:
    scenes = sample_scenes("train", count=300)
    shown = {(thing.colour, thing.shape) for row in range(300) for thing in scenes.things(row)}
    assert not shown & set(HELD_OUT)
    assert len(shown) == len(COLOURS) * len(SHAPES) - len(HELD_OUT)
    unseen = [f"{colour} {noun}" for colour, shape in HELD_OUT for noun in NOUNS[shape]]
    for draw in range(2):
        batch = edits(scenes, draw=draw)
        made = {(thing.colour, thing.shape) for case in batch.cases for thing in case.after}
        assert not made & set(HELD_OUT)
        for case in batch.cases:
            said = f"{case.instruction}. {case.source_caption}. {case.target_caption}"
            assert not [name for name in unseen if name in said]


def test_held_out_scenes_and_edits_show_such_pairs_outside_training_only() -> None:
    settings = FlatSettings(pairs="held-out")
    scenes = sample_scenes("test", count=100, settings=settings)
    assert all(
        (scenes.thing(row, 0).colour, scenes.thing(row, 0).shape) in HELD_OUT for row in range(100)
    )
    seen = sample_scenes("test", count=100)
    batch = edits(seen, tasks=("recolor", "replace", "add"), pairs="held-out")
    for case in batch.cases:
        made = case.after[case.number]
        assert (made.colour, made.shape) in HELD_OUT
    with pytest.raises(InvalidInput, match="not for training"):
        sample_scenes("train", count=1, settings=settings)
    with pytest.raises(InvalidInput, match="not for training"):
        edits(sample_scenes("train", count=1), tasks=("add",), pairs="held-out")
    with pytest.raises(InvalidInput, match="only recolor, replace and add"):
        edits(seen, pairs="held-out")


def test_the_held_out_pairs_take_each_colour_and_each_shape_once() -> None:
    colours, shapes = zip(*HELD_OUT, strict=True)
    assert sorted(colours) == sorted(COLOURS)
    assert sorted(shapes) == sorted(SHAPES)


def test_the_colours_are_words_of_the_parser_and_far_apart() -> None:
    named = [parse_colour(colour) for colour in COLOURS]
    chroma = [srgb_to_oklab(np.array(one.rgb))[1:] for one in named if one is not None]
    assert len(chroma) == len(COLOURS)
    apart = [np.linalg.norm(one - two) for one, two in itertools.combinations(chroma, 2)]
    assert min(apart) > 0.13


def test_a_smaller_vocabulary_is_kept_to() -> None:
    five = tuple(shape for shape in SHAPES if shape != "cross")
    settings = FlatSettings(shapes=five, most_objects=2, patterned=0)
    scenes = sample_scenes("train", count=200, settings=settings)
    batch = edits(scenes, tasks=("recolor", "replace", "add"))
    shapes = {thing.shape for case in batch.cases for thing in (*case.before, *case.after)}
    assert shapes == set(five)
    assert scenes.present.sum(axis=1).max() == 2
    assert not scenes.pattern[scenes.present].any()


def test_bad_settings_and_numbers_are_refused() -> None:
    for settings in (
        {"shapes": ("circle", "teapot")},
        {"shapes": ("circle",)},
        {"shapes": ("circle", "circle")},
        {"most_objects": 0},
        {"most_objects": 5},
        {"patterned": 1.5},
    ):
        with pytest.raises(InvalidInput):
            FlatSettings(**settings)
    with pytest.raises(InvalidInput, match="there is no split"):
        check_split("holdout")
    for numbers in ({"count": -1}, {"count": 1, "seed": -1}, {"count": 1, "start": -2}):
        with pytest.raises(InvalidInput, match="negative"):
            sample_scenes("test", **numbers)
    assert len(sample_scenes("test", count=0)) == 0
