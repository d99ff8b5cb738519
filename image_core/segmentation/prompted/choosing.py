"""Which of a network's masks is the thing: it fills its box, is stable, and is rated high.

SAM gives three masks for one prompt: part, thing, and what the thing belongs to.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Float32

from image_core.compositing import bounding_box
from image_core.segmentation.prompted.prompts import Guesses, Prompt
from image_core.types import Box, Point

STABILITY_OFFSET = 1.0
"""Of the logits, as in SAM's automatic mask generator."""

_LEAST_QUALITY = 0.01


def best_guess(guesses: Guesses, prompt: Prompt, height: int, width: int) -> int:
    """Return the index of the mask whose box fit, stability, quality and points are best together.

    Args:
        guesses: The masks.
        prompt: What they answer.
        height: Of the picture.
        width: Of the picture.
    """
    rated = [
        float(np.clip(quality, _LEAST_QUALITY, 1))
        * stability(logits)
        * (1.0 if prompt.box is None else box_fit(logits > 0, prompt.box, height, width))
        * points_kept(logits > 0, prompt.points, prompt.not_points, height, width)
        for logits, quality in zip(guesses.logits, guesses.quality, strict=True)
    ]
    return int(np.argmax(rated))


def stability(logits: Float32[np.ndarray, "h w"], offset: float = STABILITY_OFFSET) -> float:
    """Return how little a mask changes with its threshold (Kirillov et al. 2023, appendix B).

    The intersection over union of the masks at thresholds ``offset`` above and below 0.
    """
    wide = int(np.count_nonzero(logits > -offset))
    return int(np.count_nonzero(logits > offset)) / wide if wide else 0.0


def box_fit(mask: Bool[np.ndarray, "h w"], box: Box, height: int, width: int) -> float:
    """Return how well a mask fills its box: overlap of its own box, times its share inside.

    Args:
        mask: It covers the picture at any resolution.
        box: In pixels of the picture.
        height: Of the picture.
        width: Of the picture.
    """
    bounds = bounding_box(mask)
    if bounds is None:
        return 0.0
    across, down = mask.shape[1] / width, mask.shape[0] / height
    x0, y0, x1, y1 = box[0] * across, box[1] * down, box[2] * across, box[3] * down
    common = max(0.0, min(x1, bounds[2]) - max(x0, bounds[0])) * max(
        0.0, min(y1, bounds[3]) - max(y0, bounds[1])
    )
    areas = (x1 - x0) * (y1 - y0) + (bounds[2] - bounds[0]) * (bounds[3] - bounds[1])
    rows = slice(int(np.floor(y0)), int(np.ceil(y1)))
    columns = slice(int(np.floor(x0)), int(np.ceil(x1)))
    inside = np.count_nonzero(mask[rows, columns]) / np.count_nonzero(mask)
    return float(common / max(areas - common, 1e-9) * inside)


def points_kept(
    mask: Bool[np.ndarray, "h w"],
    points: Sequence[Point],
    not_points: Sequence[Point],
    height: int,
    width: int,
) -> float:
    """Return the share of the points that lie as they should; 1 without any, never quite 0."""
    wanted = [(*point, True) for point in points] + [(*point, False) for point in not_points]
    if not wanted:
        return 1.0
    down, across = mask.shape[0] / height, mask.shape[1] / width
    kept = [bool(mask[int(y * down), int(x * across)]) == inside for x, y, inside in wanted]
    return max(float(np.mean(kept)), 1e-3)


def share_of_box(mask: Float[np.ndarray, "h w"] | Bool[np.ndarray, "h w"], box: Box) -> float:
    """Return which share of a box a mask of the picture's size fills."""
    rows = slice(int(np.floor(box[1])), int(np.ceil(box[3])))
    columns = slice(int(np.floor(box[0])), int(np.ceil(box[2])))
    return float(np.mean(mask[rows, columns] > 0))
