"""How the frames of a shot lie in its one canonical picture, whichever model found that out.

A shot's *reference frame* lies in the canonical picture as it is; the canonical picture may be
larger, where the camera pans. Everything is defined at any frame size: a fit is made on small
frames, an edit is carried to the full ones.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import cv2
import numpy as np
from jaxtyping import Float32, Int16, Shaped, UInt8

from image_core.errors import InvalidInput
from video.flow_types import Confidence
from video.frames import Span
from video.warping import Field, grid

STEP = 1 / 32
"""Places are kept to this share of a pixel, so that a stored fit is the very fit that was made."""

LARGEST = 2.0
"""A canonical picture is at most this many times as wide, and as high, as a frame."""

_SPECK = 1e-3  # of a pixel: rounding, not a margin


@dataclass(frozen=True, kw_only=True)
class CanonicalWindow:
    """The canonical picture's extent: the reference frame and a margin on each side of it.

    Attributes:
        frame: Width and height of the frames, in pixels.
        left: Columns of the canonical picture to the left of the reference frame.
        top: Rows above it.
        right: Columns to the right of it.
        bottom: Rows below it.
    """

    frame: tuple[int, int]
    left: int = 0
    top: int = 0
    right: int = 0
    bottom: int = 0

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the canonical picture."""
        width, height = self.frame
        return self.left + width + self.right, self.top + height + self.bottom

    @property
    def origin(self) -> Float32[np.ndarray, " 2"]:
        """The canonical place of the reference frame's top left pixel, x first."""
        return np.array([self.left, self.top], np.float32)

    def resized(self, frame: tuple[int, int]) -> CanonicalWindow:
        """Return the window for frames of another size; its margins stay whole pixels."""
        if frame == self.frame:
            return self
        across, down = frame[0] / self.frame[0], frame[1] / self.frame[1]
        return CanonicalWindow(
            frame=frame,
            left=math.ceil(self.left * across),
            top=math.ceil(self.top * down),
            right=math.ceil(self.right * across),
            bottom=math.ceil(self.bottom * down),
        )

    def crop(self, picture: Shaped[np.ndarray, "_ _ *c"]) -> Shaped[np.ndarray, "_ _ *c"]:
        """Cut the reference frame's part out of a picture of the canonical size."""
        width, height = self.frame
        return picture[self.top : self.top + height, self.left : self.left + width]

    @classmethod
    def holding(
        cls,
        frame: tuple[int, int],
        lowest: tuple[float, float],
        highest: tuple[float, float],
        *,
        largest: float = LARGEST,
    ) -> CanonicalWindow:
        """Choose the window that holds a range of places.

        Args:
            frame: Width and height of the frames.
            lowest: The least x and y that are wanted, in the reference frame's pixels.
            highest: The greatest ones.
            largest: How many times a frame's side the canonical picture's may be; margins that
                would need more are cut in proportion.
        """
        (left, right), (top, bottom) = (
            _margins(max(0.0, -low), max(0.0, high - (side - 1)), (largest - 1) * side)
            for side, low, high in zip(frame, lowest, highest, strict=True)
        )
        return cls(frame=frame, left=left, top=top, right=right, bottom=bottom)


def _margins(before: float, after: float, allowed: float) -> tuple[int, int]:
    """Return whole pixels for two wanted margins: rounded up, or cut to what is allowed."""
    up = math.ceil(before - _SPECK), math.ceil(after - _SPECK)
    if sum(up) <= allowed:
        return up
    share = min(1.0, allowed / (before + after))
    return math.floor(before * share), math.floor(after * share)


@runtime_checkable
class Deformation(Protocol):
    """Where each pixel of each frame of a shot lies in its canonical picture."""

    @property
    def span(self) -> Span:
        """The frames for which it is defined."""
        ...

    @property
    def reference(self) -> int:
        """The frame that lies in the canonical picture as it is."""
        ...

    @property
    def window(self) -> CanonicalWindow:
        """The canonical window for frames of the size that the fit was made on."""
        ...

    def places(self, index: int, size: tuple[int, int] | None = None) -> Field:
        """Return each pixel's place in the canonical picture.

        Args:
            index: The frame.
            size: Width and height of that frame; that of the fit by default.

        Returns:
            (x, y) in pixels of the canonical picture ``window.resized(size)``.
        """
        ...

    def confidence(self, index: int) -> Confidence:
        """Return how far each pixel's place can be trusted, at the size of the fit."""
        ...


@dataclass(frozen=True, kw_only=True)
class DenseDeformation:
    """A deformation kept as one displacement a pixel, in steps of 1/32 pixel.

    Attributes:
        span: The frames for which it is defined.
        reference: The frame that lies in the canonical picture as it is.
        window: The canonical window at the size of the fit.
        steps: From each pixel to its counterpart in the reference frame, in steps; x first.
        trust: Confidence of each pixel's place, 255 = certain.
    """

    span: Span
    reference: int
    window: CanonicalWindow
    steps: Int16[np.ndarray, "n h w 2"]
    trust: UInt8[np.ndarray, "n h w"]

    @classmethod
    def of(
        cls,
        displacements: Mapping[int, Field],
        confidences: Mapping[int, Confidence],
        *,
        span: Span,
        reference: int,
        window: CanonicalWindow,
    ) -> DenseDeformation:
        """Keep displacements from each frame of a span to its reference frame, in pixels."""
        far = np.iinfo(np.int16)
        steps = [
            np.clip(np.rint(displacements[index] / STEP), far.min, far.max).astype(np.int16)
            for index in span
        ]
        trust = [
            np.rint(np.clip(confidences[index], 0, 1) * 255).astype(np.uint8) for index in span
        ]
        return cls(
            span=span,
            reference=reference,
            window=window,
            steps=np.stack(steps),
            trust=np.stack(trust),
        )

    def places(self, index: int, size: tuple[int, int] | None = None) -> Field:
        """See ``Deformation.places``."""
        window = self.window if size is None else self.window.resized(size)
        displacement = self.steps[self._row(index)].astype(np.float32) * np.float32(STEP)
        return np.asarray(
            grid(window.frame) + magnified(displacement, window.frame) + window.origin
        )

    def confidence(self, index: int) -> Confidence:
        """See ``Deformation.confidence``."""
        return np.asarray(self.trust[self._row(index)].astype(np.float32) / np.float32(255))

    def _row(self, index: int) -> int:
        if index not in self.span:
            raise InvalidInput(
                f"frame {index} is not one of {self.span.start} to {self.span.stop - 1}",
                hint="use the deformation of the span that holds the frame",
            )
        return index - self.span.start


def magnified(displacement: Field, size: tuple[int, int]) -> Field:
    """Bring a displacement to a frame size, smoothly, its units axis by axis.

    Linear interpolation would leave creases along the small frame's pixels, which a painted
    straight line makes visible.
    """
    height, width = displacement.shape[:2]
    if (width, height) == size:
        return displacement
    scale = np.array([size[0] / width, size[1] / height], np.float32)
    smaller = size[0] < width or size[1] < height
    filter = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(displacement, size, interpolation=filter) * scale, np.float32)
