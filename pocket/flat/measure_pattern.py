"""Reading an object's pattern: solid, striped or dotted, by how its lightness varies."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float32

# by how much the lightness of a patterned object varies at least, as a share of its mean
_VARIED = 0.12
# how much of the gradients' energy runs one way in stripes: 0 for dots, 1 for perfect stripes
_ONE_WAY = 0.55


def read_pattern(lightness: Float32[np.ndarray, "h w"], piece: Bool[np.ndarray, "h w"]) -> str:
    """Tell the pattern of an object.

    Args:
        lightness: OKLab L of the picture, or of the part that shows the object.
        piece: The object's pixels; those at its border are left out.
    """
    inner = cv2.erode(piece.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=(0,)) > 0
    if inner.sum() < piece.sum() / 4:
        inner = piece
    values = lightness[inner]
    if values.std() < _VARIED * max(float(values.mean()), 1e-3):
        return "solid"
    across = cv2.Scharr(lightness, cv2.CV_32F, 1, 0)[inner]
    down = cv2.Scharr(lightness, cv2.CV_32F, 0, 1)[inner]
    a, b, c = float(across @ across), float(across @ down), float(down @ down)
    one_way = np.hypot(a - c, 2 * b) / max(a + c, 1e-12)
    return "striped" if one_way > _ONE_WAY else "dotted"
