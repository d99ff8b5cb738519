"""Writing GIFs: every frame and its duration kept, each frame with the palette that suits it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import av.error

from image_core.errors import InvalidInput
from video.frames import Picture
from video.timing import Timing
from video.whole_file import whole_file

_TICK = Fraction(1, 100)
_LONGEST = 65_535  # ticks that a frame can be shown
NOTE = "a GIF holds 256 colours a frame, times in hundredths of a second, and no sound"
"""What a GIF changes, in words for the user."""


def gif_durations(timing: Timing) -> list[int]:
    """Return how many hundredths of a second each frame is shown.

    The end of each frame is rounded, not its duration, so that errors don't add up.
    """
    start = timing.times[0]
    ends = [*timing.times[1:], timing.times[-1] + timing.last_duration]
    rounded = [0, *(round((end - start) * timing.time_base / _TICK) for end in ends)]
    return [min(max(1, after - before), _LONGEST) for before, after in pairwise(rounded)]


def write_gif(path: str | Path, frames: Iterable[Picture], timing: Timing) -> int:
    """Write frames as a GIF that repeats; the file appears as a whole or not at all.

    Args:
        path: Where to.
        frames: Upright RGB, one for each time; one is held at a time.
        timing: When they are shown.

    Returns:
        How many were written.

    Raises:
        InvalidInput: There are fewer or more frames than times, the place can't be written, or the
            disk is full.
    """
    durations = gif_durations(timing)
    count = 0
    with whole_file(path) as partial:
        source = iter(frames)
        first = next(source, None)
        if first is None:
            raise InvalidInput(f"cannot write {path}: the clip has no frames")
        height, width = first.shape[:2]
        options = {"loop": "0", "final_delay": str(durations[-1])}
        try:
            with av.open(str(partial), "w", format="gif", options=options) as container:
                stream = container.add_stream("gif", rate=1 / _TICK)
                stream.width, stream.height, stream.pix_fmt = width, height, "pal8"
                stream.codec_context.time_base = _TICK
                palette = _Palette(width, height)
                shown = 0
                for picture, duration in zip(_again(first, source), durations, strict=True):
                    for frame in palette.reduced(picture, shown):
                        container.mux(stream.encode(frame))
                    shown += duration
                    count += 1
                for frame in palette.reduced(None, shown):
                    container.mux(stream.encode(frame))
                container.mux(stream.encode(None))
        except ValueError as error:
            raise InvalidInput(
                f"{path}: other than {len(durations)} frames for as many times"
            ) from error
    return count


def _again(first: Picture, rest: Iterator[Picture]) -> Iterator[Picture]:
    yield first
    yield from rest


class _Palette:
    """Reduces each frame to the 256 colours that suit it, without dither, which would flicker."""

    def __init__(self, width: int, height: int) -> None:
        graph = av.filter.Graph()
        source = graph.add_buffer(
            width=width, height=height, format=av.VideoFormat("rgb24"), time_base=_TICK
        )
        split, sink = graph.add("split"), graph.add("buffersink")
        measure = graph.add("palettegen", "stats_mode=single")
        use = graph.add("paletteuse", "new=1:dither=none")
        source.link_to(split)
        split.link_to(measure, 0, 0)
        split.link_to(use, 1, 0)
        measure.link_to(use, 0, 1)
        use.link_to(sink)
        graph.configure()
        self._graph = graph

    def reduced(self, picture: Picture | None, shown: int) -> Iterator[av.VideoFrame]:
        """Take a frame, or the end, and give what is ready."""
        frame = None
        if picture is not None:
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            frame.pts, frame.time_base = shown, _TICK
        self._graph.vpush(frame)
        with contextlib.suppress(av.error.BlockingIOError, av.error.EOFError):
            while True:
                ready = self._graph.vpull()
                assert isinstance(ready, av.VideoFrame)
                yield ready
