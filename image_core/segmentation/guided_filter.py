"""The guided filter with a colour guide: it lets a mask follow the picture's own edges.

K. He, J. Sun, X. Tang, "Guided image filtering", ECCV 2010: the linear model of eqs. (4) to (8) in
its colour form (section 3, colour guidance), and K. He, J. Sun, "Fast guided filter", arXiv
1505.00996 (2015) for the coefficients at reduced resolution.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32


def box_mean(values: Float32[np.ndarray, "h w *c"], radius: int) -> Float32[np.ndarray, "h w *c"]:
    """Return the mean over the (2 radius + 1)² window around each pixel, cut at the border."""
    size = (2 * radius + 1, 2 * radius + 1)
    total = cv2.boxFilter(values, -1, size, normalize=False, borderType=cv2.BORDER_CONSTANT)
    ones = np.ones(values.shape[:2], dtype=np.float32)
    count = cv2.boxFilter(ones, -1, size, normalize=False, borderType=cv2.BORDER_CONSTANT)
    # OpenCV drops a channel axis of length one, so both are shaped anew
    shared = np.asarray(count).reshape(*ones.shape, *(1,) * (values.ndim - 2))
    return np.asarray(np.asarray(total).reshape(values.shape) / shared, dtype=np.float32)


def linear_coefficients(
    guide: Float32[np.ndarray, "h w 3"],
    source: Float32[np.ndarray, "h w"],
    radius: int,
    epsilon: float,
) -> Float32[np.ndarray, "h w 4"]:
    """Fit ``source ≈ a·guide + b`` in each window; return (a_r, a_g, a_b, b).

    a_k = (Σ_k + ε U)⁻¹ (mean(I p) - μ_k mean(p)) and b_k = mean(p) - a_k·μ_k: eqs. (5) and (6) of
    the paper with the variance replaced by the 3x3 covariance Σ_k of the guide in window k.
    """
    mean_guide = box_mean(guide, radius)
    mean_source = box_mean(source, radius)
    cross = box_mean(guide * source[..., None], radius) - mean_guide * mean_source[..., None]

    def covariance(i: int, j: int) -> Float32[np.ndarray, "h w"]:
        product = box_mean(guide[..., i] * guide[..., j], radius)
        return np.asarray(product - mean_guide[..., i] * mean_guide[..., j])

    rr, gg, bb = (covariance(i, i) + np.float32(epsilon) for i in range(3))
    rg, rb, gb = covariance(0, 1), covariance(0, 2), covariance(1, 2)
    # the symmetric 3x3 system by its adjugate: a thousand times faster than one solve a pixel
    inv_rr, inv_gg, inv_bb = gg * bb - gb * gb, rr * bb - rb * rb, rr * gg - rg * rg
    inv_rg, inv_rb, inv_gb = rb * gb - rg * bb, rg * gb - rb * gg, rb * rg - rr * gb
    determinant = rr * inv_rr + rg * inv_rg + rb * inv_rb
    x, y, z = cross[..., 0], cross[..., 1], cross[..., 2]
    slope = np.stack(
        [
            inv_rr * x + inv_rg * y + inv_rb * z,
            inv_rg * x + inv_gg * y + inv_gb * z,
            inv_rb * x + inv_gb * y + inv_bb * z,
        ],
        axis=-1,
    )
    # ε³ is the least value of a positive semidefinite Σ + ε U's determinant
    slope /= np.maximum(determinant, np.float32(epsilon) ** 3)[..., None]
    offset = mean_source - (slope * mean_guide).sum(axis=-1)
    return np.asarray(np.concatenate([slope, offset[..., None]], axis=-1), dtype=np.float32)


def guided_filter(
    guide: Float32[np.ndarray, "h w 3"],
    source: Float32[np.ndarray, "h w"],
    radius: int,
    epsilon: float,
    *,
    subsample: int = 1,
) -> Float32[np.ndarray, "h w"]:
    """Filter ``source`` so that its edges fall on those of ``guide``.

    Args:
        guide: The picture in [0, 1].
        source: What is filtered, for instance a 0/1 mask.
        radius: Of the window, in pixels of the full size.
        epsilon: How much variance in the guide counts as flat.
        subsample: Fit the coefficients on pictures reduced so many times (1 = exact).

    Returns:
        q_i = mean(a)_i · I_i + mean(b)_i, eq. (8); not clipped to [0, 1].
    """
    height, width = source.shape
    if subsample > 1 and min(height, width) >= 4 * subsample:
        size = (max(1, width // subsample), max(1, height // subsample))
        small_guide = cv2.resize(guide, size, interpolation=cv2.INTER_AREA)
        small_source = cv2.resize(source, size, interpolation=cv2.INTER_AREA)
        window = max(1, round(radius / subsample))
        fitted = box_mean(linear_coefficients(small_guide, small_source, window, epsilon), window)
        mean = cv2.resize(fitted, (width, height), interpolation=cv2.INTER_LINEAR)
    else:
        mean = box_mean(linear_coefficients(guide, source, radius, epsilon), radius)
    filtered = np.asarray(mean[..., 3], dtype=np.float32)
    for channel in range(3):
        filtered = filtered + mean[..., channel] * guide[..., channel]
    return filtered
