"""Cubic spline fields on a lattice, and one Gauss-Newton step with them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from video.spline_field import Smoothness, SplineGrid, basis, refined
from video.spline_fit import Sight, Slopes, SplineSettings, robust, stepped
from video.warping import grid, sample

RNG = np.random.default_rng


@pytest.mark.parametrize(("pixels", "cells"), [(40, 5), (37, 6), (8, 8), (5, 12), (1, 1)])
def test_the_basis_sums_to_one_everywhere(pixels: int, cells: int) -> None:
    made = basis(pixels, cells)
    assert made.shape == (pixels, cells + 3)
    assert np.abs(made.sum(axis=1) - 1).max() < 1e-6


def test_straight_controls_give_a_straight_line() -> None:
    line = basis(60, 6) @ np.arange(9, dtype=np.float32)
    assert np.abs(np.diff(line) - 6 / 60).max() < 1e-5


@pytest.mark.parametrize("order", [1, 2])
def test_derivatives_are_those_of_finite_differences(order: int) -> None:
    controls = RNG(0).normal(size=9)
    # three times as fine a lattice puts each pixel's neighbours a third of a pixel away
    fine = basis(180, 6).astype(np.float64) @ controls
    derivative = basis(60, 6, derivative=order) @ controls
    step = 1 / 3
    middle = fine[1::3]
    if order == 1:
        numeric = (fine[2::3] - fine[0::3]) / (2 * step)
    else:
        numeric = (fine[2::3] - 2 * middle + fine[0::3]) / step**2
    assert np.abs(derivative - numeric).max() < 2e-3


def test_a_refined_field_is_the_same_field() -> None:
    over = SplineGrid.over((60, 40), 6)
    controls = RNG(1).normal(size=(2, *over.shape)).astype(np.float32)
    again = over.finer().field(refined(controls))
    assert np.abs(again - over.field(controls)).max() < 1e-5


def test_gathering_is_the_transpose_of_the_field() -> None:
    over = SplineGrid.over((31, 47), 7)
    controls = RNG(2).normal(size=(2, *over.shape)).astype(np.float32)
    values = RNG(3).normal(size=(2, 47, 31)).astype(np.float32)
    forth = float((over.field(controls) * values).sum())
    back = float((controls * over.gathered(values)).sum())
    assert forth == pytest.approx(back, rel=1e-4)


def test_roughness_counts_slopes_and_bends_but_not_shifts() -> None:
    over = SplineGrid.over((48, 48), 6)
    first, second = (
        Smoothness(over, first=1, second=0),
        Smoothness(over, first=0, second=1),
    )
    shift = np.ones((2, *over.shape), np.float32)
    assert np.abs(first.applied(shift)).max() < 1e-3
    ramp = np.broadcast_to(np.arange(9, dtype=np.float32), (1, 9, 9)).copy()
    rough = float((ramp * first.applied(ramp)).sum())
    assert rough == pytest.approx(48 * 48 * (6 / 48) ** 2, rel=1e-3)
    assert abs(float((ramp * second.applied(ramp)).sum())) < 1e-3


def _picture(size: tuple[int, int], seed: int) -> np.ndarray:
    noise = RNG(seed).random((size[1], size[0], 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 3)
    return np.asarray((smooth - smooth.min()) / (smooth.max() - smooth.min()), np.float32)


def _aligned(steps: int, **changes: float) -> tuple[np.ndarray, np.ndarray]:
    """Fit a known smooth motion; return what is missing and the motion."""
    size = (64, 48)
    canonical = _picture(size, 4)
    over = SplineGrid.over(size, 4)
    truth = over.field(RNG(5).uniform(-1.5, 1.5, (2, *over.shape)).astype(np.float32))
    frame = sample(canonical, grid(size) + np.moveaxis(truth, 0, -1))
    still = np.zeros((size[1], size[0], 2), np.float32)
    sight = Sight(
        frame=np.asarray(frame),
        base=grid(size),
        weight=np.ones(size[::-1], np.float32),
        followed=still,
        trust=np.ones(size[::-1], np.float32),
    )
    defaults = {"first": 1e-5, "second": 1e-6, "steadiness": 0.0}
    settings = SplineSettings(**(defaults | changes))  # type: ignore[arg-type]
    smoothness = Smoothness(over, first=settings.first, second=settings.second)
    controls = np.zeros((2, *over.shape), np.float32)
    for _ in range(steps):
        controls = stepped(over, smoothness, controls, Slopes.of(canonical), sight, settings)
    return over.field(controls) - truth, truth


def test_a_smooth_motion_is_found_to_a_tenth_of_a_pixel() -> None:
    missing, truth = _aligned(8)
    assert np.abs(truth).max() > 0.8
    inner = np.abs(missing)[:, 4:-4, 4:-4]
    assert np.median(inner) < 0.03
    assert np.quantile(inner, 0.95) < 0.1


def test_steadiness_holds_a_field_to_the_followed_flow() -> None:
    missing, truth = _aligned(4, steadiness=10.0)
    assert np.abs(missing + truth).max() < 0.05


def test_what_differs_much_counts_less() -> None:
    difference = np.zeros((1, 3, 3), np.float32)
    difference[0, 1] = (0.03, -0.05, 0)
    difference[0, 2] = (0, 0.5, 0.1)
    assert robust(difference, 0.05)[0].tolist() == pytest.approx([1, 1, 0.1])


def test_a_change_of_light_moves_nothing_when_light_is_left_aside() -> None:
    size = (64, 48)
    canonical = _picture(size, 6)
    over = SplineGrid.over(size, 4)
    brighter = canonical + np.float32(0.05)
    sight = Sight(
        frame=brighter,
        base=grid(size),
        weight=np.ones(size[::-1], np.float32),
        followed=np.zeros((48, 64, 2), np.float32),
        trust=np.zeros(size[::-1], np.float32),
    )
    moved = {}
    for light in (0.0, 0.1):
        settings = SplineSettings(first=1e-5, second=1e-6, light=light)
        smoothness = Smoothness(over, first=settings.first, second=settings.second)
        controls = np.zeros((2, *over.shape), np.float32)
        for _ in range(3):
            controls = stepped(over, smoothness, controls, Slopes.of(canonical), sight, settings)
        moved[light] = float(np.abs(over.field(controls)).max())
    assert moved[0.1] < 0.02 < moved[0.0]
