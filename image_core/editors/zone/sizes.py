"""The size at which the released code works: scaled down to 512, then padded with black.

Only the recipe ``paper-code`` works so; the other cuts and scales as all generative editors do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8
from PIL import Image as PillowImage

from image_core.errors import InvalidInput

LONGEST = 512
"""Pixels of the longer side; a smaller picture keeps its size."""

MULTIPLE = 32
"""Both padded sides are divisible by this: a cell of the attention maps that are read."""


@dataclass(frozen=True, kw_only=True)
class PaddedPlan:
    """How a picture is scaled and padded.

    Attributes:
        scaled: Height and width of its content.
        size: Height and width with the padding.
        box: XYXY half-open box of the content in the padded picture.
    """

    scaled: tuple[int, int]
    size: tuple[int, int]
    box: tuple[int, int, int, int]


def padded_plan(height: int, width: int) -> PaddedPlan:
    """Plan a picture's size: the longer side at most 512, the other rounded down, padding centred.

    Args:
        height: Of the picture, in pixels.
        width: Of the picture, in pixels.

    Raises:
        InvalidInput: The picture has no pixel.
    """
    if height < 1 or width < 1:
        raise InvalidInput(f"a picture of {width}x{height} pixels holds nothing")
    longest = max(height, width)
    scaled = (height, width)
    if longest > LONGEST:
        scaled = (max(1, height * LONGEST // longest), max(1, width * LONGEST // longest))
    size = (_padded_side(scaled[0]), _padded_side(scaled[1]))
    top, left = (size[0] - scaled[0]) // 2, (size[1] - scaled[1]) // 2
    return PaddedPlan(scaled=scaled, size=size, box=(left, top, left + scaled[1], top + scaled[0]))


def padded(picture: UInt8[np.ndarray, "h w 3"], plan: PaddedPlan) -> UInt8[np.ndarray, "h2 w2 3"]:
    """Scale a picture bicubically and pad it with black as planned."""
    x0, y0, x1, y1 = plan.box
    content = picture
    if picture.shape[:2] != plan.scaled:
        small = PillowImage.fromarray(picture).resize(
            plan.scaled[::-1], PillowImage.Resampling.BICUBIC
        )
        content = np.asarray(small, np.uint8)
    framed = np.zeros((*plan.size, 3), np.uint8)
    framed[y0:y1, x0:x1] = content
    return framed


def content_of(
    picture: UInt8[np.ndarray, "h w *c"], plan: PaddedPlan
) -> UInt8[np.ndarray, "h2 w2 *c"]:
    """Cut the padding off a picture or a mask again."""
    x0, y0, x1, y1 = plan.box
    return picture[y0:y1, x0:x1]


def _padded_side(side: int) -> int:
    return -(-side // MULTIPLE) * MULTIPLE
