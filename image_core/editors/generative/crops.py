"""Cutting out what a network works on, at its size, and putting its answer back.

A small region is cut out with the picture around it as context and enlarged, so that the network's
full resolution goes into it; a large one takes the whole picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32

from image_core.compositing import window_of
from image_core.types import Image, Mask

_CONTEXT = 0.5  # of the region's longer side, on each side of it
_ENLARGED = 4.0  # a crop is enlarged no more than this
_MOST = 0.7  # a crop with more of the picture's side than this is the whole picture


@dataclass(frozen=True, kw_only=True)
class CropPlan:
    """A part of a picture and the size at which it is worked on.

    Attributes:
        box: XYXY half-open, in the picture.
        inner: Height and width that the box is scaled to, its shape kept.
        size: Height and width sent to the network: ``inner``, padded at the lower right.
    """

    box: tuple[int, int, int, int]
    inner: tuple[int, int]
    size: tuple[int, int]


def planned(alpha: Mask, *, resolution: int, multiple: int, whole: bool) -> CropPlan:
    """Choose the crop for a region.

    Args:
        alpha: The region, not empty.
        resolution: The network's picture has about this squared as its area.
        multiple: Its sides are divisible by this.
        whole: Take the whole picture whatever the region.
    """
    box = _box(alpha, resolution, whole=whole)
    height, width = box[3] - box[1], box[2] - box[0]
    scale = resolution / (height * width) ** 0.5
    inner = (max(1, round(height * scale)), max(1, round(width * scale)))
    size = tuple(max(multiple, -(-side // multiple) * multiple) for side in inner)
    # a few pixels over a multiple are scaled away rather than padded to the next one
    near = tuple(max(multiple, round(side / multiple) * multiple) for side in inner)
    if all(
        abs(a - b) <= 0.02 * b for a, b in zip(near, inner, strict=True)
    ):  # shape changes by less than 2 %
        return CropPlan(box=box, inner=(near[0], near[1]), size=(near[0], near[1]))
    return CropPlan(box=box, inner=inner, size=(size[0], size[1]))


def taken(image: Image, plan: CropPlan) -> Image:
    """Cut and scale a picture; what is not finite becomes grey, so that it cannot spread."""
    x0, y0, x1, y1 = plan.box
    cut = image[y0:y1, x0:x1]
    cut = np.where(np.isfinite(cut), np.clip(cut, 0, 1), np.float32(0.5))
    return _padded(np.clip(_scaled(cut, plan.inner), 0, 1), plan.size)


def taken_mask(alpha: Mask, plan: CropPlan) -> Mask:
    """Cut and scale a region; a pixel that the region touches at all stays above 0."""
    x0, y0, x1, y1 = plan.box
    inside = (alpha[y0:y1, x0:x1] > 0).astype(np.float32)
    scaled = np.clip(_linear(inside, plan.inner), 0, 1)
    scaled[scaled < 1e-4] = 0
    room = [(0, size - inner) for size, inner in zip(plan.size, plan.inner, strict=True)]
    return np.pad(scaled, room).astype(np.float32)


def put_back(image: Image, edited: Image, plan: CropPlan) -> Image:
    """Lay a network's answer into a copy of the picture it was cut from."""
    x0, y0, x1, y1 = plan.box
    inner = edited[: plan.inner[0], : plan.inner[1]]
    out = np.array(image, np.float32)
    out[y0:y1, x0:x1] = np.clip(_scaled(inner, (y1 - y0, x1 - x0)), 0, 1)
    return out


def put_back_mask(shape: Sequence[int], mask: Mask, plan: CropPlan) -> Mask:
    """Lay a mask at the network's size into one of the picture's."""
    x0, y0, x1, y1 = plan.box
    out = np.zeros((shape[0], shape[1]), np.float32)
    inner = mask[: plan.inner[0], : plan.inner[1]]
    out[y0:y1, x0:x1] = np.clip(_linear(inner, (y1 - y0, x1 - x0)), 0, 1)
    return out


def _box(alpha: Mask, resolution: int, *, whole: bool) -> tuple[int, int, int, int]:
    height, width = alpha.shape
    window = window_of(alpha)
    if whole or window is None:
        return 0, 0, width, height
    rows, columns = window
    tall, wide = rows.stop - rows.start, columns.stop - columns.start
    side = round(max(tall, wide) * (1 + 2 * _CONTEXT))
    side = max(side, round(resolution / _ENLARGED), 8)
    if side >= _MOST * max(height, width):
        return 0, 0, width, height
    y0, y1 = _span((rows.start + rows.stop) / 2, side, height)
    x0, x1 = _span((columns.start + columns.stop) / 2, side, width)
    return x0, y0, x1, y1


def _span(centre: float, side: int, length: int) -> tuple[int, int]:
    side = min(side, length)
    start = min(max(0, round(centre - side / 2)), length - side)
    return start, start + side


def _scaled(values: Float32[np.ndarray, ...], size: tuple[int, int]) -> np.ndarray:
    if values.shape[:2] == size:
        return np.ascontiguousarray(values)
    shrinks = size[0] * size[1] < values.shape[0] * values.shape[1]
    way = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return cv2.resize(np.ascontiguousarray(values), size[::-1], interpolation=way)


def _linear(values: Float32[np.ndarray, "_ _"], size: tuple[int, int]) -> np.ndarray:
    """Scale a mask without overshoot: by coverage where it shrinks, linearly where it grows."""
    if values.shape == size:
        return np.ascontiguousarray(values)
    shrinks = size[0] < values.shape[0] or size[1] < values.shape[1]
    way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(np.ascontiguousarray(values), size[::-1], interpolation=way)


def _padded(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    room = [(0, size[0] - values.shape[0]), (0, size[1] - values.shape[1]), (0, 0)]
    return np.pad(values, room, mode="edge").astype(np.float32)
