"""Exact frames of a video file, by number: seek to a key frame, decode up to the wanted time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import av.error
from av import VideoFrame
from av.container import InputContainer
from av.video.stream import VideoStream

from image_core.errors import InvalidInput
from video.clip_info import ClipInfo
from video.frame_planes import from_frame
from video.opening import open_container
from video.planes import Planes, upright

_BACK = (0, 1, 4, 16)
"""Seconds before the wanted time at which a seek is tried again when it came out too late."""


def _sought(container: InputContainer, stream: VideoStream, wanted: int) -> Iterator[VideoFrame]:
    """Decode from a key frame at or before a time; from wherever the last try led, if need be."""
    assert stream.time_base is not None
    for seconds in _BACK:
        container.seek(round(wanted - seconds / stream.time_base), stream=stream)
        frames = container.decode(stream)
        first = next(frames, None)
        if first is not None and first.pts is not None and first.pts <= wanted:
            return chain((first,), frames)
    return iter(())


def _numbered(info: ClipInfo, start: int, *, seeking: bool) -> Iterator[tuple[int, VideoFrame]]:
    """Decode the frames from ``start`` on, each with its number."""
    numbers = {time: number for number, time in enumerate(info.times)}
    with open_container(info.path) as container:
        stream = container.streams.video[0]
        for other in container.streams.video:
            stream = other if other.index == info.video_index else stream
        stream.thread_type = "AUTO"
        frames = (
            _sought(container, stream, info.times[start]) if seeking else container.decode(stream)
        )
        for frame in frames:
            number = numbers.get(frame.pts, -1) if frame.pts is not None else -1
            if number >= start:
                yield number, frame


def read_planes(info: ClipInfo, start: int, stop: int) -> Iterator[tuple[int, Planes]]:
    """Go through the upright frames of a stretch, in order, in the clip's own samples.

    Raises:
        InvalidInput: The file isn't any more what it was when it was measured.
    """
    layout = info.layout
    expected = start
    # a decoder that begins in the middle may lose frames (references across key frames); then the
    # file is decoded from its begin
    for seeking in (True, False) if start else (False,):
        try:
            for number, frame in _numbered(info, expected, seeking=seeking):
                if expected == stop or number != expected:
                    break
                yield number, upright(from_frame(frame, layout), info.orientation)
                expected += 1
        except av.error.FFmpegError as error:
            if not seeking:
                raise InvalidInput(
                    f"{info.path} can't be read at frame {expected}: {error}",
                    hint="Get the file again.",
                ) from error
        if expected >= stop:
            return
    raise InvalidInput(
        f"{info.path}: frame {expected} of {len(info)} isn't where it was",
        hint="If the file has changed meanwhile, start again.",
    )
