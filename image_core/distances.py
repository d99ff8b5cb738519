"""How far pixels are from others, with the same bits every time."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float32


def distance_within(inside: Bool[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w"]:
    """Return each pixel's distance to the nearest pixel outside, in pixels; 0 there.

    OpenCV's exact transform takes its square roots differently where an array happens to begin
    elsewhere in memory, and so differs in the last bit from call to call. Squared distances are
    whole numbers: rounded to them, and rooted once more, they are always the same.

    Args:
        inside: Some pixel of it is false, or distances mean nothing.
    """
    found = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(np.sqrt(np.rint(found.astype(np.float64) ** 2)), np.float32)
