"""Guided filter, alpha and cuts."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from image_core.segmentation.cut import (
    INSIDE,
    MAYBE_INSIDE,
    OUTSIDE,
    grab_cut,
    without_specks,
)
from image_core.segmentation.edges import dilated, edge_alpha, eroded, snapped
from image_core.segmentation.guided_filter import box_mean, guided_filter, linear_coefficients


def _guide(seed: int = 0, height: int = 17, width: int = 23) -> np.ndarray:
    return np.random.default_rng(seed).random((height, width, 3)).astype(np.float32)


def test_box_mean_is_the_mean_of_the_window_that_the_border_leaves() -> None:
    values = _guide()[..., 0]
    got = box_mean(values, 2)
    for y, x in ((0, 0), (8, 11), (16, 22), (1, 20)):
        window = values[max(0, y - 2) : y + 3, max(0, x - 2) : x + 3]
        assert got[y, x] == pytest.approx(window.mean(), abs=1e-5)


def test_coefficients_solve_the_ridge_regression_of_each_window() -> None:
    guide, source = _guide(1), (_guide(2)[..., 0] > 0.5).astype(np.float32)
    radius, epsilon = 3, 1e-3
    got = linear_coefficients(guide, source, radius, epsilon)
    for y, x in ((0, 0), (8, 11), (16, 22)):
        rows = slice(max(0, y - radius), y + radius + 1)
        columns = slice(max(0, x - radius), x + radius + 1)
        inside = guide[rows, columns].reshape(-1, 3).astype(np.float64)
        target = source[rows, columns].ravel().astype(np.float64)
        centred = inside - inside.mean(axis=0)
        covariance = centred.T @ centred / len(inside)
        slope = np.linalg.solve(
            covariance + epsilon * np.eye(3), centred.T @ (target - target.mean()) / len(inside)
        )
        offset = target.mean() - slope @ inside.mean(axis=0)
        assert got[y, x, :3] == pytest.approx(slope, abs=2e-3)
        assert got[y, x, 3] == pytest.approx(offset, abs=2e-3)


def test_guided_filter_averages_the_windows_lines() -> None:
    guide, source = _guide(3), _guide(4)[..., 1]
    fitted = linear_coefficients(guide, source, 2, 1e-2)
    y, x = 7, 9
    mean = fitted[y - 2 : y + 3, x - 2 : x + 3].reshape(-1, 4).mean(axis=0)
    expected = mean[:3] @ guide[y, x] + mean[3]
    assert guided_filter(guide, source, 2, 1e-2)[y, x] == pytest.approx(expected, abs=1e-4)


def test_guided_filter_moves_a_shifted_mask_edge_onto_the_pictures() -> None:
    guide = np.zeros((40, 60, 3), dtype=np.float32)
    guide[:, 30:] = (0.9, 0.6, 0.1)
    shifted = np.zeros((40, 60), dtype=np.float32)
    shifted[:, 32:] = 1
    row = guided_filter(guide, shifted, 8, 1e-4)[20]
    steps = np.abs(np.diff(row))
    assert int(steps.argmax()) == 29


def test_guided_filter_of_a_constant_is_that_constant() -> None:
    constant = np.full((17, 23), 0.4, dtype=np.float32)
    assert guided_filter(_guide(), constant, 3, 1e-4) == pytest.approx(constant, abs=1e-4)


def test_subsampled_guided_filter_stays_near_the_exact_one() -> None:
    guide = cv2.GaussianBlur(_guide(5, 120, 160), (0, 0), 6)
    source = np.zeros((120, 160), dtype=np.float32)
    source[30:90, 40:120] = 1
    exact = guided_filter(guide, source, 12, 1e-3)
    fast = guided_filter(guide, source, 12, 1e-3, subsample=3)
    assert np.abs(exact - fast).mean() < 0.03


def _disc_picture(noise: float = 0.02) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = np.mgrid[:90, :120]
    inside = (rows - 45) ** 2 + (columns - 60) ** 2 < 28**2
    picture = np.where(inside[..., None], (0.8, 0.2, 0.2), (0.3, 0.4, 0.6)).astype(np.float32)
    picture = picture + noise * np.random.default_rng(0).standard_normal(picture.shape)
    return np.clip(picture, 0, 1).astype(np.float32), inside


def test_alpha_is_exactly_zero_beyond_its_reach_and_exactly_one_in_the_core() -> None:
    picture, inside = _disc_picture()
    alpha = edge_alpha(picture, inside, reach=3)
    assert (alpha[~dilated(inside, 3)] == 0).all()
    assert (alpha[eroded(inside, 6)] == 1).all()
    between = alpha[(alpha > 0) & (alpha < 1)]
    assert between.size == 0 or between.min() >= 1 / 255


def test_alpha_of_an_empty_or_full_mask_is_the_mask() -> None:
    picture, inside = _disc_picture()
    assert not edge_alpha(picture, np.zeros_like(inside)).any()
    assert (edge_alpha(picture, np.ones_like(inside)) == 1).all()


def test_snapping_moves_a_rough_edge_to_the_pictures() -> None:
    picture, inside = _disc_picture()
    rough = np.roll(inside, (2, 3), (0, 1))
    snapped_mask = snapped((picture * 255).astype(np.uint8), rough, 6)
    assert np.count_nonzero(snapped_mask ^ inside) < 0.1 * np.count_nonzero(rough ^ inside)


def test_the_pictures_border_does_not_wear_a_mask() -> None:
    mask = np.zeros((20, 20), dtype=bool)
    mask[:, 10:] = True
    assert (eroded(mask, 3)[:, -1]).all()
    assert not eroded(mask, 3)[:, 12].any()


def test_a_cut_is_the_same_each_time_and_for_any_number_of_threads() -> None:
    picture, inside = _disc_picture(0.08)
    eight = (picture * 255).astype(np.uint8)
    labels = np.full(inside.shape, OUTSIDE, dtype=np.uint8)
    labels[10:80, 25:95] = MAYBE_INSIDE
    cuts = []
    threads = cv2.getNumThreads()
    try:
        for count in (1, 2, 4):
            cv2.setNumThreads(count)
            cv2.setRNGSeed(count)
            cuts.append(grab_cut(eight, labels))
    finally:
        cv2.setNumThreads(threads)
    assert all(np.array_equal(cuts[0], cut) for cut in cuts)


def test_a_cut_without_two_sides_is_none() -> None:
    eight = np.zeros((10, 10, 3), dtype=np.uint8)
    assert grab_cut(eight, np.full((10, 10), OUTSIDE, dtype=np.uint8)) is None
    assert grab_cut(eight, np.full((10, 10), INSIDE, dtype=np.uint8)) is None


def test_specks_go_and_pinholes_close() -> None:
    mask = np.zeros((60, 60), dtype=bool)
    mask[10:50, 10:50] = True
    mask[30, 30] = False
    mask[2, 2] = True
    tidy = without_specks(mask)
    assert tidy[30, 30]
    assert not tidy[2, 2]
    assert np.count_nonzero(tidy) == 1600
