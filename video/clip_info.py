"""What a clip is, measured: frame times, format, colour, sound."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Literal

from video.colour_tags import ColourModel, ColourTags
from video.frames import Span
from video.plane_formats import Layout, PlaneFormat, layout_of
from video.planes import UPRIGHT, Orientation

Container = Literal["stream", "pictures"]


@dataclass(frozen=True, kw_only=True)
class AudioStream:
    """A stream of sound, known by its place in the file.

    Attributes:
        index: Among all streams of the file.
        codec: The codec's name.
        packets: How many packets it has.
        clock: How many ticks a second its times count.
    """

    index: int
    codec: str
    packets: int
    clock: int


@dataclass(frozen=True, kw_only=True)
class ClipInfo:
    """A clip, as decoding all of it once showed it.

    Attributes:
        path: The file, or the folder of pictures.
        container: A stream that PyAV reads (GIFs too), or pictures.
        pictures: The files of a folder of pictures, in order.
        codec: How the pictures are coded.
        stored_size: Width and height as stored.
        orientation: What turns stored frames upright.
        stored_format: The stored pixel format's name.
        format: The planes of an upright frame.
        tags: The colour tags as stored.
        colour: What they mean.
        time_base: Seconds of one tick.
        times: When each frame is shown, in ticks, growing; edit lists are applied.
        last_duration: How long the last one is shown, in ticks, at least 1.
        origin: The tick that the clip's clock starts at: 0 unless the container's clock starts
            anywhere (transport streams).
        sample_aspect: Width of an upright pixel by its height.
        audio: Its streams of sound.
        metadata: Title, artist and the like.
        video_index: Which stream of the file holds the pictures.
        sha256: Of the file; of a folder's names and files.
        warnings: What the user should know.
    """

    path: Path
    container: Container = "stream"
    pictures: tuple[Path, ...] = field(default=(), repr=False)
    codec: str
    stored_size: tuple[int, int]
    orientation: Orientation = UPRIGHT
    stored_format: str
    format: PlaneFormat
    tags: ColourTags
    colour: ColourModel
    time_base: Fraction
    times: tuple[int, ...] = field(repr=False)
    last_duration: int
    origin: int = 0
    sample_aspect: Fraction = Fraction(1)
    audio: tuple[AudioStream, ...] = ()
    metadata: dict[str, str] = field(default_factory=dict)
    video_index: int = 0
    sha256: str
    warnings: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return how many frames are shown."""
        return len(self.times)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of an upright frame."""
        width, height = self.stored_size
        return (height, width) if self.orientation.swaps_sides else (width, height)

    @property
    def layout(self) -> Layout:
        """Where a stored frame's samples lie; an opacity that says nothing is passed over."""
        stored = layout_of(self.stored_format)
        return replace(stored, format=replace(stored.format, alpha=self.format.alpha))

    @property
    def end(self) -> int:
        """The tick at which the last frame goes."""
        return self.times[-1] + self.last_duration

    @property
    def duration(self) -> Fraction:
        """Seconds from the first frame to the end of the last."""
        return (self.end - self.times[0]) * self.time_base

    @property
    def rate(self) -> Fraction:
        """Frames a second, on average."""
        return len(self) / self.duration

    def seconds(self, index: int) -> Fraction:
        """Return when a frame is shown, on the clip's clock."""
        return (self.times[index] - self.origin) * self.time_base

    def index_at(self, seconds: float | Fraction) -> int:
        """Return the frame whose time is nearest; the earlier of two."""
        tick = Fraction(seconds) / self.time_base + self.origin
        after = bisect_left(self.times, tick)
        if after == 0:
            return 0
        if after == len(self.times):
            return after - 1
        before = after - 1
        return before if tick - self.times[before] <= self.times[after] - tick else after

    def span_between(self, start: float | None, end: float | None) -> Span:
        """Return the frames shown from ``start`` up to, not including, ``end``, in seconds.

        Each limit is taken as the nearest frame; a limit beyond the last frame's end is the end.
        """
        first = 0 if start is None else self.index_at(start)
        if end is None or Fraction(end) >= (self.end - self.origin) * self.time_base:
            return Span(first, len(self))
        return Span(first, self.index_at(end))

    def durations(self) -> tuple[int, ...]:
        """Return how many ticks each frame is shown."""
        following = (*self.times[1:], self.end)
        return tuple(after - time for time, after in zip(self.times, following, strict=True))
