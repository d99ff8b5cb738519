"""The size a pipeline works at, and scaling to it and back without a shift.

The pipelines shrink, round or crop a picture that does not suit them, and would answer with one
that no longer lies on the original. So pictures are scaled here to a size that they leave alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np

from image_core.types import Image, Mask

Size = tuple[int, int]
"""Height and width."""


def fitted(
    size: Size,
    *,
    multiple: int,
    least_side: int = 1,
    most_side: int = 1 << 30,
    most_area: int = 1 << 60,
    most_ratio: float = 1e9,
) -> Size:
    """Return the size nearest to one that keeps a pipeline's bounds; itself where it does already.

    Args:
        size: What is wanted.
        multiple: Divides both sides.
        least_side: Bound of the shorter side.
        most_side: Bound of the longer side.
        most_area: Bound of the area; the shape is kept.
        most_ratio: Bound of the longer side over the shorter; beyond it the shape is squeezed.
    """
    short, long = sorted(size)
    sides = (float(short), float(long))
    if long > most_ratio * short:
        middle, spread = (short * long) ** 0.5, most_ratio**0.5
        sides = (middle / spread, middle * spread)
    sides = _scaled(sides, max(1.0, least_side / sides[0]))
    sides = _scaled(sides, min(1.0, (most_area / (sides[0] * sides[1])) ** 0.5))
    sides = _scaled(sides, min(1.0, most_side / sides[1]))
    below = [max(multiple, int(side + 1e-6) // multiple * multiple) for side in sides]
    below[1] = min(below[1], int(most_ratio * below[0]) // multiple * multiple)
    return (below[0], below[1]) if size[0] <= size[1] else (below[1], below[0])


def settled(size: Size, rule: Callable[[float], Size]) -> Size:
    """Return the size that a pipeline's own rule leads to, and leaves alone when it is led to it.

    Args:
        size: What is wanted.
        rule: Takes width over height, gives the pipeline's size for it.
    """
    for _ in range(8):
        found = rule(size[1] / size[0])
        if found == size:
            break
        size = found
    return size


def nearest_shape(size: Size, choices: Sequence[Size]) -> Size:
    """Return the choice whose width over height is nearest."""
    return min(choices, key=lambda choice: abs(size[1] / size[0] - choice[1] / choice[0]))


def scaled_to(image: Image, size: Size) -> Image:
    """Return a picture at another size, edge on edge, in [0, 1]; NaN stays NaN."""
    if image.shape[:2] == size:
        return image
    shrinks = size[0] * size[1] < image.shape[0] * image.shape[1]
    way = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.clip(cv2.resize(image, size[::-1], interpolation=way), 0, 1).astype(np.float32)


def covered(mask: Mask, size: Size, block: int) -> Mask:
    """Return a mask at another size, 1 in each block that the given one touches, else 0.

    Pipelines sample a mask at one point a latent cell, and would lose what is thinner than one.
    """
    touched: Any = (mask > 0).astype(np.float32)
    if touched.shape != size:
        smaller = size[0] < touched.shape[0] or size[1] < touched.shape[1]
        way = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
        touched = cv2.resize(touched, size[::-1], interpolation=way)
    rows, columns = size[0] // block, size[1] // block
    blocks = touched.reshape(rows, block, columns, block).max(axis=(1, 3)) > 1e-4
    return np.kron(blocks, np.ones((block, block))).astype(np.float32)


def _scaled(sides: tuple[float, float], factor: float) -> tuple[float, float]:
    return sides[0] * factor, sides[1] * factor
