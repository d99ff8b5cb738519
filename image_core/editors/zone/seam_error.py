"""How well a layer sits in its picture: the seam that shows, and what of the edit has arrived."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float32

from image_core.distances import distance_within
from image_core.types import Image

_STEP = 1 / 255  # an original without any gradient still has that of its 8 bits


def seam_error(
    original: Image, styled: Image, result: Image, inside: Bool[np.ndarray, "h w"], margin: int
) -> float:
    """Return how steep a composite is around its border where neither of its sources is.

    Of each pair of neighbouring pixels across the region's border and around it, the composite's
    gradient should be the original's or the styled picture's (what V. Kwatra et al., "Graphcut
    textures", 2003, cut for). What it has instead is taken as a root mean square and divided by
    that of the original's gradients there. Squares, since a step that is spread over some pixels
    is as high in sum and yet not seen.

    Args:
        original: In [0, 1].
        styled: What was made of it.
        result: The composite of both.
        inside: The region; what happens within it does not count.
        margin: How far around it is looked, in pixels.

    Returns:
        0 for a composite without a seam; 1 where the seam is as steep as the original usually is
        there. A seam that is hidden by leaving the edit away is seen in ``change_kept``.
    """
    if not inside.any() or inside.all():
        return 0.0
    away = distance_within(~inside)
    around = (away > 0) & (away <= margin)
    seams, usual = [], []
    for axis in (0, 1):
        pairs = _first(around, axis) | _second(around, axis)
        before, made, after = (
            np.diff(picture, axis=axis)[pairs] for picture in (original, styled, result)
        )
        neither = np.minimum(_length(after - before), _length(after - made))
        seams.append(neither)
        usual.append(_length(before))
    return _root_mean_square(seams) / (_root_mean_square(usual) + _STEP)


def change_kept(
    original: Image, styled: Image, result: Image, inside: Bool[np.ndarray, "h w"]
) -> float:
    """Return which share of the styled picture's change a composite has inside the region.

    The projection of what changed on what should have: 1 for a layer laid in whole, 0.6 for one
    that was blended in by that share, 0 for the original; 1 too where nothing was to change.
    """
    wanted = (styled - original)[inside].astype(np.float64)
    got = (result - original)[inside].astype(np.float64)
    total = float(np.sum(wanted * wanted))
    return float(np.sum(wanted * got)) / total if total else 1.0


def _first(mask: Bool[np.ndarray, "h w"], axis: int) -> Bool[np.ndarray, "h2 w2"]:
    return mask[:-1] if axis == 0 else mask[:, :-1]


def _second(mask: Bool[np.ndarray, "h w"], axis: int) -> Bool[np.ndarray, "h2 w2"]:
    return mask[1:] if axis == 0 else mask[:, 1:]


def _length(gradients: Float32[np.ndarray, "n 3"]) -> Float32[np.ndarray, " n"]:
    return np.asarray(np.sqrt(np.square(gradients).sum(axis=-1)))


def _root_mean_square(parts: list[Float32[np.ndarray, " _"]]) -> float:
    values = np.concatenate(parts).astype(np.float64)
    return float(np.sqrt(np.mean(np.square(values)))) if values.size else 0.0
