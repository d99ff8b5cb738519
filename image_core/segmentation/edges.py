"""From a rough outline to an alpha that follows the picture's own edge at full resolution."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from image_core.segmentation.cut import (
    INSIDE,
    MAYBE_INSIDE,
    MAYBE_OUTSIDE,
    OUTSIDE,
    grab_cut,
    without_specks,
)
from image_core.segmentation.guided_filter import guided_filter

_FAINT = 1 / 255


def disc(radius: int) -> UInt8[np.ndarray, "k k"]:
    """Return a round structuring element."""
    size = 2 * radius + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), dtype=np.uint8)


def dilated(mask: Bool[np.ndarray, "h w"], radius: int) -> Bool[np.ndarray, "h w"]:
    """Grow a mask by ``radius`` pixels."""
    return np.asarray(cv2.dilate(mask.astype(np.uint8), disc(radius)) > 0)


def eroded(mask: Bool[np.ndarray, "h w"], radius: int) -> Bool[np.ndarray, "h w"]:
    """Shrink a mask by ``radius`` pixels; the picture's border is no edge."""
    worn = cv2.erode(
        mask.astype(np.uint8), disc(radius), borderType=cv2.BORDER_CONSTANT, borderValue=(1,)
    )
    return np.asarray(worn > 0)


def touching(
    mask: Bool[np.ndarray, "h w"], seed: Bool[np.ndarray, "h w"]
) -> Bool[np.ndarray, "h w"]:
    """Keep the connected parts of a mask that share a pixel with ``seed``."""
    _, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    kept = np.unique(labels[seed & mask])
    return np.asarray(np.isin(labels, kept[kept > 0]))


def snapped(
    picture: UInt8[np.ndarray, "h w 3"],
    mask: Bool[np.ndarray, "h w"],
    band: int,
    *,
    rounds: int = 2,
) -> Bool[np.ndarray, "h w"]:
    """Move a mask's edge onto the picture's within ±``band`` pixels.

    Thin parts, which have no core at this band, stay candidates instead of being lost.
    """
    core, reach = eroded(mask, band), dilated(mask, band)
    labels = np.where(mask, MAYBE_INSIDE, MAYBE_OUTSIDE).astype(np.uint8)
    labels[core] = INSIDE
    labels[~reach] = OUTSIDE
    cut = grab_cut(picture, labels, rounds=rounds)
    if cut is None or not cut.any():
        return mask
    # a small part that the mask had by itself is no speck of the cut
    tidy = without_specks(cut) | (without_specks(cut, speck=0.003) & touching(cut, core))
    return tidy if tidy.any() else mask


def edge_alpha(
    picture: Float32[np.ndarray, "h w 3"],
    mask: Bool[np.ndarray, "h w"],
    *,
    radius: int = 5,
    epsilon: float = 1e-4,
    reach: int = 3,
    subsample: int = 1,
) -> Float32[np.ndarray, "h w"]:
    """Turn a hard mask into an alpha that is soft only near its edge.

    Args:
        picture: The guide, in [0, 1].
        mask: The hard region.
        radius: Window of the guided filter.
        epsilon: Its flatness.
        reach: Alpha is exactly 0 beyond ``reach`` pixels outside the mask and exactly 1 farther
            than ``2 reach`` inside it.
        subsample: See ``guided_filter``.
    """
    if not mask.any() or mask.all():
        return mask.astype(np.float32)
    filtered = guided_filter(picture, mask.astype(np.float32), radius, epsilon, subsample=subsample)
    # a share of the filter's haze is no coverage: stretch it so that both ends are reached
    alpha = np.clip((np.nan_to_num(filtered) - 0.08) / 0.84, 0, 1)
    alpha = np.where(eroded(mask, 2 * reach), 1, alpha)
    alpha = np.where(dilated(mask, reach), alpha, 0)
    alpha = np.where(alpha < _FAINT, 0, np.where(alpha > 1 - _FAINT, 1, alpha))
    return np.asarray(alpha, dtype=np.float32)
