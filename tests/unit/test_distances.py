"""Distances have the same bits every time."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import distance_transform_edt

from image_core.distances import distance_within

WIDTH = 83  # no multiple of what a processor roots at once


def shape_of(seed: int) -> np.ndarray:
    made = np.random.default_rng(seed).random((61, WIDTH)) > 0.02
    made[0, 0] = False
    return made


def test_distances_are_the_correctly_rounded_roots_of_whole_squares() -> None:
    inside = shape_of(0)
    squares = np.rint(distance_transform_edt(inside) ** 2)
    assert distance_within(inside).tobytes() == np.sqrt(squares).astype(np.float32).tobytes()
    assert (distance_within(inside)[~inside] == 0).all()


def test_what_else_lies_in_memory_does_not_matter() -> None:
    inside, draw = shape_of(1), np.random.default_rng(2)
    expected = distance_within(inside).tobytes()
    kept = []  # moves the next arrays to other places
    for size in draw.integers(1, 5000, 200):
        kept.append(np.empty(size, np.uint8))
        assert distance_within(inside).tobytes() == expected
