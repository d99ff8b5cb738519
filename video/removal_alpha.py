"""How far each pixel of a frame is replaced when a thing is removed from it."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool

from image_core.compositing import feather_inwards, hole, support
from image_core.distances import distance_within
from image_core.types import Mask

_FAR = 7  # px from the thing, from which its neighbourhood is known to be another thing or not

_TRACE = 4
"""A pixel at a rim is replaced wholly where a share of 1 / ``_TRACE`` of it is the thing's: less
would leave a thread of its colour along what is in front."""


def removal_alpha(region: Mask, free: Bool[np.ndarray, "h w"], *, grow: bool) -> Mask:
    """Return the alpha with which what lies behind is laid over a frame.

    Towards the background the hole grows, and its seam lies in what it has grown by. Towards
    something else that moves, which may be in front, it keeps the thing's own soft outline.

    Args:
        region: The thing's alpha.
        free: Where the frame shows the background.
        grow: Whether the hole may be larger than the region, and have a seam outside of it.
    """
    if not grow:
        return hole(region, grow=False)
    grown = hole(region, grow=True)
    seamed = feather_inwards(grown)
    beside = _nearer_to_others(grown, free)
    own = np.minimum(1, _TRACE * region).astype(np.float32)
    return np.where(beside & support(grown), np.minimum(own, seamed), seamed).astype(np.float32)


def _nearer_to_others(grown: Mask, free: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """Return the pixels to which another moving thing is nearer than the background."""
    away = distance_within(grown == 0)
    others, behind = (away > _FAR) & ~free, (away > _FAR) & free
    if not others.any():
        return np.zeros(grown.shape, bool)
    distances = [distance_within(~what) for what in (others, behind)]
    return np.asarray(distances[0] < distances[1])
