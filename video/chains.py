"""From each frame of a span straight to its reference frame: neighbours' flows, one after another.

Chaining beats matching distant frames anew, but a chain breaks where its pixel is hidden in some
frame on the way. So each link is first filled from what can be trusted around it; with the
target's masks given, from the target alone, which thereby passes behind whatever crosses it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool

from image_core.segmentation.edges import disc
from video.filling import filled, pulled_and_pushed
from video.flow_types import Confidence, Flows, flow_to
from video.frames import Span
from video.target_motion import target_motion
from video.warping import Field, chained, grid, inside, resized_flow, sample, warped

DOUBTED = 0.05
"""What a flow that failed its check still counts, where it need not be that of one target."""

RIM = 5
"""Pixels inside a target's outline whose flow may be that of what lies beside it, or before it."""

LEFT = 0.7
"""Share of trust that is left to a pixel that leaves the picture: it goes on as the border does."""

FADING = np.float32(0.02)
"""What a hidden pixel's word for no deviation counts against that of a pixel that is seen."""

NEAR = 12
"""Pixels around what hides a target within which its motion reaches into the flow."""

_HIDDEN = 0.5  # of a pixel's extent, from which it counts as hidden
_SLIVER = 3  # pixels; a hidden part thinner than twice that is none
_CORE = 0.3  # share of a target that must be left within its rim for the rim to be distrusted
_MEMORY = 0.97  # share of a hidden part's extent that is remembered from frame to frame

Regions = Callable[[int], Confidence | None]
"""The target's mask on a frame, of any size; None where it is not seen."""


@dataclass(frozen=True, kw_only=True)
class Chain:
    """The way from one frame to the reference frame.

    Attributes:
        displacement: From each pixel to its counterpart, in pixels.
        confidence: The product of the links' confidences along the way, in [0, 1].
    """

    displacement: Field
    confidence: Confidence


Correction = Callable[[int, Chain], Chain]


def resized_mask(mask: Confidence, size: tuple[int, int]) -> Confidence:
    """Bring a mask or a confidence to a picture size."""
    height, width = mask.shape
    if (width, height) == size:
        return mask
    smaller = size[0] < width
    filter = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(mask, size, interpolation=filter), np.float32)


def region_at(regions: Regions | None, index: int, size: tuple[int, int]) -> Confidence | None:
    """Return a frame's region at a picture size; nothing where the target is not seen."""
    if regions is None:
        return None
    mask = regions(index)
    return np.zeros(size[::-1], np.float32) if mask is None else resized_mask(mask, size)


def chains(
    flows: Flows,
    span: Span,
    reference: int,
    *,
    size: tuple[int, int],
    regions: Regions | None = None,
    corrected: Correction | None = None,
) -> Iterator[tuple[int, Chain]]:
    """Go from the reference frame outwards, to both ends of the span.

    Args:
        flows: Between neighbours.
        span: The frames.
        reference: The one among them that all others are led to.
        size: Width and height at which the chains are wanted.
        regions: The target's masks; without them the whole picture counts.
        corrected: Betters each chain before the next link is put before it, so that errors don't
            add up.

    Yields:
        Frame numbers and their chains, the reference frame first.
    """
    width, height = size
    start = Chain(
        displacement=np.zeros((height, width, 2), np.float32),
        confidence=np.ones((height, width), np.float32),
    )
    yield reference, start
    for outwards in (range(reference - 1, span.start - 1, -1), range(reference + 1, span.stop)):
        beyond, target = start, _Target(region_at(regions, reference, size))
        for index in outwards:
            flow, confidence = flow_to(flows, index, index + (1 if index < reference else -1))
            flow, confidence = resized_flow(flow, size), resized_mask(confidence, size)
            mask = region_at(regions, index, size)
            if mask is None:
                link = filled(flow, np.maximum(confidence, np.float32(DOUBTED)))
            else:
                link = target.link(flow, confidence, mask)
                confidence = confidence * mask
            beyond = _before(link, confidence, beyond)
            if corrected is not None:
                beyond = corrected(index, beyond)
            yield index, beyond


class _Target:
    """A target's motion from step to step, outwards from the reference frame."""

    def __init__(self, extent: Confidence | None) -> None:
        self._extent = extent
        self._before: Field | None = None

    def link(self, flow: Field, confidence: Confidence, mask: Confidence) -> Field:
        """Return the flow of the target alone, continued to where it is hidden and around it."""
        extent = mask
        if self._extent is not None and self._before is not None:
            extent = np.maximum(mask, warped(self._extent, self._before, border="zero") * _MEMORY)
        core = cv2.erode(mask, disc(RIM))
        if core.sum() < _CORE * mask.sum():
            core = mask
        before = None if self._before is None else warped(self._before, self._before)
        motion = target_motion(flow, confidence, core, extent, before)
        # where it is seen it may bend as it likes: only what is hidden moves as the whole does
        seen = confidence * core * ~_beside(extent - mask)
        rest = (flow - motion) * (seen / (seen + FADING))[..., None]
        motion = motion + pulled_and_pushed(rest, np.maximum(seen, FADING))
        self._extent, self._before = extent, motion
        return np.asarray(motion)


def _beside(hidden: Confidence) -> Bool[np.ndarray, "_ _"]:
    """Return where something that hides the target is too near for dense flow to be the target's.

    Slivers don't count: they are errors of the extent.
    """
    solid = cv2.erode((hidden > _HIDDEN).astype(np.uint8), disc(_SLIVER))
    return np.asarray(cv2.dilate(solid, disc(_SLIVER + NEAR)) > 0)


def _before(link: Field, confidence: Confidence, beyond: Chain) -> Chain:
    """Put one link before a chain."""
    height, width = confidence.shape
    ends = grid((width, height)) + link
    followed = sample(beyond.confidence, ends)
    followed = np.where(inside(ends, (width, height)), followed, followed * np.float32(LEFT))
    return Chain(
        displacement=chained(link, beyond.displacement),
        confidence=np.asarray(confidence * followed, np.float32),
    )
