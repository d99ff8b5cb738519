"""How a target moves as a whole, its hidden parts included.

Where it is seen, the flow tells; where something hides it, it goes on as the rest of it does. A
narrow visible rest says little about turning and nearing, so that these change slowly.
"""

from __future__ import annotations

import cv2
import numpy as np

from image_core.types import Mask
from video.flow import squared_length
from video.flow_types import Confidence
from video.warping import Field, grid

_INERTIA = 0.03
"""What a pixel of the target's extent says for going on as before, against one that is seen."""

_DENSE_INERTIA = 0.05
"""The same for what the motion as a whole leaves over."""

_SMOOTH = 4.0  # px over which that is averaged

_ROUNDS = 3  # of reweighting
_STRIDE = 2  # px; four numbers need not every pixel
_OUTLIER = 1.5  # px; a flow that is so far off the others' motion counts a quarter


def target_motion(
    flow: Field, trust: Confidence, visible: Mask, extent: Mask, before: Field | None
) -> Field:
    """Return a motion field that follows the flow on a target and continues it where it is hidden.

    Args:
        flow: Measured, of everything.
        trust: In it.
        visible: Where it is the target's.
        extent: Where the target is, hidden or not.
        before: The motion one frame earlier; None at the first step.
    """
    weight = np.asarray(trust * visible, np.float32)
    total = float(weight.sum(dtype=np.float64))
    if before is None:
        mean = (flow * weight[..., None]).sum(axis=(0, 1)) / np.float32(max(total, 1e-6))
        before = np.broadcast_to(mean, flow.shape).astype(np.float32)
    if total <= 0:
        return before
    change = flow - before
    places = _places(flow, visible)
    inertia = np.maximum(extent, visible) * np.float32(_INERTIA)
    kept = weight
    trend = np.zeros_like(flow)
    for _ in range(_ROUNDS):
        trend = _similarity(places, change, kept, inertia)
        off = squared_length(change - trend) / np.float32(_OUTLIER**2)
        kept = weight / np.square(1 + off)
    rest = _dense(change - trend, kept)
    return np.asarray(before + trend + rest, np.float32)


def _places(flow: Field, visible: Mask) -> Field:
    """Return places around the middle of what is seen, in half pictures."""
    height, width = flow.shape[:2]
    places = grid((width, height))
    middle = (places * visible[..., None]).sum(axis=(0, 1)) / max(float(visible.sum()), 1e-6)
    return np.asarray((places - middle) * np.float32(2 / max(width, height)), np.float32)


def _similarity(places: Field, change: Field, weight: Confidence, inertia: Confidence) -> Field:
    """Return the shift, turn and scaling nearest to what is seen, and to none by inertia.

    Of these four numbers a narrow strip of the target still tells all; an affine motion has two
    that it does not tell, and which would carry the hidden rest away.
    """
    thin = (slice(None, None, _STRIDE), slice(None, None, _STRIDE))
    x, y = places[(*thin, 0)].ravel(), places[(*thin, 1)].ravel()
    one, none = np.ones_like(x), np.zeros_like(x)
    bases = (np.stack((x, -y, one, none), axis=-1), np.stack((y, x, none, one), axis=-1))
    seen = weight[thin].reshape(-1, 1)
    all_ = seen + inertia[thin].reshape(-1, 1)
    normal = sum((basis * all_).T @ basis for basis in bases)
    right = sum((basis * seen).T @ change[(*thin, k)].ravel() for k, basis in enumerate(bases))
    ridge = 1e-6 * max(float(np.trace(normal)), 1e-6) * np.eye(4)
    told = np.linalg.solve(normal.astype(np.float64) + ridge, right).astype(np.float32)
    grow, turn, right_, down = (np.float32(value) for value in told)
    x, y = places[..., 0], places[..., 1]
    return np.stack((grow * x - turn * y + right_, turn * x + grow * y + down), axis=-1)


def _dense(rest: Field, weight: Confidence) -> Field:
    """Return what a similarity leaves over, smoothed, and fading away from where it is seen."""
    around = (0, 0)
    told = cv2.GaussianBlur(rest * weight[..., None], around, _SMOOTH)
    share = cv2.GaussianBlur(weight, around, _SMOOTH)
    return np.asarray(told / (share + np.float32(_DENSE_INERTIA))[..., None], np.float32)
