"""Thin and bitty things in a box: what has none of the colours just outside it."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from image_core.colour import srgb_to_oklab
from image_core.compositing import bounding_box
from image_core.segmentation.cut import (
    INSIDE,
    MAYBE_INSIDE,
    MAYBE_OUTSIDE,
    OUTSIDE,
    grab_cut,
    without_specks,
)
from image_core.segmentation.edges import dilated

_COLOURS = 12
_SAMPLES = 4000
_UNLIKE = 0.07  # OKLab, from the nearest colour of the surroundings
_SPECK = 0.001  # of the box's area
_LEAST = 0.04  # of the box; less tells too little
_HELD = 0.3  # of the box: a hole so large is what a frame holds


def unlike_surroundings(
    crop: UInt8[np.ndarray, "h w 3"], box: tuple[float, float, float, float]
) -> Bool[np.ndarray, "h w"] | None:
    """Return what in a box differs from everything around it, however thin or scattered.

    A graph cut loses masts and twigs: their outlines cost more than they hold. Here each pixel is
    judged by itself, by its distance to the nearest of a dozen colours of the surroundings.

    Args:
        crop: The box with its surroundings, at a resolution that shows thin parts.
        box: Its sides in pixels of the crop.

    Returns:
        None when nothing lies around the box, or nothing differs.
    """
    height, width = crop.shape[:2]
    lab = srgb_to_oklab(crop.astype(np.float32) / 255)
    x0, y0, x1, y1 = (round(side) for side in box)
    within = np.zeros((height, width), dtype=bool)
    within[max(0, y0) : y1, max(0, x0) : x1] = True
    around = lab[~within]
    if around.shape[0] < 4 * _COLOURS or not within.any():
        return None
    samples = np.ascontiguousarray(around[:: max(1, around.shape[0] // _SAMPLES)], dtype=np.float32)
    cv2.setRNGSeed(0)
    ending = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 12, 1e-3)
    _, _, colours = cv2.kmeans(samples, _COLOURS, np.empty(0), ending, 1, cv2.KMEANS_PP_CENTERS)
    away = np.full((height, width), np.inf)
    for colour in colours:
        away = np.minimum(away, np.linalg.norm(lab - colour, axis=2))
    unlike = within & (away > _UNLIKE)
    joined = cv2.morphologyEx(unlike.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA] if count > 1 else np.zeros(0, dtype=np.int64)
    kept = np.flatnonzero(areas >= max(4, _SPECK * np.count_nonzero(within))) + 1
    found = np.isin(labels, kept) & within
    return found if bounding_box(found) is not None else None


def cut_from_surroundings(
    crop: UInt8[np.ndarray, "h w 3"], box: tuple[float, float, float, float]
) -> Bool[np.ndarray, "h w"] | None:
    """Cut the thing of which ``unlike_surroundings`` shows the telling parts.

    They are kept, and a graph cut adds what goes with them. A frame holds what it encloses.
    """
    telling = unlike_surroundings(crop, box)
    if telling is None:
        return None
    x0, y0, x1, y1 = (max(0, round(side)) for side in box)
    area = (x1 - x0) * (y1 - y0)
    if np.count_nonzero(telling) < _LEAST * area:
        return None
    labels = np.full(telling.shape, OUTSIDE, dtype=np.uint8)
    labels[y0:y1, x0:x1] = MAYBE_OUTSIDE
    labels[dilated(telling, 2) & (labels == MAYBE_OUTSIDE)] = MAYBE_INSIDE
    labels[telling] = INSIDE
    cut = grab_cut(crop, labels, rounds=2)
    whole = telling if cut is None else cut | telling
    count, holes, stats, _ = cv2.connectedComponentsWithStats(
        (~whole).astype(np.uint8), connectivity=4
    )
    beyond = set(np.unique(np.concatenate([holes[0], holes[-1], holes[:, 0], holes[:, -1]])))
    held = [
        k for k in range(1, count) if k not in beyond and stats[k, cv2.CC_STAT_AREA] > _HELD * area
    ]
    return without_specks(whole | np.isin(holes, held), speck=_SPECK, hole=0.002)
