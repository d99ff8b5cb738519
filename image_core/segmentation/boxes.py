"""Cutting the thing that a box holds."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from image_core.segmentation.cut import (
    MAYBE_INSIDE,
    MAYBE_OUTSIDE,
    OUTSIDE,
    grab_cut,
    without_specks,
)
from image_core.types import Box

Window = tuple[int, int, int, int]


def whole_pixels(box: Box, height: int, width: int) -> Window | None:
    """Round a box to whole pixels of the picture; None when nothing of it lies inside."""
    if not np.isfinite(box).all():
        return None
    x0, y0 = max(0, int(np.floor(box[0]))), max(0, int(np.floor(box[1])))
    x1, y1 = min(width, int(np.ceil(box[2]))), min(height, int(np.ceil(box[3])))
    return (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None


def with_context(box: Window, share: float, height: int, width: int) -> Window:
    """Grow a box by ``share`` of its sides on each side, at least by 2 pixels, within the picture."""
    x0, y0, x1, y1 = box
    dx, dy = max(2, round((x1 - x0) * share)), max(2, round((y1 - y0) * share))
    return max(0, x0 - dx), max(0, y0 - dy), min(width, x1 + dx), min(height, y1 + dy)


def reduced(picture: UInt8[np.ndarray, "h w 3"], side: int) -> UInt8[np.ndarray, "h2 w2 3"]:
    """Reduce a picture so that its longer side is at most ``side``."""
    height, width = picture.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return picture
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def resized_mask(mask: Bool[np.ndarray, "h w"], height: int, width: int) -> Bool[np.ndarray, "h2 w2"]:
    """Bring a mask to another size, its edge staying in place."""
    if mask.shape == (height, width):
        return mask
    kind = cv2.INTER_AREA if mask.size > height * width else cv2.INTER_LINEAR
    scaled = cv2.resize(mask.astype(np.float32), (width, height), interpolation=kind)
    return np.asarray(scaled > 0.5)


def cut_in_box(
    crop: UInt8[np.ndarray, "h w 3"], box: tuple[float, float, float, float]
) -> Bool[np.ndarray, "h w"] | None:
    """Cut what a box holds from a small picture with some context around it.

    Everything beyond the box is outside. Within it the ellipse that touches its four sides is the
    first guess of the inside, its corners of the outside. Where the box leaves no context at all,
    a thin frame along the picture's border stands in for it.

    Args:
        crop: The box with its surroundings.
        box: Its sides in pixels of the crop.

    Returns:
        None when the colours cannot be told apart.
    """
    height, width = crop.shape[:2]
    rows, columns = np.mgrid[:height, :width] + 0.5
    x0, y0, x1, y1 = box
    within = (columns > x0) & (columns < x1) & (rows > y0) & (rows < y1)
    across = (2 * columns - x0 - x1) / max(1.0, x1 - x0)
    down = (2 * rows - y0 - y1) / max(1.0, y1 - y0)
    ellipse = within & (across**2 + down**2 <= 1)
    labels = np.where(ellipse, MAYBE_INSIDE, MAYBE_OUTSIDE).astype(np.uint8)
    labels[~within] = OUTSIDE
    if np.count_nonzero(~within) < 0.02 * within.size:
        rim = max(1, round(0.02 * min(height, width)))
        labels[:rim], labels[-rim:], labels[:, :rim], labels[:, -rim:] = (OUTSIDE,) * 4
    cut = grab_cut(crop, labels)
    return None if cut is None else without_specks(cut)
