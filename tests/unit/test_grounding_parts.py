"""Colour affinity, saliency, sky and faces."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from image_core.colour import lab_to_lch, srgb_to_oklab
from image_core.colour_names import BASIC, NamedColour, parse_colour
from image_core.grounding.classic.colour_affinity import affinity, red_orange_border, rise
from image_core.grounding.classic.concepts import concept_of, relates
from image_core.grounding.classic.confidence import Thing, drop_across, soft
from image_core.grounding.classic.faces import detect_faces, find_faces
from image_core.grounding.classic.regions import border_share, overlap, solidity
from image_core.grounding.classic.saliency import (
    background_weight,
    boundary_connectivity,
    saliency,
    weighted_contrast,
)
from image_core.grounding.classic.scene import look
from image_core.grounding.classic.sky import find_sky
from image_core.segmentation.superpixels import superpixels
from image_core.types import Target


def _colour(word: str) -> NamedColour:
    colour = parse_colour(word)
    assert colour is not None
    return colour


def _fit(word: str, rgb: tuple[float, float, float], *, strict: bool = False) -> float:
    patch = np.full((1, 1, 3), rgb, dtype=np.float32)
    return float(affinity(_colour(word), lab_to_lch(srgb_to_oklab(patch)), strict=strict)[0, 0])


@pytest.mark.parametrize("word", BASIC)
def test_a_basic_colour_answers_to_its_own_word(word: str) -> None:
    assert _fit(word, _colour(word).rgb) > 0.9
    assert _fit(word, _colour(word).rgb, strict=True) > 0.8


COMPOUND = "navy,teal,maroon,dark blue,light green,salmon,reddish-brown,turquoise,lavender,gold"


@pytest.mark.parametrize("word", COMPOUND.split(","))
def test_compound_and_modified_words_answer_to_their_own_colour(word: str) -> None:
    assert _fit(word, _colour(word).rgb) > 0.8


@pytest.mark.parametrize(("word", "other"), [
    ("red", "green"), ("red", "blue"), ("yellow", "blue"), ("green", "purple"), ("blue", "orange"),
    ("black", "white"), ("white", "gray"), ("gray", "red"), ("pink", "green"), ("brown", "blue"),
    ("red", "gray"), ("yellow", "white"), ("orange", "green"), ("purple", "yellow"),
])  # fmt: skip
def test_a_colour_does_not_answer_to_another_word(word: str, other: str) -> None:
    assert _fit(word, _colour(other).rgb) < 0.1
    assert _fit(other, _colour(word).rgb) < 0.1


def test_the_shaded_side_of_a_thing_still_answers() -> None:
    for word in ("red", "green", "blue", "yellow", "orange"):
        shaded = tuple(0.62 * channel for channel in _colour(word).rgb)
        assert _fit(word, shaded) > 0.7  # type: ignore[arg-type]


def test_dark_blue_prefers_the_darker_blue() -> None:
    dark, light = _colour("dark blue").rgb, _colour("light blue").rgb
    assert _fit("dark blue", dark) > _fit("dark blue", light) + 0.3
    assert _fit("light blue", light) > _fit("light blue", dark) + 0.3


def test_the_border_of_red_and_orange_moves_with_lightness() -> None:
    borders = red_orange_border(np.array([0.3, 0.5, 0.8]))
    assert borders[0] > borders[1] > borders[2]


def test_rise_goes_both_ways() -> None:
    assert rise(np.array([0.0, 1.0, 2.0, 3.0]), 1, 2).tolist() == [0, 0, 1, 1]
    assert rise(np.array([0.0, 1.0, 2.0, 3.0]), 2, 1).tolist() == [1, 1, 0, 0]


def _made(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A red disc in the middle of a green ground that a blue bar at the left border borders."""
    picture = np.empty((160, 200, 3), dtype=np.float32)
    picture[:] = (0.35, 0.5, 0.3)
    picture[:, :40] = (0.2, 0.3, 0.7)
    rows, columns = np.mgrid[:160, :200]
    disc = (rows - 80) ** 2 + (columns - 120) ** 2 < 30**2
    picture[disc] = (0.85, 0.15, 0.1)
    picture += 0.01 * np.random.default_rng(seed).standard_normal(picture.shape)
    return np.clip(picture, 0, 1).astype(np.float32), disc


def test_boundary_connectivity_is_low_inside_and_high_along_the_border() -> None:
    picture, disc = _made()
    parts = superpixels(srgb_to_oklab(picture))
    connectivity = parts.spread(boundary_connectivity(parts))
    assert connectivity[disc].mean() < 0.3
    assert connectivity[:, 60:][~disc[:, 60:]].mean() > 1
    # a bar at the border is background however much it differs from the rest
    assert connectivity[20:140, :30].mean() > 1


def test_background_weight_follows_equation_seven() -> None:
    got = background_weight(np.array([0.0, 1.0, 3.0]))
    assert got == pytest.approx([0, 1 - np.exp(-0.5), 1 - np.exp(-4.5)])


def test_contrast_is_counted_against_background_only() -> None:
    picture, disc = _made()
    parts = superpixels(srgb_to_oklab(picture))
    contrast = parts.spread(
        weighted_contrast(parts, background_weight(boundary_connectivity(parts)))
    )
    assert contrast[disc].mean() > 3 * contrast[:, 60:][~disc[:, 60:]].mean()


def test_saliency_marks_the_disc() -> None:
    picture, disc = _made()
    parts = superpixels(srgb_to_oklab(picture))
    salient = parts.spread(saliency(parts))
    assert salient[disc].mean() > 0.8
    assert salient[~disc].mean() < 0.2


def test_an_even_picture_has_no_saliency() -> None:
    lab = np.full((80, 80, 3), 0.4, dtype=np.float32)
    assert not saliency(superpixels(lab)).any()


def _landscape(sky: tuple[float, float, float]) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    picture = np.empty((180, 240, 3), dtype=np.float32)
    fade = np.linspace(0, 0.15, 180, dtype=np.float32)[:, None, None]
    picture[:] = np.array(sky, dtype=np.float32) + fade * (1 - np.array(sky, dtype=np.float32))
    horizon = (100 + 10 * np.sin(np.arange(240) / 25)).astype(int)
    ground = np.arange(180)[:, None] >= horizon[None]
    texture = cv2.resize(rng.random((45, 60)).astype(np.float32), (240, 180))[..., None]
    picture = np.where(ground[..., None], texture * np.array([0.5, 0.55, 0.25]), picture)
    picture += 0.004 * rng.standard_normal(picture.shape)
    return np.clip(picture, 0, 1).astype(np.float32), ~ground


@pytest.mark.parametrize("sky", [(0.45, 0.65, 0.9), (0.1, 0.15, 0.35), (0.75, 0.85, 0.95)])
def test_a_blue_sky_is_found(sky: tuple[float, float, float]) -> None:
    picture, truth = _landscape(sky)
    (thing,) = find_sky(look(picture, 384))
    assert overlap(thing.mask, truth) > 0.9
    assert thing.confidence > 0.7


@pytest.mark.parametrize("colour", [(0.9, 0.88, 0.84), (0.6, 0.3, 0.2), (0.5, 0.5, 0.5)])
def test_what_hangs_from_above_without_blue_is_no_sky(colour: tuple[float, float, float]) -> None:
    picture, _ = _landscape(colour)
    assert all(thing.confidence < 0.5 for thing in find_sky(look(picture, 384)))


def test_a_blue_picture_without_a_horizon_is_no_sky() -> None:
    picture = np.full((160, 200, 3), (0.3, 0.5, 0.9), dtype=np.float32)
    assert all(thing.confidence < 0.5 for thing in find_sky(look(picture, 384)))


def test_the_astronauts_face_is_found_and_no_other() -> None:
    from skimage import data

    scene = look(data.astronaut().astype(np.float32) / 255, 384)
    (thing,) = find_faces(scene)
    rows, columns = np.nonzero(thing.mask)
    # her face lies about (185, 65) to (265, 175) of 512
    assert 195 < columns.mean() / 384 * 512 < 250
    assert 90 < rows.mean() / 384 * 512 < 150


@pytest.mark.parametrize("name", ["chelsea", "coffee", "rocket", "immunohistochemistry"])
def test_no_face_is_seen_where_there_is_none(name: str) -> None:
    from skimage import data

    assert detect_faces(look(getattr(data, name)().astype(np.float32) / 255, 384)) == []


@pytest.mark.parametrize(("noun", "concept"), [
    ("sky", "sky"), ("evening sky", "sky"), ("face", "face"), ("person", "person"),
    ("man", "person"), ("woman", "person"), ("policewoman", "person"), ("object", "subject"),
    ("background", "background"), ("chair", None), ("", None), ("ottoman", None),
])  # fmt: skip
def test_nouns_lead_to_concepts(noun: str, concept: str | None) -> None:
    assert concept_of(Target(phrase=noun or "x", noun=noun)) == concept


def test_a_main_thing_is_the_subject_whatever_its_noun() -> None:
    assert concept_of(Target(phrase="main dish", noun="dish", attributes=("main",))) == "subject"


@pytest.mark.parametrize(
    ("relation", "expected"),
    [("", False), ("of the chair", True), ("next to the lamp", True), ("in the picture", False)],
)
def test_relations_that_single_out_are_told(relation: str, expected: bool) -> None:
    assert relates(Target(phrase="x", noun="x", relation=relation)) is expected


def test_confidence_is_the_capped_product_and_names_its_weakest_reason() -> None:
    mask = np.ones((2, 2), dtype=bool)
    thing = Thing(
        mask=mask, route="colour", factors={"edge": 0.5, "size": 0.8, "shape": 1.0}, cap=0.9
    )
    assert thing.confidence == pytest.approx(0.4)
    assert thing.in_words() == "colour: edge 0.50, size 0.80"
    assert Thing(mask=mask, route="sky", cap=0.9).confidence == 0.9


def test_soft_factors_run_from_floor_to_one() -> None:
    assert soft(0, 1, 2, 0.3) == pytest.approx(0.3)
    assert soft(3, 1, 2, 0.3) == 1
    assert soft(0, 2, 1) == 1


def test_drop_across_measures_the_step_at_the_edge() -> None:
    values = np.zeros((40, 40))
    values[10:30, 10:30] = 0.7
    assert drop_across(values, values > 0) == pytest.approx(0.7)
    assert drop_across(np.ones((40, 40)), values > 0) == pytest.approx(0)


def test_mask_geometry() -> None:
    square = np.zeros((20, 20), dtype=bool)
    square[5:15, 5:15] = True
    assert solidity(square) == pytest.approx(1)
    assert border_share(square) == 0
    assert border_share(np.ones((20, 20), dtype=bool)) == 1
    cross = square.copy()
    cross[:, :] = False
    cross[9:11, 2:18] = cross[2:18, 9:11] = True
    assert solidity(cross) < 0.6
