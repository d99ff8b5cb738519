"""What a removed thing leaves around its outline: mixed pixels, ringing, a line of shadow.

Masks are a pixel or two tight, and lossy files smear edges. A filling joined to such pixels would
draw the thing's outline again and bleed its colour inwards.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool

from image_core.distances import distance_within
from image_core.types import Image

_STEP = 0.035
_UNUSUAL = 2.0
_STRIDE = 2


def with_rim(image: Image, hole: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """Grow a hole by the pixels that still show the thing.

    From the hole outwards, a pixel counts as soiled while it differs from the one two pixels
    further out along the outline's normal, and more so than is usual there; the first flat stretch
    ends it. So an edge that runs
    into the hole stays known right up to it, and so does a strip of wall between the hole and the
    next thing.

    Args:
        image: The picture; what lies in the hole is not looked at.
        hole: What is to be filled.

    Returns:
        The hole and the soiled pixels, at least one pixel and at most about 1 % of the longer side
        wide.
    """
    height, width = hole.shape
    tight = max(2.0, 0.003 * max(height, width))  # how far inside the outline a mask may lie
    reach = 2.5 * tight
    away = distance_within(~hole)
    smooth = cv2.GaussianBlur(away, (0, 0), 1.0)
    ny, nx = np.gradient(smooth)
    length = np.maximum(np.hypot(nx, ny), 1e-6)
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    beyond = cv2.remap(
        image,
        np.clip(columns + _STRIDE * nx / length, 0, width - 1).astype(np.float32),
        np.clip(rows + _STRIDE * ny / length, 0, height - 1).astype(np.float32),
        cv2.INTER_NEAREST,
    )
    ring = (away > 0) & (away <= reach)
    step = np.abs(beyond - image).max(axis=2)
    # a texture is uneven further out as well; a soiled rim is not
    outer = ((away > reach) & (away <= 3 * reach)).astype(np.float32)
    block = (2 * round(4 * reach) + 1,) * 2
    usual = cv2.blur(step * outer, block) / np.maximum(cv2.blur(outer, block), 1e-6)
    uneven = ring & (step > np.maximum(_STEP, _UNUSUAL * usual))
    around = np.ones((3, 3), np.uint8)
    soiled = (ring & (away < 1.5)) | (uneven & (away <= tight))
    for _ in range(round(reach)):
        soiled |= (cv2.dilate(soiled.astype(np.uint8), around) > 0) & uneven
    return np.asarray(hole | (cv2.dilate(soiled.astype(np.uint8), around) > 0) & ring)
