"""Laying an edit into a picture so that everything outside stays bit for bit.

Selection, never multiplication: a sample outside the support is *copied*, so a NaN or an infinity
inside cannot leak out, and no rounding touches it.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Shaped

from image_core.distances import distance_within
from image_core.types import Box, Image, Mask

FEATHER = 2
"""Width in pixels over which a hard mask's alpha rises, inside it."""


def support(alpha: Mask) -> Bool[np.ndarray, "h w"]:
    """Return where an edit may write: alpha above 0."""
    return np.asarray(alpha > 0)


def bounding_box(inside: Bool[np.ndarray, "h w"]) -> tuple[int, int, int, int] | None:
    """Return the XYXY half-open box of the True pixels, or None when there is none."""
    columns = np.flatnonzero(inside.any(axis=0))
    rows = np.flatnonzero(inside.any(axis=1))
    if columns.size == 0:
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def window_of(alpha: Mask) -> tuple[slice, slice] | None:
    """Return the rows and columns of an alpha's support, or None when it is empty."""
    box = bounding_box(support(alpha))
    return None if box is None else (slice(box[1], box[3]), slice(box[0], box[2]))


def grown_box(
    box: tuple[int, int, int, int], margin: int, height: int, width: int
) -> tuple[int, int, int, int]:
    """Grow a box by ``margin`` pixels on each side, clipped to the picture."""
    x0, y0, x1, y1 = box
    return (
        max(0, x0 - margin),
        max(0, y0 - margin),
        min(width, x1 + margin),
        min(height, y1 + margin),
    )


def box_alpha(box: Box, height: int, width: int, feather: int = FEATHER) -> Mask:
    """Return a box as a region, feathered inwards; pixels that it covers at all belong to it."""
    x0, y0, x1, y1 = box
    alpha = np.zeros((height, width), np.float32)
    rows = slice(max(0, int(np.floor(y0))), max(0, int(np.ceil(y1))))
    alpha[rows, max(0, int(np.floor(x0))) : max(0, int(np.ceil(x1)))] = 1
    return feather_inwards(alpha, feather)


def dilated(inside: Bool[np.ndarray, "h w"], radius: int) -> Bool[np.ndarray, "h w"]:
    """Grow a region by a disc of ``radius`` pixels."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return np.asarray(cv2.dilate(inside.astype(np.uint8), disc) > 0)


def feather_inwards(mask: Mask, width: int = FEATHER) -> Mask:
    """Let a mask's alpha rise over ``width`` pixels inside its border; its support stays the same.

    The picture's own border is no edge: a mask that touches it is not feathered there.
    """
    box = bounding_box(support(mask))
    if width <= 0 or box is None:
        return mask
    x0, y0, x1, y1 = grown_box(box, 1, *mask.shape)
    window = (slice(y0, y1), slice(x0, x1))
    padded = np.pad(support(mask[window]), 1, mode="edge")
    distance = distance_within(padded)[1:-1, 1:-1]
    feathered = np.zeros_like(mask)
    feathered[window] = np.minimum(mask[window], np.clip(distance / (width + 1), 0, 1))
    return feathered


def hole(alpha: Mask, *, grow: bool) -> Mask:
    """Return the hole that removing a region leaves: all of its support, with full weight.

    A soft edge would blend the removed thing's rim back in. Grown by 1 % of the region's size
    (3 to 7 px), the hole also swallows contact shadows and small errors of the outline.

    Args:
        alpha: The region.
        grow: Whether it may grow; a mask in the user's hand may not.
    """
    inside = support(alpha)
    box = bounding_box(inside)
    if grow and box is not None:
        size = ((box[2] - box[0]) * (box[3] - box[1])) ** 0.5
        inside = dilated(inside, int(np.clip(round(0.01 * size), 3, 7)))
    return np.asarray(inside, np.float32)


def on_8_bit_grid(alpha: Mask) -> Mask:
    """Round an alpha to 1/255 steps, never to 0, so that an 8-bit file holds it exactly."""
    rounded = np.zeros_like(alpha)
    window = window_of(alpha)
    if window is not None:
        part = alpha[window]
        steps = np.maximum(np.rint(np.clip(part, 0, 1) * 255), 1) / np.float32(255)
        rounded[window] = np.where(part > 0, steps, 0)
    return rounded


def union(alphas: Sequence[Mask]) -> Mask:
    """Return the pointwise maximum of one or more alphas of the same size."""
    joined = alphas[0]
    for alpha in alphas[1:]:
        joined = np.maximum(joined, alpha)
    return joined


def composite(
    base: Float32[np.ndarray, "h w *c"], edited: Float32[np.ndarray, "h w *c"], alpha: Mask
) -> Float32[np.ndarray, "h w *c"]:
    """Blend ``edited`` over ``base`` where alpha is above 0; elsewhere copy ``base``."""
    result = base.copy()
    window = window_of(alpha)
    if window is None:
        return result
    weight = alpha[window].reshape(*alpha[window].shape, *(1,) * (base.ndim - 2))
    with np.errstate(invalid="ignore"):  # NaN and infinity stay where they are
        blended = base[window] + weight * (edited[window] - base[window])
    # at full weight the edit itself, not base + (edit - base), which rounds
    np.copyto(blended, edited[window], where=weight >= 1)
    np.copyto(result[window], blended, where=weight > 0)
    return result


def composite_native(
    native: Shaped[np.ndarray, "h w c"],
    result: Float32[np.ndarray, "h w c"],
    inside: Bool[np.ndarray, "h w"],
) -> Shaped[np.ndarray, "h w c"]:
    """Write a finished picture's samples into a file's integer array, inside only.

    Args:
        native: uint8 or uint16 samples.
        result: The composited picture in [0, 1] (``composite`` has blended already).
        inside: Where samples may be written.

    Returns:
        A new array of ``native``'s type, equal to it wherever ``inside`` is False.
    """
    box = bounding_box(inside)
    written = native.copy()
    if box is None:
        return written
    x0, y0, x1, y1 = box
    window = (slice(y0, y1), slice(x0, x1))
    top = np.float32(np.iinfo(native.dtype).max)
    samples = np.rint(np.clip(np.nan_to_num(result[window]), 0, 1) * top).astype(native.dtype)
    written[window] = np.where(inside[window][..., None], samples, native[window])
    return written


def difference_outside(
    first: Shaped[np.ndarray, "h w *c"],
    second: Shaped[np.ndarray, "h w *c"],
    inside: Bool[np.ndarray, "h w"],
) -> int:
    """Count the samples outside ``inside`` in which two arrays of the same shape differ."""
    unequal = first != second
    return int(np.count_nonzero(unequal[~inside]))


def is_finite_inside(image: Image, alpha: Mask) -> bool:
    """Tell whether every sample in the alpha's support is finite."""
    window = window_of(alpha)
    return window is None or bool(np.isfinite(image[window][support(alpha[window])]).all())
