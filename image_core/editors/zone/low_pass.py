"""Means over a neighbourhood, taken in the frequency domain and only where there is something.

A Gaussian is its own kind of low-pass: round in frequency, centred on zero, without the rings that
a hard disc of frequencies leaves, and never negative, so that it can weigh (H. Knutsson, C.-F.
Westin, "Normalized and differential convolution", CVPR 1993).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32
from scipy import fft

_REACH = 4  # standard deviations beyond which a Gaussian is nothing
_NOTHING = 1e-4  # a weight under this is the transform's rounding


def low_passed(values: Float32[np.ndarray, "h w c"], sigma: float) -> Float32[np.ndarray, "h w c"]:
    """Pass low frequencies by exp(-2 π² σ² |f|²), |f| in cycles per pixel both ways.

    Measured in cycles per pixel the filter is round whatever the picture's sides. Beyond the
    border lies 0, not the opposite border.

    Args:
        values: Any.
        sigma: Of the Gaussian in pixels; wavelengths under some 4 σ are lost.
    """
    height, width = values.shape[:2]
    rim = int(np.ceil(_REACH * sigma))
    rows, columns = fft.next_fast_len(height + rim), fft.next_fast_len(width + rim, real=True)
    down = fft.fftfreq(rows)[:, None, None]
    across = fft.rfftfreq(columns)[None, :, None]
    gain = np.exp(-2 * np.pi**2 * sigma**2 * (down**2 + across**2)).astype(np.float32)
    spectrum = fft.rfft2(values, s=(rows, columns), axes=(0, 1)) * gain
    passed = fft.irfft2(spectrum, s=(rows, columns), axes=(0, 1))
    return np.asarray(passed[:height, :width], np.float32)


def mean_where(
    values: Float32[np.ndarray, "h w c"], weights: Float32[np.ndarray, "h w"], sigma: float
) -> Float32[np.ndarray, "h w c"]:
    """Return each pixel's Gaussian mean of what lies near and has weight; 0 where nothing has.

    Args:
        values: Where the weight is 0 they do not count.
        weights: Not negative.
        sigma: Of the Gaussian, in pixels.
    """
    total = low_passed(weights[..., None], sigma)
    summed = low_passed(values * weights[..., None], sigma)
    known = total > _NOTHING
    return np.asarray(np.where(known, summed / np.where(known, total, 1), 0), np.float32)
