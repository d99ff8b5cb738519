"""What an edited picture is worth beside the true edit: regions, errors, success."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from image_core.types import Image, Mask
from pocket.flat.success import expectation, success
from pocket.scoring.cases import ScoredCase

_LEAST_ERROR = 1e-10  # mean squared; a picture that is exact has 100 dB, not infinity


@dataclass(frozen=True, kw_only=True)
class Measures:
    """What was measured of one edit; None where it has no meaning for it.

    Attributes:
        right: All that was asked for is there, and nothing else: strictly, without learning.
        objects: The objects alone are right; the ground or pattern may not be.
        found_iou: The region that was found for the phrase, against what the phrase names.
        region_iou: The region that was edited, against where the true edit differs; unless it was
            given.
        inside_mae: Mean absolute error to the true edit where that differs from the source, in
            [0, 1].
        inside_psnr: The same as a ratio to the peak, in decibels.
        outside_mae: Mean absolute change where the true edit changes nothing.
    """

    right: bool
    objects: bool
    found_iou: float | None = None
    region_iou: float | None = None
    inside_mae: float | None = None
    inside_psnr: float | None = None
    outside_mae: float | None = None


def overlap(one: Bool[np.ndarray, "h w"], other: Bool[np.ndarray, "h w"]) -> float:
    """Return the intersection over the union; 0 where both are empty."""
    return float((one & other).sum() / max(1, (one | other).sum()))


def region_overlap(region: Mask, truth: Mask) -> float:
    """Return the overlap of what two masks cover by half or more."""
    return overlap(region >= 0.5, truth >= 0.5)


def measured(
    case: ScoredCase,
    picture: Image,
    *,
    found: Mask | None = None,
    region: Mask | None = None,
    placed: bool = False,
) -> Measures:
    """Measure one edit.

    An addition may lie anywhere on its side, so nothing is compared with where the truth has it,
    unless its place was given.

    Args:
        case: What was asked for, and the truth.
        picture: What was made, on the grid of 8 bits.
        found: What the phrase led to, before it was grown for the edit.
        region: What was edited.
        placed: The true region was given.
    """
    verdict = success(picture, expectation(case.case))
    if case.case.task == "add" and not placed:
        return Measures(right=verdict.right, objects=verdict.objects)
    inside = case.changed > 0
    apart = picture - case.truth
    square = float((apart[inside] ** 2).mean())
    outside = ~inside
    return Measures(
        right=verdict.right,
        objects=verdict.objects,
        found_iou=None if found is None else region_overlap(found, case.target),
        region_iou=None if region is None or placed else region_overlap(region, case.changed),
        inside_mae=float(np.abs(apart[inside]).mean()),
        inside_psnr=float(-10 * np.log10(max(square, _LEAST_ERROR))),
        # outside, the truth is the source, to the last bit
        outside_mae=float(np.abs(apart[outside]).mean()) if outside.any() else None,
    )
