"""Which pixels show the background: neither what is removed nor anything else that moves.

What lies behind a removed thing moves as the picture around it does. Other things that move by
themselves would be taken for that background, and leave their ghosts in the filling.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from image_core.compositing import dilated
from image_core.segmentation.edges import disc, eroded
from image_core.types import Mask
from video.chains import resized_mask
from video.filling import affine_trend
from video.flow import squared_length
from video.flow_types import Confidence, Flows, flow_to
from video.frames import Frames, Picture, Span
from video.warping import Field, warped

APART = 0.75
"""Pixels of the flow's size by which a pixel may leave the background's motion in one frame."""

_SPREAD = 3.0  # typical deviations that are no motion of one's own, where the background bends
_BLEEDING = 3  # px of the flow's size around a moving thing whose flow is half its own
_SPECK = 1  # px; what is thinner than twice that is noise of the flow
_ROUNDS = 8  # of reweighting
_STRIDE = 2  # px; six numbers need not every pixel
_NOISE = 3.0  # grey levels by which nothing is told
_BEYOND_NOISE = 4.0  # typical differences from which two pixels show two things
_UNLIKE = 0.08  # share of a part's pixels that must
_SURE = 0.5  # confidence from which a flow is asked
_LEAST = 0.2
"""Share of the free pixels that must move alike to be a background; else all of them are it."""

Holes = Callable[[int], Mask | None]
"""What is removed from a frame, at full size; None where nothing is."""


def background(frames: Frames, flows: Flows, span: Span, holes: Holes, index: int) -> Mask:
    """Return where a frame shows the background, 1 or 0, at the size of the flows.

    Args:
        frames: At the size of the flows.
        flows: Between neighbours.
        span: The frames whose neighbours count.
        holes: What is removed.
        index: The frame.
    """
    free = np.ones(flows.size[::-1], bool)
    hole = holes(index)
    if hole is not None:
        free = ~(resized_mask(hole, flows.size) > 0)
    beside = eroded(free, _BLEEDING)
    moving, unlike = np.zeros_like(free), np.zeros_like(free)
    for neighbour in (index - 1, index + 1):
        if neighbour in span:
            flow, trust = flow_to(flows, index, neighbour)
            trend, deviation = common_motion(flow, trust * beside)
            apart = squared_length(flow - trend) > max(APART, _SPREAD * deviation) ** 2
            # a flow that failed its check tells of nothing that moves
            moving |= apart & (trust > _SURE)
            unlike |= _unlike(frames.rgb(index), frames.rgb(neighbour), trend, beside)
    solid = cv2.morphologyEx(moving.astype(np.uint8), cv2.MORPH_OPEN, disc(_SPECK))
    # the unsure parts of a moving thing lie within it
    solid = cv2.morphologyEx(solid, cv2.MORPH_CLOSE, disc(2 * _BLEEDING))
    left = free & ~dilated(_seen_to_move(solid, unlike), _BLEEDING)
    if left.sum() < _LEAST * free.sum():
        left = free
    return left.astype(np.float32)


def _unlike(
    picture: Picture, neighbour: Picture, trend: Field, free: Bool[np.ndarray, "_ _"]
) -> Bool[np.ndarray, "_ _"]:
    """Return where a frame differs from its neighbour moved as the background is."""
    moved = warped(neighbour, trend)
    apart = np.abs(picture.astype(np.float32) - moved).mean(axis=-1)
    noise = float(np.median(apart[free])) if free.any() else 0.0
    return np.asarray(apart > max(_NOISE, _BEYOND_NOISE * noise))


def _seen_to_move(
    solid: UInt8[np.ndarray, "_ _"], unlike: Bool[np.ndarray, "_ _"]
) -> Bool[np.ndarray, "_ _"]:
    """Keep the parts that look otherwise than the background's motion would have it.

    Flow errs on dark and even ground; such ground looks the same under either motion.
    """
    count, labels = cv2.connectedComponents(solid, connectivity=8)
    if count < 2:
        return np.zeros(solid.shape, bool)
    sizes = np.bincount(labels.ravel(), minlength=count)
    shares = np.bincount(labels.ravel(), unlike.ravel(), minlength=count) / np.maximum(sizes, 1)
    kept = shares > _UNLIKE
    kept[0] = False
    return np.asarray(kept[labels])


def common_motion(flow: Field, weight: Confidence) -> tuple[Field, float]:
    """Return the affine motion that most of a picture follows, and what it typically leaves over.

    Args:
        flow: Measured.
        weight: How much each pixel counts.
    """
    thin = (slice(None, None, _STRIDE), slice(None, None, _STRIDE))
    few, trust = np.ascontiguousarray(flow[thin]), np.ascontiguousarray(weight[thin])
    asked = trust > _SURE
    kept, deviation = trust, 0.0
    for _ in range(_ROUNDS):
        apart = squared_length(few - affine_trend(few, kept))
        deviation = float(np.sqrt(np.median(apart[asked]))) if asked.any() else 0.0
        kept = trust / np.square(1 + apart / np.float32(max(APART, deviation) ** 2))
    return _over(affine_trend(few, kept), flow.shape[:2]), deviation


def _over(trend: Field, shape: tuple[int, ...]) -> Field:
    """Continue an affine field that is known on each second pixel to all of them."""
    height, width = shape[0], shape[1]
    corner = trend[0, 0]
    across = (trend[0, -1] - corner) / max(1, (trend.shape[1] - 1) * _STRIDE)
    down = (trend[-1, 0] - corner) / max(1, (trend.shape[0] - 1) * _STRIDE)
    x: Float32[np.ndarray, "1 w 1"] = np.arange(width, dtype=np.float32)[None, :, None]
    y: Float32[np.ndarray, "h 1 1"] = np.arange(height, dtype=np.float32)[:, None, None]
    return np.asarray(corner + across * x + down * y, np.float32)
