"""When the frames of a clip to be written are shown."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from video.clip_info import ClipInfo
from video.frames import Span


@dataclass(frozen=True, kw_only=True)
class Timing:
    """When frames are shown.

    Attributes:
        times: In ticks, growing, one for each frame.
        time_base: Seconds of a tick.
        last_duration: How long the last frame is shown, in ticks.
    """

    times: tuple[int, ...]
    time_base: Fraction
    last_duration: int

    @property
    def durations(self) -> tuple[int, ...]:
        """How long each frame is shown, in ticks."""
        ends = (*self.times[1:], self.times[-1] + self.last_duration)
        return tuple(end - time for time, end in zip(self.times, ends, strict=True))

    @property
    def rate(self) -> Fraction:
        """Frames a second, on average."""
        return len(self.times) / (sum(self.durations) * self.time_base)


def timing_of(info: ClipInfo, span: Span | None = None) -> Timing:
    """Return a clip's frame times; those of a stretch start at 0."""
    if span is None:
        return Timing(
            times=tuple(time - info.origin for time in info.times),
            time_base=info.time_base,
            last_duration=info.last_duration,
        )
    first = info.times[span.start]
    return Timing(
        times=tuple(time - first for time in info.times[span.start : span.stop]),
        time_base=info.time_base,
        last_duration=info.durations()[span.stop - 1],
    )
