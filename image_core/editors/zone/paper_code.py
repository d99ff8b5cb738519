"""Region choice, smoother and composite as ZONE's released code has them, for comparison.

S. Li et al., "ZONE: Zero-Shot Instruction-Guided Local Editing", CVPR 2024. The numbers and the
oddities are the code's: areas weighted by their label, a filter that is off centre on all but
square pictures, colour weights the wrong way round, sums that wrap at 256, a half-blended inside.
One thing is not: where no segment overlaps the code ends in an error, here the rough region stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float64, UInt8
from scipy import ndimage

from image_core.editors.zone.actions.labels import Action
from image_core.editors.zone.segments import RegionChoice, check_sizes
from image_core.types import Mask

Inside = Bool[np.ndarray, "h w"]
Picture = UInt8[np.ndarray, "h w 3"]

LEAST_AREA = 64
"""Under this a connected part is removed; the code multiplies its area by its number."""

DILATIONS = 4
"""By a 3x3 square each: 9x9 in all."""

PASSED_RADIUS = 200
"""Of the disc of frequencies that pass, in bins of the transform."""

DIFFERENCE = 30
"""Of 255: from here on layer and original differ."""

CLOSING = 21
"""Side of the square that closes the map of differences."""

STYLED_SHARE = 0.6
"""Of the layer on the edge set; the rest is the original's."""


def cleaned(inside: Inside) -> Inside:
    """Remove parts whose area times their number, counted row by row from 1, is under 64.

    With a part goes its whole bounding box, whatever else lies in it.
    """
    labels, _ = ndimage.label(inside)
    kept = inside.copy()
    for number, window in enumerate(ndimage.find_objects(labels), start=1):
        if number * int(np.count_nonzero(labels[window] == number)) < LEAST_AREA:
            kept[window] = False
    return kept


def region_by_iou(segments: Sequence[Mask], rough: Inside) -> RegionChoice:
    """Choose the one segment with the largest intersection over union, the first of equal ones.

    Where none overlaps, or nothing of it survives the cleaning, the rough region stays; the
    released code ends in an error there.

    Args:
        segments: Hard segments of the rough region's size.
        rough: The rough region, not cleaned yet.

    Raises:
        InvalidInput: A segment has another size than the rough region.
    """
    check_sizes(segments, rough.astype(np.float32))
    tidy = cleaned(rough)
    overlaps = [_iou(segment > 0, tidy) for segment in segments]
    best = int(np.argmax(overlaps)) if overlaps else 0
    region = cleaned(segments[best] > 0) if overlaps and overlaps[best] > 0 else tidy & False
    if region.any():
        return RegionChoice(
            alpha=region.astype(np.float32),
            score=overlaps[best],
            chosen=(best,),
            reason=f"segment {best + 1} of {len(segments)} overlaps most: {overlaps[best]:.2f}",
        )
    # what the cleaning would leave of a small region may be nothing at all
    stays = tidy if tidy.any() else rough
    reason = f"the rough region stays: none of {len(segments)} segments overlaps it"
    if not rough.any():
        reason = "the rough region is empty"
    elif overlaps and overlaps[best] > 0:
        reason = "the rough region stays: the cleaning leaves nothing of the best segment"
    return RegionChoice(alpha=stays.astype(np.float32), score=0.0, chosen=(), reason=reason)


def widened(region: Inside) -> Inside:
    """Return m+, the region dilated by 9x9."""
    square = np.ones((3, 3), np.uint8)
    return np.asarray(cv2.dilate(region.astype(np.uint8), square, iterations=DILATIONS) > 0)


def pasted(original: Picture, styled: Picture, region: Inside, action: Action) -> Picture:
    """Return the composite without the smoother: on m, for removals on m+."""
    where = widened(region) if action == "remove" else region
    return np.where(where[..., None], styled, original)


@dataclass(frozen=True, kw_only=True)
class Smoothed:
    """What the released code's smoother makes.

    Attributes:
        image: The composite.
        differs: e, where layer and original differ, closed and filled.
        edge: X, where both are blended: e without m, and by a wrapped subtraction m without e too.
        alpha: The layer's weight: 1 on e and m, ``STYLED_SHARE`` on X, 0 elsewhere. The composite's
            samples are rounded down.
    """

    image: Picture
    differs: Inside
    edge: Inside
    alpha: Mask


def smoothed(original: Picture, styled: Picture, region: Inside) -> Smoothed:
    """Composite a styled picture with the smoother, which is the same for every action.

    Args:
        original: The source, sRGB.
        styled: What the network made of it, of the same size.
        region: m, from ``region_by_iou``.
    """
    near = widened(region)[..., None]
    difference = _low_passed_difference(_grey(styled * near), _grey(original * near))
    differs = _filled(_closed(in_8_bits(difference) > DIFFERENCE))
    edge = differs ^ region
    half = (STYLED_SHARE * styled + (1 - STYLED_SHARE) * original).astype(np.uint8)
    image = np.where((differs & region)[..., None], styled, original)
    image = np.where(edge[..., None], half, image)
    alpha = np.where(differs & region, 1, np.where(edge, STYLED_SHARE, 0)).astype(np.float32)
    return Smoothed(image=image, differs=differs, edge=edge, alpha=alpha)


def _iou(first: Inside, second: Inside) -> float:
    either = int(np.count_nonzero(first | second))
    return int(np.count_nonzero(first & second)) / either if either else 0.0


def _grey(picture: Picture) -> UInt8[np.ndarray, "h w"]:
    """Return 0.299 B + 0.587 G + 0.114 R: the code reads blue as red and red as blue."""
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY))


def passed_frequencies(height: int, width: int) -> Bool[np.ndarray, "h w"]:
    """Return the disc that passes, in a transform whose zero lies at (h // 2, w // 2).

    The code swaps rows and columns: the disc's centre is at row w // 2, column h // 2.
    """
    rows, columns = np.ogrid[:height, :width]
    return np.asarray((rows - width // 2) ** 2 + (columns - height // 2) ** 2 <= PASSED_RADIUS**2)


def in_8_bits(values: Float64[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w"]:
    """Cut the fraction off and keep eight bits: 256 is 0 again."""
    return np.asarray(np.floor(values).astype(np.int64).astype(np.uint8))


def _low_passed_difference(
    styled: UInt8[np.ndarray, "h w"], original: UInt8[np.ndarray, "h w"]
) -> Float64[np.ndarray, "h w"]:
    passed = passed_frequencies(*styled.shape)
    spectrum = np.fft.fftshift(np.fft.fft2(styled)) * passed
    spectrum = spectrum - np.fft.fftshift(np.fft.fft2(original)) * passed
    return np.asarray(np.abs(np.fft.ifft2(np.fft.ifftshift(spectrum))))


def _closed(inside: Inside) -> UInt8[np.ndarray, "h w"]:
    square = np.ones((CLOSING, CLOSING), np.uint8)
    return np.asarray(cv2.morphologyEx(inside.astype(np.uint8), cv2.MORPH_CLOSE, square))


def _filled(inside: UInt8[np.ndarray, "h w"]) -> Inside:
    outlines, _ = cv2.findContours(inside, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    filled = np.zeros_like(inside)
    cv2.drawContours(filled, outlines, -1, (1,), cv2.FILLED)
    return np.asarray(filled > 0)
