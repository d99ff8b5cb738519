"""With whom a pixel goes on to move, the target or the background: for what has just appeared.

Nothing that a frame uncovers has a past, but it has a future: over the next frames it moves with
the target, or with the background.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32

from image_core.segmentation.edges import dilated
from image_core.types import Mask
from video.background import common_motion
from video.flow import squared_length
from video.flow_types import Confidence, Flows, tracked
from video.warping import grid

AHEAD = 4
"""Frames that are looked ahead; ``FlowStore`` keeps as many pairs."""

_STRIDE = 2  # px; motion is compared at every second pixel of every second row
_SURE = 0.5  # confidence from which a chain tells
_BESIDE = 8  # px around the target that are not asked how the background moves
_LEAST_AROUND = 0.08  # share of the picture that must show it
_FINEST = 0.4  # px; smaller errors of a flow are luck
_NEAR = 12.0  # px over which the target's motion is averaged
_THIN = 1e-3  # share of a neighbourhood that must be the target's for it to have a motion there
_MOST = 1.5  # log odds


def ahead_odds(
    flows: Flows, order: range, index: int, target: Mask, weight: Confidence
) -> Float32[np.ndarray, "_ _"]:
    """Return log odds of each pixel's moving on with the target rather than the background.

    They are 0 where both move alike, where the flow is not trusted, and at the end of the stretch.

    Args:
        flows: Between neighbours.
        order: The frames in the order in which the target is followed.
        index: One of them.
        target: Where it is thought to be there, at the size of the flows.
        weight: How surely.
    """
    height, width = target.shape
    last = order[-1]
    steps = min(AHEAD, (last - index) // order.step)
    if steps < 1:
        return np.zeros_like(target)
    thin = (slice(None, None, _STRIDE), slice(None, None, _STRIDE))
    on = range(index, index + order.step * (steps + 1), order.step)
    *_, (_, flow, trust) = tracked(flows, on, grid((width, height))[thin])
    near = dilated(target > 0.05, _BESIDE)[thin]
    told = trust * (trust > _SURE)
    around = np.asarray(told * ~near, np.float32)
    own = np.asarray(told * (weight * target)[thin], np.float32)
    if (around > 0).mean() < _LEAST_AROUND:
        return np.zeros_like(target)
    background, error = common_motion(flow, around)
    spread = np.float32(max(_FINEST, error) ** 2)
    share = cv2.GaussianBlur(own, (0, 0), _NEAR / _STRIDE)
    mean = cv2.GaussianBlur(flow * own[..., None], (0, 0), _NEAR / _STRIDE)
    mean = mean / np.maximum(share, _THIN)[..., None]
    as_background = 1 + squared_length(flow - background) / spread
    as_target = 1 + squared_length(flow - mean) / spread
    odds = np.where((told > 0) & (share > _THIN), np.log(as_background / as_target), 0)
    odds = np.clip(odds, -_MOST, _MOST).astype(np.float32)
    return np.asarray(cv2.resize(odds, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
