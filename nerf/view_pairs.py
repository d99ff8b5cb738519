"""Which views to compare with which."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

_WIDEST = 60.0
"""Degrees between viewing directions beyond which two views share too little."""


def neighbours(
    poses: Sequence[Float[np.ndarray, "3 4"]], wanted: Sequence[int], most: int
) -> list[tuple[int, int]]:
    """Pair views with their nearest neighbours, spread evenly over the wanted ones.

    Args:
        poses: Camera to world, of all views.
        wanted: Numbers of the views that may be paired.
        most: How many pairs at most.

    Returns:
        (view, neighbour) by number, no pair twice, not even the other way round.
    """
    pairs: dict[frozenset[int], tuple[int, int]] = {}
    for view in wanted:
        other = _nearest(poses, view, wanted)
        if other is not None:
            pairs.setdefault(frozenset((view, other)), (view, other))
    every = list(pairs.values())
    if len(every) <= most:
        return every
    return [every[int(place)] for place in np.linspace(0, len(every) - 1, most).round()]


def _nearest(
    poses: Sequence[Float[np.ndarray, "3 4"]], view: int, wanted: Sequence[int]
) -> int | None:
    """Return the nearest camera that looks the same way; None where none does."""
    here = poses[view]
    best, least = None, np.inf
    for other in wanted:
        along = float(np.clip(poses[other][:, 2] @ here[:, 2], -1, 1))
        distance = float(np.linalg.norm(poses[other][:, 3] - here[:, 3]))
        if other != view and np.degrees(np.arccos(along)) <= _WIDEST and distance < least:
            best, least = other, distance
    return best
