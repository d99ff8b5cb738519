"""Cutting the thing that a box holds."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from image_core.compositing import bounding_box
from image_core.segmentation.cut import (
    INSIDE,
    MAYBE_INSIDE,
    MAYBE_OUTSIDE,
    OUTSIDE,
    grab_cut,
    without_specks,
)
from image_core.types import Box, Image

Window = tuple[int, int, int, int]

_TIGHT = 0.5  # a cut that fills its box so far is taken without trying further guesses
_CORE = 0.45  # of the way from the middle to the sides: surely inside, if anything is
_HELD = 0.8  # what grows from there must fill the box so far, or nothing has told it apart
_LEAST_CONTEXT = 0.04
_CLEARLY = 0.15  # a later guess must fill it better by so much


def whole_pixels(box: Box, height: int, width: int) -> Window | None:
    """Round a box to whole pixels of the picture; None when nothing of it lies inside."""
    if not np.isfinite(box).all():
        return None
    x0, y0 = max(0, int(np.floor(box[0]))), max(0, int(np.floor(box[1])))
    x1, y1 = min(width, int(np.ceil(box[2]))), min(height, int(np.ceil(box[3])))
    return (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None


def with_context(box: Window, share: float, height: int, width: int) -> Window:
    """Grow a box within the picture by ``share`` of its sides, at least by 2 pixels."""
    x0, y0, x1, y1 = box
    dx, dy = max(2, round((x1 - x0) * share)), max(2, round((y1 - y0) * share))
    return max(0, x0 - dx), max(0, y0 - dy), min(width, x1 + dx), min(height, y1 + dy)


def reduced(picture: Image, side: int) -> Image:
    """Reduce a picture so that its longer side is at most ``side``."""
    height, width = picture.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return picture
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.float32)


def in_bytes(picture: Image) -> UInt8[np.ndarray, "h w 3"]:
    """Return a picture in 8 bits; what is not a number becomes black."""
    return np.asarray(np.rint(np.clip(np.nan_to_num(picture), 0, 1) * 255), dtype=np.uint8)


def resized_mask(
    mask: Bool[np.ndarray, "h w"], height: int, width: int
) -> Bool[np.ndarray, "h2 w2"]:
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
    first guess of the inside, its corners of the outside. Where that leads to something that does
    not fill the box, the whole box and its rim (frames, rings) are tried as well, and the cut that
    fills it best is taken. A box around (nearly) the whole picture leaves nothing that is surely
    outside: no cut is tried.

    Args:
        crop: The box with its surroundings.
        box: Its sides in pixels of the crop.

    Returns:
        None when the colours cannot be told apart, or nothing lies outside the box.
    """
    within, across, down = _from_the_middle(crop, box)
    if np.count_nonzero(~within) < _LEAST_CONTEXT * within.size:
        return None
    guesses = (
        within & (across**2 + down**2 <= 1),
        within,
        within & (np.maximum(np.abs(across), np.abs(down)) > 0.75),
    )
    best, tightest = None, 0.0
    for guess in guesses:
        labels = np.where(guess, MAYBE_INSIDE, MAYBE_OUTSIDE).astype(np.uint8)
        labels[~within] = OUTSIDE
        cut = grab_cut(crop, labels)
        if cut is None or not cut.any():
            continue
        tidy = without_specks(cut)
        fit = tightness(tidy, box)
        if fit > tightest + _CLEARLY:
            best, tightest = tidy, fit
        if tightest > _TIGHT:
            break
    return best


def cut_around_core(
    crop: UInt8[np.ndarray, "h w 3"], box: tuple[float, float, float, float]
) -> Bool[np.ndarray, "h w"] | None:
    """Cut what a box holds when its colours also lie around it, as a fox's do on brown wood.

    Then ``cut_in_box`` ends with next to nothing. The middle of the box is held to be inside here;
    only what grows from there to the box's sides is taken.

    Args:
        crop: The box with its surroundings.
        box: Its sides in pixels of the crop.
    """
    within, across, down = _from_the_middle(crop, box)
    radius = np.hypot(across, down)
    labels = np.where(within & (radius <= 1), MAYBE_INSIDE, MAYBE_OUTSIDE).astype(np.uint8)
    labels[~within] = OUTSIDE
    labels[radius < _CORE] = INSIDE
    cut = grab_cut(crop, labels)
    if cut is None or not cut.any():
        return None
    tidy = without_specks(cut)
    return tidy if tightness(tidy, box) >= _HELD else None


def _from_the_middle(
    crop: UInt8[np.ndarray, "h w 3"], box: tuple[float, float, float, float]
) -> tuple[Bool[np.ndarray, "h w"], Float[np.ndarray, "h w"], Float[np.ndarray, "h w"]]:
    """Return what lies in a box, and how far each pixel is from its middle: 1 at the sides."""
    rows, columns = np.mgrid[: crop.shape[0], : crop.shape[1]] + 0.5
    x0, y0, x1, y1 = box
    within = (columns > x0) & (columns < x1) & (rows > y0) & (rows < y1)
    across = (2 * columns - x0 - x1) / max(1.0, x1 - x0)
    down = (2 * rows - y0 - y1) / max(1.0, y1 - y0)
    return within, across, down


def tightness(mask: Bool[np.ndarray, "h w"], box: tuple[float, float, float, float]) -> float:
    """Return the overlap of a mask's own box with the box that it was cut from.

    V. Lempitsky et al., "Image segmentation with a bounding box prior", ICCV 2009: a person draws
    a box to touch its thing on all four sides.
    """
    bounds = bounding_box(mask)
    if bounds is None:
        return 0.0
    held = (bounds[2] - bounds[0]) * (bounds[3] - bounds[1])
    area = max(1e-9, (box[2] - box[0]) * (box[3] - box[1]))
    return float(min(held / area, area / held))
