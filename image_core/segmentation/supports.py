"""What a thing stands on: legs, stems and posts, thin and of another colour than the thing.

"The yellow chair" is found by its yellow; who removes it wants its black legs gone too. Legs are
found by morphology (J. Serra, "Image Analysis and Mathematical Morphology", 1982): the black-hat
and the top-hat of lightness along rows keep what is narrower than their kernel, dark or bright.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32

from image_core.colour import srgb_to_oklab
from image_core.compositing import bounding_box
from image_core.types import Image

Region = Bool[np.ndarray, "h w"]

KERNEL = 0.15
"""Widest support, as a share of the thing's size (the square root of its box's area)."""

REACH = 0.5
"""How far below the thing a support may end, as a share of the thing's size."""

LARGEST = 0.05
"""Largest support, as a share of the thing's area."""

_CONTRAST = 0.12
_OVERHANG = 0.03
_TALL = 1.3
_ENDS, _HARDLY_ENDS = 0.35, 0.15
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
    if kernel < 5 or (x0 == 0 and x1 == inside.shape[1]):  # tiny; sky, sea or ground
        return inside
    overhang, reach = max(1, round(_OVERHANG * (x1 - x0))), round(REACH * size)
    # a kernel more on each side and below, for what lies beside a support and under its foot
    left, right = max(0, x0 - overhang - kernel), min(inside.shape[1], x1 + overhang + kernel)
    top, bottom = (y0 + y1) // 2, min(inside.shape[0], y1 + reach + 2 + kernel)
    window = (slice(top, bottom), slice(left, right))
    region = inside[window]
    lightness = srgb_to_oklab(np.clip(image[window], 0, 1).astype(np.float32))[..., 0]
    lightness = cv2.medianBlur(np.ascontiguousarray(lightness, dtype=np.float32), 3)
    below = _below(region, overhang)
    below[:, : max(0, x0 - overhang - left)] = False
    below[:, x1 + overhang - left :] = False
    found = [
        part
        for response in hats(lightness, region, kernel)
        for part in _supports(lightness, response, region, below, size, kernel, y1 - top, reach)
    ]
    largest = LARGEST * np.count_nonzero(inside)
    found = _apart(_sure([part for part in found if part.mask.sum() < largest]), size)
    if not found or len(found) > _MOST:
        return inside
    result = inside.copy()
    result[window] |= np.logical_or.reduce([part.mask for part in found])
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


@dataclass(frozen=True, kw_only=True)
class _Part:
    """One support, maybe.

    Attributes:
        mask: Its pixels.
        across: How many pixels wide it is on average.
        lightness: Its median OKLab L.
        ends: How far that differs from what lies under its foot, as a share of how far it differs
            from what is on both sides of it.
    """

    mask: Region
    across: float
    lightness: float
    ends: float


def _sure(parts: list[_Part]) -> list[_Part]:
    """Keep what clearly ends, and what ends less clearly but is of the same make.

    The foot of one leg may stand on its shadow or on a seam; legs of one thing look alike.
    """
    sure = [part for part in parts if part.ends > _ENDS]
    return [
        part
        for part in parts
        if part.ends > _ENDS
        or any(
            abs(part.lightness - other.lightness) < _CONTRAST
            and 0.5 < part.across / other.across < 2
            for other in sure
        )
    ]


def _apart(parts: list[_Part], size: float) -> list[_Part]:
    """Leave out what lies beside a narrower part: between two dark legs is a bright gap."""
    near = max(1, round(0.01 * size))
    block = np.ones((1, 2 * near + 1), np.uint8)
    kept: list[_Part] = []
    for part in sorted(parts, key=lambda part: part.across):
        wide = cv2.dilate(part.mask.astype(np.uint8), block) > 0
        if not any((wide & other.mask).any() for other in kept):
            kept.append(part)
    return kept


def _supports(
    lightness: Float32[np.ndarray, "h w"],
    response: Float[np.ndarray, "h w"],
    region: Region,
    below: Region,
    size: float,
    kernel: int,
    ground: int,
    reach: int,
) -> list[_Part]:
    """Return the narrow things that start at the region and end below it, within reach.

    Args:
        lightness: OKLab L.
        response: One of the ``hats``.
        region: The thing.
        below: Where supports may lie.
        size: The thing's size.
        kernel: Of the hats.
        ground: The first row below the region.
        reach: How far below it a support may end.
    """
    near = max(2, round(0.015 * size))
    block = np.ones((2 * near + 1, 2 * near + 1), np.uint8)
    rim = cv2.dilate(region.astype(np.uint8), block) > 0
    found = []
    for rough in _components(response > _CONTRAST, rim):
        # what hangs on to a support more faintly, its shadow or a seam, is none of it
        strength = float(np.percentile(response[rough], 90))
        clear = rough & (response > 0.5 * strength)
        # an edge of shadow right under the thing may tie a support to others: cut it off
        column = np.ones((2 * near + 1, 1), np.uint8)
        clear = cv2.morphologyEx(clear.astype(np.uint8), cv2.MORPH_OPEN, column) > 0
        for mask in _components(clear, rim):
            rows = np.flatnonzero(mask.any(axis=1))
            height = int(rows[-1]) + 1 - int(rows[0])
            across = np.count_nonzero(mask) / height
            if (
                height >= max(_TALL * across, 3 * near)
                and across <= kernel / 2
                and ground + near <= rows[-1] < ground + reach
                and below[mask].mean() > 0.9
                and (mask & rim).sum() < 0.5 * mask.sum()
            ):
                tone = float(np.median(lightness[mask]))
                ends = abs(_under(lightness, mask, size, tone) - tone) / strength
                if ends > _HARDLY_ENDS:
                    found.append(_Part(mask=mask, across=across, lightness=tone, ends=ends))
    return found


def _components(mask: Region, rim: Region) -> list[Region]:
    """Return the connected parts of a mask that touch the rim."""
    labels = cv2.connectedComponents(mask.astype(np.uint8))[1]
    return [labels == label for label in np.unique(labels[rim & mask]) if label > 0]


def _under(
    lightness: Float32[np.ndarray, "h w"], mask: Region, size: float, default: float
) -> float:
    """Return the lightness under a part's foot; the default when nothing is seen there.

    A seam of the floor, or the floor between two legs, is narrow too, but goes on.
    """
    rows, columns = np.nonzero(mask)
    last = int(rows.max())
    foot = columns[rows > last - 3]
    start = last + 1 + max(1, round(0.01 * size))
    beneath = lightness[start : start + max(3, round(0.04 * size)), foot.min() : foot.max() + 1]
    return float(np.median(beneath)) if beneath.shape[0] >= 3 else default
