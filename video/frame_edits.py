"""The seam between the routes and the writing of a clip: what becomes of each frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from image_core.disk_cache import content_key
from image_core.errors import InsituError
from image_core.types import Image, Mask
from video.frames import Picture, Span

Progress = Callable[[str, float], None]
"""Told a stage's name and its done share."""


@dataclass(frozen=True, kw_only=True)
class FrameResult:
    """A frame after the edit.

    Attributes:
        image: The frame with the edit laid in, float32 in [0, 1]; equal to it where alpha is 0.
        alpha: Where it may differ, on the 8-bit grid of the mask file.
        evaluations: Network rows that this frame alone took.
        warnings: What the user should know.
    """

    image: Image
    alpha: Mask
    evaluations: int = 0
    warnings: tuple[str, ...] = ()


@runtime_checkable
class FrameEdits(Protocol):
    """What an edit makes of the frames of a stretch; each frame by itself, in any order."""

    @property
    def span(self) -> Span:
        """The frames that it may change."""
        ...

    def edited(self, index: int, picture: Picture) -> FrameResult | None:
        """Return a frame after the edit, or None where it stays as it is.

        Args:
            index: Its number in the clip.
            picture: The frame, of the source's own decoded samples.
        """
        ...


@dataclass(frozen=True)
class EditedSpans:
    """The edits of a clip's spans as one: each frame belongs to one of them, or to none."""

    parts: Sequence[FrameEdits]

    def edited(self, index: int, picture: Picture) -> FrameResult | None:
        """Return a frame after the edit, or None where it stays as it is.

        Raises:
            InsituError: The edit failed on this frame; the message says which.
        """
        for part in self.parts:
            if index in part.span:
                return _named(index, lambda part=part: part.edited(index, picture))  # type: ignore[misc]
        return None


def as_float(picture: Picture) -> Image:
    """Return a frame as float32 in [0, 1]."""
    return np.asarray(picture / np.float32(255), np.float32)


def frame_key(seed: int, index: int) -> int:
    """Return the integer that keys a frame's random draws."""
    return int(content_key("frame", str(seed), str(index))[:12], 16)


def _named(index: int, make: Callable[[], FrameResult | None]) -> FrameResult | None:
    try:
        return make()
    except InsituError as error:
        raise type(error)(f"frame {index}: {error}", hint=error.hint) from error
