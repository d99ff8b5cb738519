"""Small pieces of mask geometry that the grounder's parts share."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from image_core.compositing import bounding_box, grown_box
from image_core.segmentation.boxes import cut_in_box, resized_mask, with_context
from image_core.segmentation.cut import (
    INSIDE,
    MAYBE_INSIDE,
    MAYBE_OUTSIDE,
    OUTSIDE,
    grab_cut,
    without_specks,
)
from image_core.segmentation.edges import dilated, disc, eroded, touching

_CUT_SIDE = 192  # a rough cut is enough here; the segmenter finds the exact edge
BoolMap = Bool[np.ndarray, "h w"]


def overlap(first: BoolMap, second: BoolMap) -> float:
    """Return intersection over union; 0 for two empty masks."""
    union = np.count_nonzero(first | second)
    return float(np.count_nonzero(first & second) / union) if union else 0.0


def share_inside(part: BoolMap, whole: BoolMap) -> float:
    """Return which share of ``part`` lies in ``whole``."""
    area = np.count_nonzero(part)
    return float(np.count_nonzero(part & whole) / area) if area else 0.0


def closed(mask: BoolMap, radius: int) -> BoolMap:
    """Bridge gaps of up to ``2 radius`` pixels."""
    work = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, disc(radius))
    return np.asarray(work > 0)


def components(mask: BoolMap, least: float, most: int) -> list[BoolMap]:
    """Return the largest connected parts, at most ``most``, each at least ``least`` pixels."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        mask.astype(np.uint8), connectivity=8
    )
    areas = stats[1:, cv2.CC_STAT_AREA] if count > 1 else np.zeros(0, dtype=np.int64)
    order = np.argsort(-areas, kind="stable")[:most]
    return [np.asarray(labels == k + 1) for k in order if areas[k] >= least]


def ring(mask: BoolMap, gap: int, width: int) -> BoolMap:
    """Return the pixels between ``gap`` and ``gap + width`` outside a mask."""
    return dilated(mask, gap + width) & ~dilated(mask, gap)


def outline(mask: BoolMap) -> BoolMap:
    """Return the mask's own border pixels; the picture's border is no edge."""
    return mask & ~eroded(mask, 1)


def border_share(mask: BoolMap) -> float:
    """Return which share of the picture's border the mask covers."""
    rim = np.concatenate([mask[0], mask[-1], mask[1:-1, 0], mask[1:-1, -1]])
    return float(rim.mean())


def hull_of(mask: BoolMap) -> BoolMap:
    """Return the convex hull of a mask."""
    canvas = np.zeros(mask.shape, dtype=np.uint8)
    if mask.any():
        points = cv2.findNonZero(mask.astype(np.uint8))
        cv2.fillConvexPoly(canvas, cv2.convexHull(points), (1,))
    return canvas > 0


def solidity(mask: BoolMap) -> float:
    """Return area over the area of the convex hull: 1 for convex things."""
    return float(np.count_nonzero(mask) / max(1, np.count_nonzero(hull_of(mask))))


def cut_to_box(rgb: UInt8[np.ndarray, "h w 3"], rough: BoolMap) -> BoolMap | None:
    """Cut the thing that the box around ``rough`` holds; None when there is nothing to cut."""
    bounds = bounding_box(rough)
    if bounds is None:
        return None
    left, top, right, bottom = with_context(bounds, 0.3, *rough.shape)
    crop = rgb[top:bottom, left:right]
    x0, y0, x1, y1 = bounds
    cut = cut_in_box(crop, (x0 - left, y0 - top, x1 - left, y1 - top))
    if cut is None or not cut.any():
        return None
    found = np.zeros(rough.shape, dtype=bool)
    found[top:bottom, left:right] = cut
    return found


def cut_around(
    rgb: UInt8[np.ndarray, "h w 3"],
    seed: BoolMap,
    likely: Float[np.ndarray, "h w"],
    *,
    context: float = 0.35,
) -> BoolMap | None:
    """Cut the thing that ``seed`` roughly covers, looking only at its surroundings.

    Args:
        rgb: The picture.
        seed: A first guess of it.
        likely: How well each pixel fits, in [0, 1]; surely inside are the seed's well-fitting
            inner pixels, everything beyond the surroundings is left out.
        context: Surroundings on each side, as a share of the seed's box.

    Returns:
        The parts of the cut that touch the seed; None when there is nothing to cut.
    """
    bounds = bounding_box(seed)
    if bounds is None:
        return None
    height, width = seed.shape
    extent = max(bounds[2] - bounds[0], bounds[3] - bounds[1])
    x0, y0, x1, y1 = grown_box(bounds, max(6, round(extent * context)), height, width)
    window = (slice(y0, y1), slice(x0, x1))
    near, fits = seed[window], likely[window]
    labels = np.where(near | (fits > 0.6), MAYBE_INSIDE, MAYBE_OUTSIDE).astype(np.uint8)
    wear = max(1, round(0.04 * extent))
    labels[eroded(near, wear) & (fits > 0.7)] = INSIDE
    labels[~dilated(near, max(4, round(0.2 * extent))) & (fits < 0.3)] = OUTSIDE
    shape = labels.shape
    scale = min(1.0, _CUT_SIDE / max(shape))
    size = (max(1, round(shape[1] * scale)), max(1, round(shape[0] * scale)))
    cut = grab_cut(
        np.asarray(cv2.resize(rgb[window], size, interpolation=cv2.INTER_AREA), dtype=np.uint8),
        np.asarray(cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST), dtype=np.uint8),
        rounds=3,
    )
    if cut is None or not cut.any():
        return None
    found = np.zeros(seed.shape, dtype=bool)
    enlarged = resized_mask(without_specks(cut), *shape)
    found[window] = touching(enlarged, near) if (enlarged & near).any() else False
    return found if found.any() else None
