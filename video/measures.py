"""What is measured of frames, edits and fits: steadiness, flicker, likeness. Pure functions."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from video.flow_types import Confidence, PairFlow
from video.splat_sums import Colours
from video.warping import Field, fold_measure, grid, inside, sample, warped

Grey = Float32[np.ndarray, "_ _"]
"""Lightness in grey levels, 0 to 255."""

CONSISTENT = 0.5
"""Confidence from which forward and backward flow count as consistent."""

HIGHEST = 99.0
"""Decibels that stand for equality."""


def grey_levels(picture: Colours) -> Grey:
    """Return a picture's lightness (Rec. 601 luma) in grey levels."""
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) * np.float32(255))


def peak_ratio(mean_squared: float) -> float:
    """Return the peak signal-to-noise ratio in decibels of an error of colours in [0, 1]."""
    return HIGHEST if mean_squared <= 0 else min(HIGHEST, -10 * float(np.log10(mean_squared)))


def likeness(first: Colours, second: Colours, weight: Confidence | None = None) -> float:
    """Return the PSNR between two pictures in [0, 1] over a weighted part; NaN over none."""
    squared = np.square(np.clip(first, 0, 1) - np.clip(second, 0, 1)).mean(axis=-1)
    if weight is None:
        return peak_ratio(float(squared.mean(dtype=np.float64)))
    total = float(weight.sum(dtype=np.float64))
    if total <= 0:
        return float("nan")
    return peak_ratio(float((squared * weight).sum(dtype=np.float64)) / total)


def followed(flow: Field, confidence: Confidence, region: Confidence) -> Bool[np.ndarray, "_ _"]:
    """Return the pixels of a region whose flow is consistent and stays on the picture."""
    height, width = region.shape
    ends = grid((width, height)) + flow
    return np.asarray((confidence >= CONSISTENT) & inside(ends, (width, height)) & (region >= 0.5))


def warp_error(first: Grey, second: Grey, pair: PairFlow, region: Confidence) -> float:
    """Return how far a frame differs from its successor, once that is carried back by the flow.

    Args:
        first: Frame t.
        second: Frame t + 1.
        pair: The flow of the *source* between them, at the frames' size.
        region: Where it counts, on frame t.

    Returns:
        Mean absolute grey levels over the region's consistent pixels; NaN where there are none.
    """
    counted = followed(pair.forward, pair.forward_confidence, region)
    if not counted.any():
        return float("nan")
    carried = warped(second, pair.forward)
    return float(np.abs(carried - first)[counted].mean(dtype=np.float64))


def mean_slope(grey: Grey, region: Confidence) -> float:
    """Return a region's mean gradient length in grey levels a pixel; NaN for an empty one."""
    x = cv2.Sobel(grey, -1, 1, 0, scale=1 / 8)
    y = cv2.Sobel(grey, -1, 0, 1, scale=1 / 8)
    counted = region >= 0.5
    return float(np.hypot(x, y)[counted].mean(dtype=np.float64)) if counted.any() else float("nan")


def steadiness(first: Grey, second: Grey, pair: PairFlow, region: Confidence) -> float:
    """Return the warp error divided by the mean gradient: by about how many pixels things jump.

    Without the division a low-contrast edit would seem steadier than its source. See
    ``warp_error`` for what is taken and returned.
    """
    slope = mean_slope(first, region)
    return warp_error(first, second, pair, region) / slope if slope > 0 else float("nan")


def flicker(
    before: Grey, now: Grey, after: Grey, earlier: PairFlow, later: PairFlow, region: Confidence
) -> float:
    """Return how far a frame stands out from both its neighbours, carried to it.

    A steady change of light cancels out; what comes and goes doesn't.

    Args:
        before: Frame t - 1.
        now: Frame t.
        after: Frame t + 1.
        earlier: The source's flow between t - 1 and t.
        later: That between t and t + 1.
        region: Where it counts, on frame t.

    Returns:
        Mean absolute grey levels; NaN where no pixel can be followed both ways.
    """
    counted = followed(earlier.backward, earlier.backward_confidence, region)
    counted &= followed(later.forward, later.forward_confidence, region)
    if not counted.any():
        return float("nan")
    expected = (warped(before, earlier.backward) + warped(after, later.forward)) / 2
    return float(np.abs(expected - now)[counted].mean(dtype=np.float64))


def overlap(first: Confidence, second: Confidence) -> float:
    """Return intersection over union of two soft masks, by pixelwise least and most."""
    union = float(np.maximum(first, second).sum(dtype=np.float64))
    return float(np.minimum(first, second).sum(dtype=np.float64)) / union if union > 0 else 1.0


def region_stability(first: Confidence, second: Confidence, pair: PairFlow) -> float:
    """Return how far a region agrees with its successor's, carried back by the source's flow.

    Only pixels whose flow is consistent count: what is newly covered or shown can't agree.

    Args:
        first: The region on frame t.
        second: That on frame t + 1.
        pair: The flow between them.
    """
    everywhere = np.ones_like(first)
    counted = followed(pair.forward, pair.forward_confidence, everywhere).astype(np.float32)
    return overlap(first * counted, warped(second, pair.forward) * counted)


def fold_share(places: Field, region: Confidence | None = None) -> float:
    """Return the share of a part's pixels at which a map to the canonical picture folds."""
    folded = fold_measure(places) <= 0
    if region is None:
        return float(folded.mean())
    counted = region >= 0.5
    return float(folded[counted].mean()) if counted.any() else 0.0


def drift(
    places: Field, truth: Float32[np.ndarray, "n 2"], at: Float32[np.ndarray, "n 2"]
) -> Float32[np.ndarray, " n"]:
    """Return by how many pixels carried points miss where they truly are.

    Args:
        places: Of the frame's pixels, in the reference frame's pixels.
        truth: The points in the reference frame, (x, y).
        at: The same points' true places in the frame.

    Returns:
        The distance in the reference frame between each point and what is shown at its true place.
    """
    shown = sample(places, at[None].astype(np.float32))[0]
    return np.asarray(np.linalg.norm(shown - truth, axis=-1), np.float32)
