"""What flows look like to those who use them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32

from video.warping import Field, sample

Confidence = Float32[np.ndarray, "_ _"]
"""In [0, 1], at each pixel of the frame in which a flow starts."""


@dataclass(frozen=True, kw_only=True)
class PairFlow:
    """The motion between a frame and the next one, both ways, in pixels of the working size.

    Attributes:
        forward: From the frame to the next one.
        backward: From the next one back.
        forward_confidence: How far forward and backward agree, at the frame's pixels.
        backward_confidence: The same at the next one's pixels.
    """

    forward: Field
    backward: Field
    forward_confidence: Confidence
    backward_confidence: Confidence


@runtime_checkable
class Flows(Protocol):
    """The flows between neighbouring frames of a clip."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the pictures that the flows were measured on."""
        ...

    def pair(self, index: int) -> PairFlow:
        """Return the flow between frame ``index`` and ``index + 1``."""
        ...


def flow_to(flows: Flows, index: int, neighbour: int) -> tuple[Field, Confidence]:
    """Return the flow from a frame to the one before or after it, and its confidence there."""
    pair = flows.pair(min(index, neighbour))
    if neighbour < index:
        return pair.backward, pair.backward_confidence
    return pair.forward, pair.forward_confidence


def tracked(
    flows: Flows, frames: Sequence[int], places: Field
) -> Iterator[tuple[int, Field, Confidence]]:
    """Follow places of the first of some neighbouring frames through the others.

    Args:
        flows: Between neighbours.
        frames: Their numbers, up or down one by one.
        places: In the first frame, in pixels, x first.

    Yields:
        For each other frame its number, how far the places came, and the least confidence on the
        way.
    """
    at, trust = places, np.ones(places.shape[:2], np.float32)
    for index, onto in pairwise(frames):
        flow, sure = flow_to(flows, index, onto)
        trust = np.minimum(trust, sample(sure, at))
        at = np.asarray(at + sample(flow, at), np.float32)
        yield onto, np.asarray(at - places, np.float32), np.asarray(trust, np.float32)
