"""Splitting lightness into a smooth base (shading, folds, parts) and detail (texture, gloss)."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32

from image_core.colour import srgb_to_oklab
from image_core.editors.classic.pixels import grow, shrink, small_size
from image_core.editors.classic.prepared import Piece

Plane = Float32[np.ndarray, "h w"]

_LONGEST = 320


@dataclass(frozen=True, kw_only=True)
class Base:
    """An edge-preserving base of a piece: base = slope x lightness + offset, at each pixel.

    Attributes:
        slope: Small map of the slopes.
        offset: Small map of the offsets.
        lab: Small map of the smoothed OKLab colour around each pixel, region pixels only.
    """

    slope: Plane
    offset: Plane
    lab: Float32[np.ndarray, "h w 3"]


def masked_mean(plane: np.ndarray, weight: Plane, radius: int) -> np.ndarray:
    """Return the weighted mean of ``plane`` in boxes of 2 radius + 1; 0 where no weight is."""
    side = (2 * radius + 1, 2 * radius + 1)
    border = cv2.BORDER_REFLECT
    if plane.ndim == 3:
        top = cv2.blur(plane * weight[..., None], side, borderType=border)
    else:
        top = cv2.blur(plane * weight, side, borderType=border)
    bottom = np.maximum(cv2.blur(weight, side, borderType=border), 1e-6)
    return np.asarray(top / (bottom[..., None] if plane.ndim == 3 else bottom), dtype=np.float32)


def base_of(piece: Piece, *, reach: float = 0.03, keep: float = 0.04) -> Base:
    """Split a piece's lightness with a guided filter that sees only the region.

    K. He, J. Sun, "Fast Guided Filter" (2015), eqs. 3-6, self-guided and solved on a small copy;
    its means are weighted by the region, so that nothing from outside colours it.

    Args:
        piece: What to split.
        reach: Filter radius as a share of the small copy's longer side.
        keep: Lightness steps well above this stay in the base.
    """
    height, width = piece.alpha.shape
    size = small_size(height, width, _LONGEST)
    inside = piece.inside.astype(np.float32)
    weight = shrink(inside, size)
    rgb = shrink(piece.image * inside[..., None], size) / np.maximum(weight, 1e-6)[..., None]
    lab = srgb_to_oklab(np.clip(rgb, 0, 1).astype(np.float32))
    lightness = lab[..., 0]
    radius = max(1, round(reach * max(size)))
    mean = masked_mean(lightness, weight, radius)
    square = masked_mean(lightness * lightness, weight, radius)
    variance = np.maximum(square - mean * mean, 0)
    slope = variance / (variance + np.float32(keep * keep))
    offset = mean - slope * mean
    return Base(
        slope=masked_mean(slope, weight, radius),
        offset=masked_mean(offset, weight, radius),
        lab=masked_mean(lab, weight, max(1, radius // 2)),
    )


def full_rows(plane: np.ndarray, rows: slice, size: tuple[int, int]) -> np.ndarray:
    """Return some rows of a small map grown linearly to ``size`` = (height, width)."""
    height, width = size
    if plane.shape[:2] == size:
        return plane[rows]
    count = rows.stop - rows.start
    if count == height:
        return grow(plane, size)
    ys = (np.arange(rows.start, rows.stop, dtype=np.float32) + 0.5) * (
        plane.shape[0] / height
    ) - 0.5
    xs = (np.arange(width, dtype=np.float32) + 0.5) * (plane.shape[1] / width) - 0.5
    grid_x, grid_y = np.meshgrid(xs, ys)
    return np.asarray(
        cv2.remap(
            plane,
            grid_x.astype(np.float32),
            grid_y.astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
    )
