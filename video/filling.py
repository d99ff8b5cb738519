"""Filling a motion field smoothly where nothing trustworthy was measured.

The pull and push of J. P. Grossman and W. J. Dally, "Point sample rendering", EGWR 1998, on what
an affine motion leaves over: a turning or nearing thing is continued as such behind whatever
hides it, not as a mere shift.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32, Float64

from video.flow_types import Confidence
from video.warping import Field, grid

HOLD = 0.1
"""How much a fully trusted value is drawn towards its surroundings."""

_ENOUGH = 24.0  # trusted pixels under which an affine motion is not to be had
_RIDGE = 1e-3  # keeps the affine fit defined when all trusted pixels lie on one line


def affine_trend(field: Field, weight: Confidence) -> Field:
    """Return the affine field nearest to a weighted one, in the least squares' sense.

    Where too little is trusted, that is a shift; where nothing is, no motion.
    """
    height, width = weight.shape
    total = float(weight.sum(dtype=np.float64))
    if total <= 0:
        return np.zeros_like(field)
    mean = (field * weight[..., None]).sum(axis=(0, 1), dtype=np.float64) / total
    if total < _ENOUGH:
        return np.broadcast_to(mean.astype(np.float32), field.shape).copy()
    # places in [-1, 1], so that one ridge suits any size
    scale = np.array([2 / max(width, 2), 2 / max(height, 2)], np.float32)
    places = grid((width, height)) * scale - np.float32(1)
    basis: Float32[np.ndarray, "n 3"] = np.concatenate(
        (places.reshape(-1, 2), np.ones((height * width, 1), np.float32)), axis=1
    )
    weighted = basis * weight.reshape(-1, 1)
    normal: Float64[np.ndarray, "3 3"] = (weighted.T @ basis).astype(np.float64)
    right = (weighted.T @ field.reshape(-1, 2)).astype(np.float64)
    ridge = np.diag([_RIDGE, _RIDGE, 0.0]) * total
    trend = basis @ np.linalg.solve(normal + ridge, right).astype(np.float32)
    return np.asarray(trend, np.float32).reshape(field.shape)


def pulled_and_pushed(
    values: Float32[np.ndarray, "h w c"], weight: Confidence, *, hold: float = HOLD
) -> Float32[np.ndarray, "h w c"]:
    """Fill values smoothly from those that have weight, at all scales at once.

    Args:
        values: What is known.
        weight: How far, in [0, 1].
        hold: How much a known value is drawn towards the next coarser scale's.
    """
    height, width = weight.shape
    if height * width <= 4 or min(height, width) == 1:
        total = weight.sum()
        mean = (values * weight[..., None]).sum(axis=(0, 1)) / max(float(total), 1e-12)
        return np.broadcast_to(mean.astype(np.float32), values.shape).copy()
    size = ((width + 1) // 2, (height + 1) // 2)
    share = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
    carried = cv2.resize(values * weight[..., None], size, interpolation=cv2.INTER_AREA)
    carried = np.asarray(carried).reshape(*share.shape, -1)
    coarse = carried / np.maximum(share, 1e-12)[..., None]
    # four pixels that know a quarter each know it as well as one that knows all
    filled = pulled_and_pushed(
        np.asarray(coarse, np.float32), np.minimum(np.asarray(share) * 4, 1), hold=hold
    )
    smooth = cv2.resize(filled, (width, height), interpolation=cv2.INTER_LINEAR)
    smooth = np.asarray(smooth).reshape(values.shape)
    known = weight[..., None]
    return np.asarray((known * values + hold * smooth) / (known + hold), np.float32)


def filled(field: Field, weight: Confidence, *, hold: float = HOLD) -> Field:
    """Continue a motion field smoothly from where it is trusted to where it is not."""
    trend = affine_trend(field, weight)
    return np.asarray(trend + pulled_and_pushed(field - trend, weight, hold=hold))
