"""Growing a region from points inside it, held back by points outside."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from image_core.colour import srgb_to_oklab
from image_core.segmentation.cut import (
    INSIDE,
    MAYBE_INSIDE,
    MAYBE_OUTSIDE,
    OUTSIDE,
    grab_cut,
    without_specks,
)
from image_core.segmentation.superpixels import Superpixels, geodesic_distances, superpixels
from image_core.types import Point

_NOISE = 0.02  # steps in OKLab below this are texture, not borders


def _discs(points: Sequence[Point], shape: tuple[int, ...], radius: int) -> Bool[np.ndarray, "h w"]:
    drawn = np.zeros(shape, dtype=np.uint8)
    for x, y in points:
        cv2.circle(drawn, (int(x), int(y)), radius, (1,), -1)
    return drawn > 0


def _cells(parts: Superpixels, points: Sequence[Point]) -> list[int]:
    height, width = parts.labels.shape
    return [
        int(parts.labels[min(height - 1, max(0, int(y))), min(width - 1, max(0, int(x)))])
        for x, y in points
    ]


def _overlap(first: Bool[np.ndarray, "h w"], second: Bool[np.ndarray, "h w"]) -> float:
    union = np.count_nonzero(first | second)
    return float(np.count_nonzero(first & second) / union) if union else 0.0


def grown_from_points(
    picture: UInt8[np.ndarray, "h w 3"], inside: Sequence[Point], outside: Sequence[Point]
) -> tuple[Bool[np.ndarray, "h w"], float] | None:
    """Find the thing that the points lie on.

    Each superpixel belongs to the side whose points it reaches over the smaller colour steps; the
    picture's border counts as outside where no point lies on it. A cut then finds the edge.

    Args:
        picture: A small picture.
        inside: At least one point, in its pixels.
        outside: Points that must not belong.

    Returns:
        The region and how far it can be trusted, in [0, 1]: the agreement of the cut with the
        growing, and of growings that hold the border more or less near. None when there is none.
    """
    if not inside or min(picture.shape[:2]) < 4:
        return None
    parts = superpixels(srgb_to_oklab(picture.astype(np.float32) / 255), 400)
    if parts.count < 4 or not parts.edges.size:
        return None
    seeds = sorted(set(_cells(parts, inside)))
    barred = sorted(set(_cells(parts, outside)) - set(seeds))
    rim = [int(k) for k in np.flatnonzero(parts.border) if int(k) not in seeds]
    lengths = np.maximum(parts.step_lengths() - _NOISE, 0) + 0.002
    near = geodesic_distances(parts.count, parts.edges, lengths, np.array(seeds)).min(axis=0)
    grown = []
    for hold in (0.35, 0.5, 0.65):
        far = np.full(parts.count, np.inf)
        if rim:
            to_rim = geodesic_distances(parts.count, parts.edges, lengths, np.array(rim))
            far = to_rim.min(axis=0) * (1 - hold) / hold
        if barred:
            to_barred = geodesic_distances(parts.count, parts.edges, lengths, np.array(barred))
            far = np.minimum(far, to_barred.min(axis=0))
        grown.append(parts.spread((near < far).astype(np.float64)) > 0)
    guess = grown[1]
    labels = np.where(guess, MAYBE_INSIDE, MAYBE_OUTSIDE).astype(np.uint8)
    radius = max(1, round(0.008 * max(picture.shape[:2])))
    labels[_discs(inside, guess.shape, radius)] = INSIDE
    labels[_discs(outside, guess.shape, radius)] = OUTSIDE
    cut = grab_cut(picture, labels)
    if cut is None:
        return None
    cut = _holding(without_specks(cut), inside)
    if not cut.any():
        return None
    stability = min(_overlap(guess, grown[0]), _overlap(guess, grown[2]))
    # a point alone never tells how much of a thing is meant
    return cut, float(0.9 * np.sqrt(stability * _overlap(cut, guess)))


def _holding(mask: Bool[np.ndarray, "h w"], points: Sequence[Point]) -> Bool[np.ndarray, "h w"]:
    """Keep only the parts of a mask on which one of the points lies."""
    _, labels = cv2.connectedComponents(mask.astype(np.uint8))
    height, width = mask.shape
    held = {
        int(labels[min(height - 1, max(0, int(y))), min(width - 1, max(0, int(x)))])
        for x, y in points
    } - {0}
    return np.asarray(np.isin(labels, sorted(held)))
