"""Where a frame shows what its canonical picture shows there, and where something else hides it."""

from __future__ import annotations

import cv2
import numpy as np

from image_core.segmentation.guided_filter import guided_filter
from video.canonical import Canonical, read_back
from video.chains import resized_mask
from video.flow_types import Confidence
from video.splat_sums import Colours
from video.warping import Field

AGREES, DIFFERS = 3.0, 6.0
"""Differences, in typical ones of its frame, up to which a pixel agrees, from which it differs."""

_LEAST_NOISE = 0.01  # of colours in [0, 1]: a perfect fit must not turn a grey level into a veil
_SPREAD = 1.5  # pixels over which differences are averaged: one pixel's are noise
_NORMAL = 1.4826  # the deviation of normal noise per median absolute difference
_RADIUS, _FLAT = 4, 1e-3  # of the guided filter that brings the answer onto the frame's own edges


def visibility(
    frame: Colours,
    canonical: Canonical,
    places: Field,
    confidence: Confidence,
    *,
    region: Confidence | None = None,
) -> Confidence:
    """Return how far each pixel of a frame shows what is at its place in the canonical picture.

    A pixel whose motion was followed without a doubt is visible even where its colours differ: the
    light may have changed, or the fit is poor there. One that lost its way on the flow is visible
    where its colours agree.

    Args:
        frame: The frame, at the size of the fit.
        canonical: The picture that was fitted.
        places: Where the frame's pixels lie in it.
        confidence: How far those are trusted.
        region: Where the noise is measured; everywhere by default.
    """
    apart = np.abs(frame - read_back(canonical, places)).mean(axis=-1)
    apart = cv2.GaussianBlur(apart, (0, 0), _SPREAD)
    counted = apart[region >= 0.5] if region is not None and (region >= 0.5).any() else apart
    noise = max(_LEAST_NOISE, _NORMAL * float(np.median(counted)))
    ramp = np.clip((apart / noise - AGREES) / (DIFFERS - AGREES), 0, 1)
    hidden = ramp * (1 - confidence)
    soft = guided_filter(frame, (1 - hidden).astype(np.float32), _RADIUS, _FLAT)
    return np.clip(soft, 0, 1).astype(np.float32)


def enlarged(seen: Confidence, size: tuple[int, int]) -> Confidence:
    """Bring it to the frame's full size."""
    return np.clip(resized_mask(seen, size), 0, 1)
