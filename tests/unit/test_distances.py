"""Distances have the same bits wherever an array lies in memory."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import distance_transform_edt

from image_core.distances import distance_within


def shape_of(seed: int) -> np.ndarray:
    made = np.random.default_rng(seed).random((61, 83)) > 0.02
    made[0, 0] = False
    return made


def test_distances_are_euclidean_and_zero_outside() -> None:
    inside = shape_of(0)
    found = distance_within(inside)
    assert np.allclose(found, distance_transform_edt(inside), atol=1e-5)
    assert (found[~inside] == 0).all()


def test_where_the_array_begins_in_memory_does_not_matter() -> None:
    inside = shape_of(1)
    expected = distance_within(inside).tobytes()
    for offset in range(1, 64):
        held = np.zeros(inside.size + offset, bool)
        moved = held[offset:].reshape(inside.shape)
        moved[...] = inside
        assert distance_within(moved).tobytes() == expected


def test_squares_of_distances_are_whole_numbers() -> None:
    squares = distance_within(shape_of(2)).astype(np.float64) ** 2
    assert np.abs(squares - np.rint(squares)).max() < 1e-4
