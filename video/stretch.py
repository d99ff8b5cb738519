"""Which frames of which shots an edit may touch: from the times and shots that were named."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from image_core.errors import InvalidInput
from video.clip_info import ClipInfo
from video.frames import Span

_SLACK = 0.5  # seconds beside the clip at which its nearest frame is still meant


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """A part of a clip as the user names it.

    Attributes:
        start: Seconds of presentation time from which frames are edited.
        end: Seconds before which they are.
        shots: Numbers of the shots that are edited, counted from 1; all when empty.
    """

    start: float | None = None
    end: float | None = None
    shots: tuple[int, ...] = ()


def frames_between(info: ClipInfo, stretch: Stretch) -> Span:
    """Return the frames shown from ``start`` up to, but not including, ``end``.

    Raises:
        InvalidInput: A time is no number, or no frame is shown then.
    """
    limits = [limit for limit in (stretch.start, stretch.end) if limit is not None]
    if not all(math.isfinite(limit) for limit in limits):
        raise InvalidInput("--start and --end are seconds", hint="Such as --start 2 --end 7.5.")
    first, last = _seconds(info)
    low = first if stretch.start is None else stretch.start
    high = last if stretch.end is None else stretch.end
    span = info.span_between(stretch.start, stretch.end)
    if low >= min(high, last) or high <= first or span.stop <= span.start:
        raise InvalidInput(
            f"no frame is shown from {_said(stretch.start)} to {_said(stretch.end)}",
            hint="The clip's frames are shown from {:g} s to {:g} s.".format(*_seconds(info)),
        )
    return span


def frame_at(info: ClipInfo, seconds: float) -> int:
    """Return the frame shown nearest to a time.

    Raises:
        InvalidInput: The time lies outside the clip.
    """
    first, end = _seconds(info)
    if not first - _SLACK <= seconds <= end + _SLACK:
        raise InvalidInput(
            f"--at {seconds:g} lies outside the clip",
            hint=f"Its frames are shown from {first:g} s to {end:g} s.",
        )
    return info.index_at(seconds)


def chosen_spans(shots: Sequence[Span], within: Span, numbers: Sequence[int]) -> list[Span]:
    """Return the parts of the chosen shots that lie within a span, in order.

    Raises:
        InvalidInput: A number is of no shot, or nothing of the chosen shots lies within.
    """
    for number in numbers:
        if not 1 <= number <= len(shots):
            raise InvalidInput(
                f"the clip has no shot {number}",
                hint=f"It has {len(shots)}, counted from 1; --dry-run shows them.",
            )
    wanted = [shots[number - 1] for number in sorted(set(numbers))] or list(shots)
    parts = [Span(max(shot.start, within.start), min(shot.stop, within.stop)) for shot in wanted]
    parts = [part for part in parts if part.start < part.stop]
    if not parts:
        raise InvalidInput(
            "none of the chosen shots is shown between --start and --end",
            hint="--dry-run shows the shots and their times.",
        )
    return parts


def _seconds(info: ClipInfo) -> tuple[float, float]:
    """Return when the first frame comes and the last one goes."""
    return float(info.seconds(0)), float((info.end - info.origin) * info.time_base)


def _said(limit: float | None) -> str:
    return "the clip's end" if limit is None else f"{limit:g} s"
