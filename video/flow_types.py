"""What flows look like to those who use them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32

from video.warping import Field

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
