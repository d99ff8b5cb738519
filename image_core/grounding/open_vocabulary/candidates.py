"""What a detector saw of one phrase in one picture, and keeping one box a thing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from image_core.types import Mask

Boxes = Float[np.ndarray, "n 4"]


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """What a detector saw of one phrase.

    Attributes:
        boxes: XYXY in pixels of the picture; they may reach beyond it.
        scores: On the detector's own scale, in [0, 1].
        evidence: What each was taken for, in words.
        masks: Outlines of the picture's size, where the detector gives them.
    """

    boxes: Boxes
    scores: Float[np.ndarray, " n"]
    evidence: Sequence[str]
    masks: Sequence[Mask] | None = None


def clipped(boxes: Boxes, height: int, width: int) -> Boxes:
    """Clip boxes to the picture; one that lies outside it, or is no box, becomes empty."""
    finite = np.where(np.isfinite(boxes).all(axis=1, keepdims=True), boxes, 0)
    return np.clip(finite, 0, np.array([width, height, width, height], dtype=boxes.dtype))


def overlaps(box: Float[np.ndarray, " 4"], boxes: Boxes) -> Float[np.ndarray, " n"]:
    """Return the intersection over union of a box with each of ``boxes``."""
    low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
    common = np.prod(np.clip(high - low, 0, None), axis=1)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    total = np.prod(box[2:] - box[:2]) + areas - common
    return np.asarray(common / np.maximum(total, 1e-9))


def apart(boxes: Boxes, scores: Float[np.ndarray, " n"], most: float) -> list[int]:
    """Choose boxes greedily by score so that no two overlap by more than ``most``.

    Args:
        boxes: Clipped to the picture.
        scores: One per box.
        most: Intersection over union from which two boxes are the same thing.

    Returns:
        The chosen ones' indices, best first; boxes of less than a pixel are left out.
    """
    sides = boxes[:, 2:] - boxes[:, :2]
    free: Bool[np.ndarray, " n"] = (sides > 0).all(axis=1) & (np.prod(sides, axis=1) >= 1)
    chosen = []
    for k in np.argsort(-scores, kind="stable"):
        if free[k]:
            chosen.append(int(k))
            free &= overlaps(boxes[k], boxes) <= most
    return chosen
