"""The region in the user's hand: a mask, boxes or points, checked and cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from image_core.compositing import feather_inwards, union
from image_core.errors import InvalidInput, TargetNotFound
from image_core.seams import Segmenter
from image_core.types import Box, Detection, Image, Region, RegionHint


def check_hint(hint: RegionHint, *, width: int, height: int) -> None:
    """Refuse a hint that does not fit a picture of this size.

    Raises:
        InvalidInput: An empty box or mask, a mask of another size, or a point outside.
    """
    for box in hint.boxes:
        x0, y0, x1, y1 = box
        if not all(np.isfinite(box)) or x1 <= x0 or y1 <= y0:
            raise InvalidInput(f"the box {_numbers(box)} is empty", hint="A box is X0 Y0 X1 Y1.")
        if x0 >= width or y0 >= height or x1 <= 0 or y1 <= 0:
            raise InvalidInput(f"the box {_numbers(box)} lies outside the {width}x{height} picture")
    for point in (*hint.points, *hint.not_points):
        if not (0 <= point[0] < width and 0 <= point[1] < height):
            raise InvalidInput(
                f"the point {_numbers(point)} lies outside the {width}x{height} picture"
            )
    if hint.not_points and not (hint.points or hint.boxes or hint.mask is not None):
        raise InvalidInput(
            "a point outside the thing alone does not tell where it is", hint="Add --point X Y."
        )
    if hint.mask is not None and hint.mask.shape != (height, width):
        mask_height, mask_width = hint.mask.shape
        raise InvalidInput(
            f"the mask is {mask_width}x{mask_height}, the picture {width}x{height}",
            hint="A mask has the size of the upright picture.",
        )
    if hint.mask is not None and not (hint.mask > 0).any():
        raise InvalidInput("the mask is empty: no pixel of it is above 0")


def _clipped(box: Box, width: int, height: int) -> Box:
    x0, y0, x1, y1 = box
    return max(0.0, x0), max(0.0, y0), min(float(width), x1), min(float(height), y1)


def _numbers(values: Sequence[float]) -> str:
    return " ".join(f"{value:g}" for value in values)


def region_of_hint(image: Image, hint: RegionHint, segmenter: Segmenter) -> Region:
    """Cut what the user points at; several pointers are joined.

    Raises:
        InvalidInput: The hint does not fit the picture.
        TargetNotFound: Nothing can be cut out there.
    """
    check_hint(hint, width=image.shape[1], height=image.shape[0])
    height, width = image.shape[:2]
    regions = []
    if hint.mask is not None:
        regions.append(_from_mask(image, hint, segmenter))
    for box in hint.boxes:
        detection = Detection(
            box=_clipped(box, width, height),
            not_points=hint.not_points,
            evidence="the given box",
        )
        cut = segmenter.segment([image], [[detection]])[0]
        if not cut:
            raise TargetNotFound(
                f"nothing could be cut out of the box {_numbers(box)}",
                hint="Draw the box a little around one thing, or give --mask FILE.",
            )
        regions += cut
    if hint.points:
        detection = Detection(
            box=None, points=hint.points, not_points=hint.not_points, evidence="the given point"
        )
        cut = segmenter.segment([image], [[detection]])[0]
        if not cut:
            raise TargetNotFound(
                "the point leads to no clear region", hint="A --box around the thing is surer."
            )
        regions += cut
    return Region(
        alpha=union([region.alpha for region in regions]),
        confidence=min(region.confidence for region in regions),
        evidence="; ".join(dict.fromkeys(region.evidence for region in regions)),
    )


def _from_mask(image: Image, hint: RegionHint, segmenter: Segmenter) -> Region:
    assert hint.mask is not None
    if hint.refine:
        cut = segmenter.segment([image], [[Detection(box=None, mask=hint.mask)]])[0]
        if not cut:
            raise TargetNotFound("the mask could not be refined", hint="Leave --refine away.")
        return replace(cut[0], evidence="the given mask, refined")
    alpha = feather_inwards(hint.mask, hint.feather)
    return Region(alpha=alpha, evidence="the given mask")
