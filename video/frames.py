"""What the video parts need of a clip: its upright RGB frames, by number, and stretches of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import cv2
import numpy as np
from jaxtyping import UInt8

Picture = UInt8[np.ndarray, "_ _ 3"]
"""An upright frame, RGB, 8 bit."""


@runtime_checkable
class Frames(Protocol):
    """The upright frames of a clip; reading any one of them is cheap enough, holding all is not."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        ...

    def __len__(self) -> int:
        """Return how many there are."""
        ...

    def rgb(self, index: int) -> Picture:
        """Return one frame."""
        ...


@dataclass(frozen=True)
class ArrayFrames:
    """Frames that lie in memory, all of one size."""

    pictures: Sequence[Picture]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        height, width = self.pictures[0].shape[:2]
        return width, height

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.pictures)

    def rgb(self, index: int) -> Picture:
        """Return one frame."""
        return self.pictures[index]


class ScaledFrames:
    """Frames reduced by area averaging, the last few kept in memory."""

    def __init__(self, frames: Frames, size: tuple[int, int], *, kept: int = 4) -> None:
        """Take frames and the width and height that they are reduced to."""
        self._frames, self._size, self._kept = frames, size, kept
        self._pictures: dict[int, Picture] = {}

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self._size

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._frames)

    def rgb(self, index: int) -> Picture:
        """Return one frame."""
        if index not in self._pictures:
            picture = self._frames.rgb(index)
            if self._size != self._frames.size:
                picture = cv2.resize(picture, self._size, interpolation=cv2.INTER_AREA)
            while len(self._pictures) >= self._kept:
                del self._pictures[next(iter(self._pictures))]
            self._pictures[index] = picture
        return self._pictures[index]


@dataclass(frozen=True, order=True)
class Span:
    """A stretch of frames: those from ``start`` up to, but not including, ``stop``."""

    start: int
    stop: int

    def __len__(self) -> int:
        """Return how many frames it holds."""
        return self.stop - self.start

    def __contains__(self, index: int) -> bool:
        """Tell whether a frame lies in it."""
        return self.start <= index < self.stop

    def __iter__(self) -> Iterator[int]:
        """Go through its frames' numbers."""
        return iter(range(self.start, self.stop))


def working_size(size: tuple[int, int], longest: int) -> tuple[int, int]:
    """Return a size of the same shape whose longer side is at most ``longest`` pixels."""
    width, height = size
    scale = min(1.0, longest / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))
