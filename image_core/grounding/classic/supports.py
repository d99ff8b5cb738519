"""What a thing stands on: legs, stems and posts, thin and of another colour than the thing.

"The yellow chair" is found by its yellow; who removes it wants its black legs gone too. Legs are
found by morphology (J. Serra, "Image Analysis and Mathematical Morphology", 1982): the black-hat
and the top-hat of lightness along rows keep what is narrower than their kernel, dark or bright.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32

from image_core.colour import srgb_to_oklab
from image_core.compositing import bounding_box
from image_core.types import Image

Region = Bool[np.ndarray, "h w"]

KERNEL = 0.15
"""Widest support, as a share of the thing's size (the square root of its box's area)."""

REACH = 0.35
"""How far below the thing a support may end, as a share of the thing's size."""

LARGEST = 0.05
"""Largest support, as a share of the thing's area."""

_CONTRAST = 0.12
_OVERHANG = 0.03
_MOST = 8


def with_supports(image: Image, inside: Region) -> Region:
    """Add to a region the thin things that it stands on.

    A support is darker or brighter than what is on both sides of it, starts at the region's lower
    outline, runs downwards and *ends* within reach: a seam of the floor, a shadow's edge or a pole
    that only passes by do not. When more is found than a thing has legs, nothing is added.

    Args:
        image: The picture.
        inside: The thing's region.

    Returns:
        The region with its supports; the region itself when there are none.
    """
    box = bounding_box(inside)
    if box is None:
        return inside
    x0, y0, x1, y1 = box
    size = float(np.sqrt((x1 - x0) * (y1 - y0)))
    kernel = round(KERNEL * size)
    if kernel < 5:
        return inside
    overhang, reach = max(1, round(_OVERHANG * (x1 - x0))), round(REACH * size)
    # a kernel more on each side, for what lies beside a support; a row more below the reach, where
    # what goes on betrays itself
    left, right = max(0, x0 - overhang - kernel), min(inside.shape[1], x1 + overhang + kernel)
    top, bottom = (y0 + y1) // 2, min(inside.shape[0], y1 + reach + 2)
    window = (slice(top, bottom), slice(left, right))
    region = inside[window]
    lightness = srgb_to_oklab(np.clip(image[window], 0, 1).astype(np.float32))[..., 0]
    lightness = cv2.medianBlur(np.ascontiguousarray(lightness, dtype=np.float32), 3)
    below = _below(region, overhang)
    below[:, : max(0, x0 - overhang - left)] = False
    below[:, x1 + overhang - left :] = False
    found: list[Region] = []
    for response in hats(lightness, region, kernel):
        found += _supports(response, region, below, size, kernel, y1 + reach - top)
    largest = LARGEST * np.count_nonzero(inside)
    found = [part for part in found if np.count_nonzero(part) < largest]
    if not found or len(found) > _MOST:
        return inside
    result = inside.copy()
    result[window] |= np.logical_or.reduce(found)
    return result


def hats(
    lightness: Float32[np.ndarray, "h w"], region: Region, kernel: int
) -> tuple[Float[np.ndarray, "h w"], Float[np.ndarray, "h w"]]:
    """Return how much darker, and how much brighter, narrow things are than both their sides.

    Args:
        lightness: OKLab L.
        region: The thing; it counts as neither dark nor bright, so that its own edge is no side.
        kernel: Things narrower than this, in pixels along a row, respond.
    """
    row = np.ones((1, kernel), np.uint8)
    # inside the region no maximum and no minimum may be found
    low, high = np.where(region, -1, lightness), np.where(region, 2, lightness)
    closing = cv2.erode(cv2.dilate(low, row), row)
    opening = cv2.dilate(cv2.erode(high, row), row)
    outside = ~region
    dark = np.where(outside & (closing >= 0), closing - lightness, 0)
    bright = np.where(outside & (opening <= 1), lightness - opening, 0)
    return np.maximum(dark, 0), np.maximum(bright, 0)


def _below(region: Region, overhang: int) -> Region:
    """Return the pixels below the region's lower outline, some pixels beyond its sides too."""
    wide = cv2.dilate(region.astype(np.uint8), np.ones((1, 2 * overhang + 1), np.uint8)) > 0
    return np.asarray(np.logical_or.accumulate(wide, axis=0) & ~region)


def _supports(
    response: Float[np.ndarray, "h w"],
    region: Region,
    below: Region,
    size: float,
    kernel: int,
    last: int,
) -> list[Region]:
    """Return the narrow things that start at the region and end above row ``last``."""
    near = max(2, round(0.015 * size))
    block = np.ones((2 * near + 1, 2 * near + 1), np.uint8)
    rim = cv2.dilate(region.astype(np.uint8), block) > 0
    count, labels = cv2.connectedComponents((response > _CONTRAST).astype(np.uint8))
    found = []
    for label in range(1, count):
        part = labels == label
        print(label, part.sum(), (part&rim).any(), np.argwhere(part).min(0), np.argwhere(part).max(0)) if part.sum()>20 else 0
    return found
