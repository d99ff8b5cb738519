"""From a rough region to prompts for a segmenter: boxes with points, all of one shape.

The released code lets SAM cut the whole picture from 1024 points and compares what comes out. A
rough region already says where to look: a few prompts, answered in one call on one encoding.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool

from image_core.compositing import bounding_box, support
from image_core.distances import distance_within
from image_core.editors.zone.segments import without_small_parts
from image_core.types import Detection, Mask, Point

POINTS = 3
"""Points a prompt: prompts of one shape share a call."""

MOST_PARTS = 3
"""Parts of a rough region that are asked for one by one, the heaviest first."""

_CORE = 0.6
"""Of the range of weights: the core of a bump is nearer to the thing than its foot."""


def prompts_of(rough: Mask) -> list[Detection]:
    """Return prompts for what a rough region may mean, to be cut by any segmenter.

    The whole region, its surest core, and its parts one by one where it has several. Each has a box
    and ``POINTS`` points, so that a promptable network answers all in one call.

    Args:
        rough: The rough region; its values say how sure each pixel is, 0 lies outside.

    Returns:
        Detections without masks, scored by their share of the weight; empty for an empty region.
    """
    inside = support(rough)
    if not inside.any():
        return []
    inside = without_small_parts(inside)
    regions = [("the rough region", inside)]
    low, high = float(rough[inside].min()), float(rough[inside].max())
    if high > low:
        core = without_small_parts(inside & (rough >= low + _CORE * (high - low)))
        regions.append(("the rough region's core", core))
    parts = _parts(inside, rough)
    if len(parts) > 1:
        regions += [("a part of the rough region", part) for part in parts[:MOST_PARTS]]
    total = float(rough[inside].sum(dtype=np.float64))
    return [
        _prompt(region, rough, name, float(rough[region].sum(dtype=np.float64)) / total)
        for name, region in regions
    ]


def spread_points(inside: Bool[np.ndarray, "h w"], weights: Mask, count: int) -> tuple[Point, ...]:
    """Return points well inside a region and far from each other.

    The first lies deepest where weights are high; each further one is deep and far from those
    before. A region of fewer pixels than points gives some of them twice.

    Args:
        inside: The region, not empty.
        weights: Evidence in [0, 1].
        count: How many.

    Returns:
        XY, at pixels' centres.
    """
    depth = distance_within(np.pad(inside, 1))[1:-1, 1:-1]
    worth = np.where(inside, depth * (weights + np.float32(1e-3)), 0)
    rows, columns = np.indices(inside.shape)
    points: list[Point] = []
    for _ in range(count):
        row, column = np.unravel_index(int(worth.argmax()), worth.shape)
        points.append((float(column) + 0.5, float(row) + 0.5))
        away = np.hypot(rows - row, columns - column)
        left = np.where(inside, worth * np.minimum(away / (2 * depth.max()), 1), 0)
        worth = left if left.max() > 0 else worth
    return tuple(points)


def _prompt(inside: Bool[np.ndarray, "h w"], rough: Mask, name: str, share: float) -> Detection:
    box = bounding_box(inside)
    assert box is not None
    x0, y0, x1, y1 = box
    window = (slice(y0, y1), slice(x0, x1))
    points = spread_points(inside[window], rough[window], POINTS)
    return Detection(
        box=(float(x0), float(y0), float(x1), float(y1)),
        score=min(1.0, share),
        points=tuple((x + x0, y + y0) for x, y in points),
        evidence=name,
    )


def _parts(inside: Bool[np.ndarray, "h w"], rough: Mask) -> list[Bool[np.ndarray, "h w"]]:
    """Return the connected parts of a region, the one with most weight first."""
    count, labels = cv2.connectedComponents(inside.astype(np.uint8), connectivity=4)
    weights = np.bincount(labels.ravel(), rough.ravel().astype(np.float64), minlength=count)
    order = np.argsort(-weights[1:], kind="stable") + 1
    return [labels == number for number in order]
