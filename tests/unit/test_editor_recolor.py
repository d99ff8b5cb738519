"""Recolouring: the named colour arrives, and light, shadow, gloss and other colours stay."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from image_core.colour import lab_to_lch, lch_to_lab, oklab_to_srgb, srgb_to_oklab
from image_core.colour_names import parse_colour
from image_core.editors.classic.pixels import largest_chroma, oklab_in_gamut
from image_core.editors.classic.prepared import PreparedClassic
from image_core.editors.classic.recolor import moved_lightness, recolor_for
from image_core.errors import EditFailed, UnsupportedEdit
from image_core.testing import batch_of
from image_core.types import EditStep, Image, Target


def _recoloured(image: Image, value: str, *, colours: tuple[str, ...] = ()) -> Image:
    alpha = np.ones(image.shape[:2], np.float32)
    work = batch_of([image], [alpha])
    step = EditStep(
        instruction="x", kind="recolor", value=value, target=Target(noun="chair", colours=colours)
    )
    operator = recolor_for(step, lightness=0.9, hue_variation=0.35).measured_on([work])
    return PreparedClassic(operator).edit(work).images[0]


def _shaded(colour: str, height: int = 40, width: int = 60) -> Image:
    """A matt thing of one colour: OKLab scaled by the light that falls on it, left to right."""
    named = parse_colour(colour)
    assert named is not None
    light = np.linspace(0.55, 1.1, width, dtype=np.float32)
    lab = srgb_to_oklab(np.array(named.rgb, np.float32)) * light[None, :, None]
    return oklab_to_srgb(np.repeat(lab, height, axis=0)).astype(np.float32)


@pytest.mark.parametrize("source", ["yellow", "orange", "brown", "gray", "white", "navy"])
@pytest.mark.parametrize("target", ["blue", "emerald green", "red", "purple"])
def test_the_region_takes_the_named_hue(source: str, target: str) -> None:
    named = parse_colour(target)
    assert named is not None
    middle = lab_to_lch(srgb_to_oklab(_recoloured(_shaded(source), target)[20, 25:40]))
    away = np.abs((middle[:, 2] - named.lch[2] + 180) % 360 - 180)
    assert away.max() < 12
    assert middle[:, 1].mean() > 0.5 * named.lch[1]


@pytest.mark.parametrize("source", ["yellow", "red", "gray", "white", "brown"])
@pytest.mark.parametrize("target", ["white", "black", "gray", "navy", "yellow"])
def test_light_and_shadow_keep_their_order(source: str, target: str) -> None:
    before = srgb_to_oklab(_shaded(source))[20, :, 0]
    after = srgb_to_oklab(_recoloured(_shaded(source), target))[20, :, 0]
    rising = np.diff(before) > 1e-3
    assert (np.diff(after)[rising] > -2e-3).all()
    assert after.max() - after.min() > 0.05  # the shading is still there


@pytest.mark.parametrize("source", ["yellow", "brown", "navy"])
def test_white_becomes_white_and_black_becomes_black(source: str) -> None:
    lit = (slice(None), slice(35, 50))
    white = lab_to_lch(srgb_to_oklab(_recoloured(_shaded(source), "white")))[lit]
    black = lab_to_lch(srgb_to_oklab(_recoloured(_shaded(source), "black")))[lit]
    assert white[..., 0].mean() > 0.85
    assert white[..., 1].max() < 0.03
    assert black[..., 0].mean() < 0.4
    assert black[..., 1].max() < 0.03


def test_black_legs_and_a_white_inside_keep_their_colour() -> None:
    chair = _shaded("yellow")
    chair[30:, 10:16] = 0.05
    chair[:8, 20:40] = 0.92
    blue = _recoloured(chair, "blue")
    assert np.abs(blue[33:, 12:14] - chair[33:, 12:14]).max() < 0.06
    assert np.abs(blue[:6, 24:36] - chair[:6, 24:36]).max() < 0.06


def test_a_mostly_white_region_with_a_coloured_mark_changes_the_white() -> None:
    helmet = _shaded("white")
    helmet[10:16, 10:16] = (0.8, 0.1, 0.1)
    navy = _recoloured(helmet, "navy")
    assert navy[30, 40, 2] > navy[30, 40, 0] + 0.1
    assert np.abs(navy[12:14, 12:14] - helmet[12:14, 12:14]).max() < 0.1


def test_the_named_source_colour_decides_between_two() -> None:
    image = np.concatenate([_shaded("red"), _shaded("green")], axis=1)
    by_name = _recoloured(image, "yellow", colours=("green",))
    assert np.abs(by_name[:, 5:50] - image[:, 5:50]).max() < 0.05
    assert np.abs(by_name[:, 70:110] - image[:, 70:110]).mean() > 0.15


def test_a_source_colour_that_is_not_there_leaves_it_to_the_picture() -> None:
    blue = _recoloured(_shaded("yellow"), "blue", colours=("purple",))
    assert blue[20, 40, 2] > blue[20, 40, 0]


def test_statistics_are_those_of_the_reference_not_of_the_frame() -> None:
    reference, frame = _shaded("yellow"), _shaded("yellow") * np.float32(0.7)
    alpha = np.ones(frame.shape[:2], np.float32)
    step = EditStep(instruction="x", kind="recolor", value="blue")
    operator = recolor_for(step, lightness=0.9, hue_variation=0.35)
    frozen = PreparedClassic(operator.measured_on([batch_of([reference], [alpha])]))
    bright = frozen.edit(batch_of([reference], [alpha])).images[0]
    dim = frozen.edit(batch_of([frame], [alpha])).images[0]
    assert dim.mean() < bright.mean() - 0.02  # a darker frame stays darker


def test_what_is_no_colour_is_refused_and_says_what_to_do() -> None:
    step = EditStep(instruction="x", kind="recolor", value="wooden")
    with pytest.raises(UnsupportedEdit, match="wooden") as caught:
        recolor_for(step, lightness=0.9, hue_variation=0.35)
    assert "navy blue" in caught.value.hint


def test_an_edit_prepared_on_nothing_fails_on_a_region_that_is_not_empty() -> None:
    step = EditStep(instruction="x", kind="recolor", value="blue")
    prepared = PreparedClassic(recolor_for(step, lightness=0.9, hue_variation=0.35).measured_on([]))
    image = _shaded("yellow")
    with pytest.raises(EditFailed, match="empty regions"):
        prepared.edit(batch_of([image], [np.ones(image.shape[:2], np.float32)]))


@given(source=st.floats(0.05, 0.98), target=st.floats(0.05, 0.99), at=st.floats(0.02, 1.0))
@settings(max_examples=200, deadline=None)
def test_lightness_rises_with_lightness_and_stays_in_range(
    source: float, target: float, at: float
) -> None:
    levels = np.array([at * 0.9, at], np.float32)
    moved = moved_lightness(levels, np.maximum(levels, np.float32(0.02)), source, target)
    assert (moved >= 0).all()
    assert (moved <= 1).all()
    assert moved[1] >= moved[0] - 1e-4


@given(st.floats(0.02, 0.98), st.floats(0, 359.9), st.floats(0, 0.4))
@settings(max_examples=200, deadline=None)
def test_gamut_mapping_keeps_lightness_and_hue(lightness: float, hue: float, chroma: float) -> None:
    lab = lch_to_lab(np.array([[lightness, chroma, hue]], np.float32))
    lch = lab_to_lch(srgb_to_oklab(oklab_in_gamut(lab)))[0]
    assert abs(lch[0] - lightness) < 0.02
    if lch[1] > 0.03:
        assert abs((lch[2] - hue + 180) % 360 - 180) < 4
    assert lch[1] <= chroma + 1e-3


def test_colours_inside_the_gamut_pass_it_unchanged() -> None:
    rgb = np.random.default_rng(0).uniform(0.05, 0.95, (500, 3)).astype(np.float32)
    lab = srgb_to_oklab(rgb)
    hue = np.degrees(np.arctan2(lab[:, 2].copy(), lab[:, 1].copy()))
    assert (largest_chroma(lab[:, 0].copy(), hue) > np.hypot(lab[:, 1], lab[:, 2]) - 0.02).all()
    assert np.abs(oklab_in_gamut(lab) - rgb).max() < 0.06
