"""OKLab and OKLCh, the perceptual space that grounding and recolouring work in.

Formulas: B. Ottosson, "A perceptual color space for image processing" (2020). Transfer curve:
IEC 61966-2-1 (sRGB).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

_RGB_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    dtype=np.float32,
)
_LMS_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ],
    dtype=np.float32,
)
_LAB_TO_LMS = np.linalg.inv(_LMS_TO_LAB.astype(np.float64)).astype(np.float32)
_LMS_TO_RGB = np.linalg.inv(_RGB_TO_LMS.astype(np.float64)).astype(np.float32)


def srgb_to_linear(rgb: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    """Undo the sRGB transfer curve; values in [0, 1]."""
    low = rgb <= 0.04045
    curved: Float[np.ndarray, "*n"] = ((np.maximum(rgb, 0.04045) + 0.055) / 1.055) ** 2.4
    return np.where(low, rgb / 12.92, curved).astype(rgb.dtype)


def linear_to_srgb(linear: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    """Apply the sRGB transfer curve; negative light stays on the linear piece."""
    low = linear <= 0.0031308
    curved: Float[np.ndarray, "*n"] = 1.055 * np.maximum(linear, 0.0031308) ** (1 / 2.4) - 0.055
    return np.where(low, linear * 12.92, curved).astype(linear.dtype)


def srgb_to_oklab(rgb: Float[np.ndarray, "*n 3"]) -> Float[np.ndarray, "*n 3"]:
    """Convert sRGB in [0, 1] to OKLab: L in [0, 1], a and b about [-0.4, 0.4]."""
    lms = srgb_to_linear(rgb) @ _RGB_TO_LMS.T.astype(rgb.dtype)
    return np.asarray(np.cbrt(lms) @ _LMS_TO_LAB.T.astype(rgb.dtype))


def oklab_to_linear(lab: Float[np.ndarray, "*n 3"]) -> Float[np.ndarray, "*n 3"]:
    """Convert OKLab to linear RGB, which leaves [0, 1] where the colour is out of gamut."""
    lms = lab @ _LAB_TO_LMS.T.astype(lab.dtype)
    return np.asarray((lms**3) @ _LMS_TO_RGB.T.astype(lab.dtype))


def oklab_to_srgb(lab: Float[np.ndarray, "*n 3"]) -> Float[np.ndarray, "*n 3"]:
    """Convert OKLab to sRGB clipped to [0, 1]."""
    return np.clip(linear_to_srgb(oklab_to_linear(lab)), 0, 1)


def lab_to_lch(lab: Float[np.ndarray, "*n 3"]) -> Float[np.ndarray, "*n 3"]:
    """Turn (L, a, b) into (L, chroma, hue in degrees [0, 360))."""
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    # contiguous copies: on strided float32, numpy's arctan2 rounds by where the arrays lie
    b, a = lab[..., 2].copy(), lab[..., 1].copy()
    hue = np.degrees(np.arctan2(b, a)) % 360
    return np.asarray(np.stack([lab[..., 0], chroma, hue], axis=-1), lab.dtype)


def lch_to_lab(lch: Float[np.ndarray, "*n 3"]) -> Float[np.ndarray, "*n 3"]:
    """Turn (L, chroma, hue in degrees) into (L, a, b)."""
    angle = np.radians(lch[..., 2])
    parts = [lch[..., 0], lch[..., 1] * np.cos(angle), lch[..., 1] * np.sin(angle)]
    return np.asarray(np.stack(parts, axis=-1), lch.dtype)
