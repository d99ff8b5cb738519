"""Optical flow between two frames, how far it can be trusted, and flow chained over many.

The estimator that needs no weights is T. Kroeger et al., "Fast optical flow using dense inverse
search", ECCV 2016, as OpenCV has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import cv2
import numpy as np
from jaxtyping import Float32

from image_core.errors import InvalidInput
from video.flow_types import Confidence, Flows, PairFlow, flow_to
from video.frames import Picture
from video.padding import padded, padding_for, unpadded
from video.warping import Field, grid, inside, warped

Preset = Literal["draft", "normal", "best"]

_RELATIVE, _ABSOLUTE = 0.01, 0.5
"""Of the squared lengths, and in px²: what forward and backward may differ by (``confidence``)."""

_LEAST_SIDE = 16  # px; below, DIS has no room for its patches
_PRESETS: dict[Preset, tuple[int, int]] = {
    "draft": (cv2.DISOPTICAL_FLOW_PRESET_FAST, 1),
    "normal": (cv2.DISOPTICAL_FLOW_PRESET_MEDIUM, 1),
    "best": (cv2.DISOPTICAL_FLOW_PRESET_MEDIUM, 0),
}
"""OpenCV's preset, and the finest level of the pyramid that is searched (0: full size)."""


@runtime_checkable
class FlowEstimator(Protocol):
    """Anything that measures the motion between two frames of one size."""

    @property
    def name(self) -> str:
        """What it is and how it is set: two of the same name give the same flow."""
        ...

    def flow(self, first: Picture, second: Picture) -> Field:
        """Return where each pixel of ``first`` has gone in ``second``, in pixels, x first."""
        ...


@dataclass(frozen=True)
class Dis:
    """Dense inverse search: 5 to 100 ms for a flow at 320 pixels on one core.

    Attributes:
        preset: How much work; only ``best`` searches the full size.
    """

    preset: Preset = "best"

    @property
    def name(self) -> str:
        """What it is and how it is set."""
        return f"dis-{self.preset}"

    def flow(self, first: Picture, second: Picture) -> Field:
        """Return where each pixel of ``first`` has gone in ``second``.

        Raises:
            InvalidInput: They are not of one size.
        """
        check_sizes(first, second)
        height, width = first.shape[:2]
        around = padding_for((width, height), least=_LEAST_SIDE)
        grey = [cv2.cvtColor(padded(seen, around), cv2.COLOR_RGB2GRAY) for seen in (first, second)]
        preset, finest = _PRESETS[self.preset]
        search = cv2.DISOpticalFlow.create(preset)
        search.setFinestScale(finest)
        found = search.calc(grey[0], grey[1], np.zeros((*grey[0].shape, 2), np.float32))
        return unpadded(np.asarray(found, np.float32), around)


def check_sizes(first: Picture, second: Picture) -> None:
    """Refuse two frames that are not of one size.

    Raises:
        InvalidInput: They are not.
    """
    if first.shape != second.shape or first.size == 0:
        raise InvalidInput(
            f"no flow between frames of shapes {first.shape} and {second.shape}",
            hint="Bring all frames to one size first.",
        )


def disagreement(flow: Field, back: Field) -> Float32[np.ndarray, "_ _"]:
    """Return how far a flow and the way back fail to cancel, in units of what is allowed.

    N. Sundaram, T. Brox, K. Keutzer, "Dense point trajectories by GPU-accelerated large
    displacement optical flow", ECCV 2010, eq. (5): |w + ŵ|² < 0.01 (|w|² + |ŵ|²) + 0.5, with ŵ the
    backward flow read where w leads. The quotient of the two sides is returned: 1 is their bound.
    """
    returned = warped(back, flow)
    gap = squared_length(flow + returned)
    length = squared_length(flow) + squared_length(returned)
    return np.asarray(gap / (_RELATIVE * length + _ABSOLUTE), np.float32)


def squared_length(field: Field) -> Float32[np.ndarray, "_ _"]:
    """Return the squared length of each of a field's vectors."""
    x, y = field[..., 0], field[..., 1]
    return np.asarray(x * x + y * y)


def confidence(flow: Field, back: Field) -> Confidence:
    """Return how far a flow can be trusted, from the way back: their bound made soft.

    1 / (1 + d²) for the disagreement d: 1 where both cancel, ½ at Sundaram's bound, and 0 where the
    flow leaves the picture, of which the way back knows nothing.
    """
    height, width = flow.shape[:2]
    found = inside(grid((width, height)) + flow, (width, height))
    # lengths that are no numbers, or whose squares overflow, deserve no trust either
    with np.errstate(over="ignore", invalid="ignore"):
        trust = 1 / (1 + np.square(disagreement(flow, back)))
    return np.where(found & np.isfinite(trust), trust, 0).astype(np.float32)


def paired(forward: Field, backward: Field) -> PairFlow:
    """Join two opposite flows with the confidence that each takes from the other."""
    return PairFlow(
        forward=forward,
        backward=backward,
        forward_confidence=confidence(forward, backward),
        backward_confidence=confidence(backward, forward),
    )


def measured_pair(estimator: FlowEstimator, first: Picture, second: Picture) -> PairFlow:
    """Measure the motion between two frames both ways.

    Raises:
        InvalidInput: They are not of one size.
    """
    check_sizes(first, second)
    return paired(estimator.flow(first, second), estimator.flow(second, first))


class Chain:
    """Flows from any frame to one reference frame, made of those between neighbours.

    D(i) = F(i) + D(i ± 1)(p + F(i)): a step per frame, since the neighbour's is remembered. The
    confidence is the least along the way: a pixel once lost stays lost.
    """

    def __init__(self, flows: Flows, reference: int) -> None:
        """Take the flows between neighbours and the frame to which all shall lead."""
        self._flows, self._reference = flows, reference
        width, height = flows.size
        still = np.zeros((height, width, 2), np.float32)
        sure = np.ones((height, width), np.float32)
        self._start = (still, sure)
        self._known: dict[bool, tuple[int, tuple[Field, Confidence]]] = {}

    def to_reference(self, index: int) -> tuple[Field, Confidence]:
        """Return the flow from a frame to the reference, and its confidence at that frame."""
        if index == self._reference:
            return self._start
        after = index > self._reference
        step = 1 if after else -1
        at, link = self._known.get(after, (self._reference, self._start))
        if (index - at) * step < 0:  # nearer to the reference than what is remembered
            at, link = self._reference, self._start
        while at != index:
            at += step
            flow, trust = flow_to(self._flows, at, at - step)
            link = flow + warped(link[0], flow), np.minimum(trust, warped(link[1], flow))
        self._known[after] = (at, link)
        return link
