"""Tone: signed amounts, fixed black and white points, and what each operation leaves alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from image_core.colour import lab_to_lch, srgb_to_oklab
from image_core.editors.classic.prepared import PreparedClassic
from image_core.editors.classic.tone import logit_line, tone_for
from image_core.errors import UnsupportedEdit
from image_core.testing import batch_of, scene
from image_core.types import EditStep, Image

OPERATIONS = ["brightness", "contrast", "saturation", "warmth"]


def _toned(image: Image, operation: str, amount: float, strength: float = 1.0) -> Image:
    alpha = np.ones(image.shape[:2], np.float32)
    step = EditStep(instruction="x", kind="tone", operation=operation, amount=amount)
    operator = tone_for(step).measured_on([batch_of([image], [alpha])])
    return PreparedClassic(operator).edit(batch_of([image], [alpha], strength=strength)).images[0]


def _lch(image: Image) -> np.ndarray:
    return lab_to_lch(srgb_to_oklab(image))


def test_amounts_are_signed() -> None:
    image, _ = scene()
    before = _lch(image)
    assert _lch(_toned(image, "brightness", 1))[..., 0].mean() > before[..., 0].mean() + 0.05
    assert _lch(_toned(image, "brightness", -1))[..., 0].mean() < before[..., 0].mean() - 0.05
    assert _lch(_toned(image, "contrast", 1))[..., 0].std() > before[..., 0].std() * 1.1
    assert _lch(_toned(image, "contrast", -1))[..., 0].std() < before[..., 0].std() * 0.9
    assert _lch(_toned(image, "saturation", 1))[..., 1].mean() > before[..., 1].mean() * 1.2
    assert _lch(_toned(image, "saturation", -1))[..., 1].mean() < before[..., 1].mean() * 0.8
    assert (_toned(image, "warmth", 1) - image)[..., 0].mean() > 0.01
    assert (_toned(image, "warmth", 1) - image)[..., 2].mean() < -0.01
    assert (_toned(image, "warmth", -1) - image)[..., 2].mean() > 0.01


@pytest.mark.parametrize("operation", ["brightness", "contrast"])
@pytest.mark.parametrize("amount", [-3, -1, 1, 3])
def test_black_and_white_stay(operation: str, amount: float) -> None:
    ends = np.zeros((2, 4, 3), np.float32)
    ends[1] = 1
    ends[:, 2:] = 0.5
    changed = _toned(ends, operation, amount)
    assert np.abs(changed[:, :2] - ends[:, :2]).max() < 2e-3


@pytest.mark.parametrize("operation", ["saturation", "warmth"])
def test_lightness_stays_when_only_colour_changes(operation: str) -> None:
    image, _ = scene()
    assert np.abs(_lch(_toned(image, operation, 1)) - _lch(image))[..., 0].max() < 0.02


@pytest.mark.parametrize("operation", OPERATIONS)
def test_amount_zero_changes_nothing_visible(operation: str) -> None:
    image, _ = scene()
    assert np.abs(_toned(image, operation, 0) - image).max() < 3e-3


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_change_grows_with_strength(operation: str) -> None:
    image, _ = scene()
    steps = [_toned(image, operation, 1, strength) for strength in (0, 0.25, 0.5, 0.75, 1)]
    changes = [float(np.abs(step - image).mean()) for step in steps]
    assert changes[0] == 0
    assert changes == sorted(changes)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(-3, 3), st.floats(0.3, 3), st.floats(0, 1))
@settings(max_examples=300, deadline=None)
def test_the_curve_rises_and_stays_in_range(
    one: float, other: float, shift: float, gain: float, about: float
) -> None:
    levels = np.array(sorted((one, other)), np.float64)
    moved = logit_line(levels, shift=shift, gain=gain, about=about)
    assert (moved >= 0).all()
    assert (moved <= 1).all()
    assert moved[1] >= moved[0] - 1e-6


@given(st.floats(0.02, 0.98), st.floats(-1.5, 1.5))
@settings(max_examples=200, deadline=None)
def test_a_shift_is_undone_by_its_negative(level: float, shift: float) -> None:
    there = logit_line(np.array([level]), shift=shift)
    if 0.01 < there[0] < 0.99:
        assert abs(logit_line(there, shift=-shift)[0] - level) < 1e-6


def test_contrast_turns_about_the_frozen_mean() -> None:
    assert abs(logit_line(np.array([0.37]), gain=1.6, about=0.37)[0] - 0.37) < 1e-9


def test_an_unknown_operation_is_refused_and_the_known_are_named() -> None:
    with pytest.raises(UnsupportedEdit, match="gamma") as caught:
        tone_for(EditStep(instruction="x", kind="tone", operation="gamma"))
    assert "warmth" in caught.value.hint
