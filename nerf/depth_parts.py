"""Which part of a region is the thing, and which lies behind it and was cut out along with it."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from image_core.segmentation.edges import dilated
from image_core.types import Mask
from nerf.seeded_cut import distance_to

JUMP = 0.06
"""Of the depth, between neighbours: from here on they belong to two things."""

_RIM = 2  # pixels that stay around what is kept: depth is no sharper than that


def in_front(alpha: Mask, depth: Float32[np.ndarray, "h w"]) -> Mask:
    """Return a region without its parts that lie behind the largest one.

    A part is what hangs together without a jump in depth. Colours alone cannot tell a white throat
    from the bright wall behind it; the reconstruction's depth can.

    Args:
        alpha: The region, (H, W).
        depth: Distance along the rays of the same view, at any smaller size.
    """
    inside = whole(alpha, depth.shape) > 0.5
    block = np.ones((3, 3), np.uint8)
    jumps = cv2.dilate(depth, block) - cv2.erode(depth, block) >= JUMP * depth
    count, labels, stats, _ = cv2.connectedComponentsWithStats((inside & ~jumps).astype(np.uint8))
    if count <= 2:
        return alpha
    main = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    limit = (1 + JUMP) * float(np.median(depth[labels == main]))
    behind = [n for n in range(1, count) if n != main and np.median(depth[labels == n]) > limit]
    if not behind:
        return alpha
    # what jumps goes to the part that is nearest
    nearer = distance_to(labels == main) <= distance_to(np.isin(labels, behind))
    kept: Bool[np.ndarray, "H W"] = whole((inside & nearer).astype(np.float32), alpha.shape) > 0.5
    return np.where(dilated(kept, _RIM), alpha, np.float32(0))


def whole(values: Float32[np.ndarray, "h w"], shape: tuple[int, ...]) -> Float32[np.ndarray, "H W"]:
    """Return a map at another size (height, width): averaged when smaller, linear when larger."""
    height, width = shape
    smaller = height < values.shape[0]
    way = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(values, (width, height), interpolation=way), np.float32)
