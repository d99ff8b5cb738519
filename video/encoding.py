"""Coding frames in parts, so that an interrupted clip goes on where it was.

A part is a small file of its own: its first frame can be decoded without any other, and no frame
in it needs one outside. ``assembling`` joins parts without coding again.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import av.error
from av.video.stream import VideoStream

from image_core.errors import EditFailed
from video.converting import converted
from video.frame_planes import to_frame
from video.planes import Planes
from video.whole_file import whole_file
from video.writing_plan import StreamSettings

PART_FRAMES = 64
"""Frames in a part: a key frame every few seconds, and little work lost."""

_ENCODERS = {"h264": "libx264", "h265": "libx265", "ffv1": "ffv1"}
_THREADS = 4  # fixed, since x264's bits depend on how many there are
_ONE_SLICE = (352, 288)
"""The largest frame that FFV1 codes in one slice; small odd ones can't be cut into several."""
_SLOWEST, _QUICKEST = Fraction(1), Fraction(240)  # frame rates that rate control is told
_OPTIONS = {
    # x264's macroblock tree isn't the same from run to run where the processor has AVX-512; without
    # it a clip is 0.4 dB worse for its size
    "h264": {"preset": "medium", "x264-params": "mbtree=0"},
    "h265": {"preset": "medium", "x265-params": "log-level=none:open-gop=0:frame-threads=2"},
    # version 3, with a checksum in each slice; every frame by itself
    "ffv1": {"level": "3", "slicecrc": "1", "g": "1"},
}


def encode_part(path: str | Path, frames: Iterable[Planes], settings: StreamSettings) -> int:
    """Code frames into one part, which appears as a whole or not at all.

    A frame in another format than the settings' is converted to it (``converting``).

    Args:
        path: Where to; the container is Matroska whatever its name.
        frames: Upright, in order; only a few are held at a time.
        settings: The same for all parts of a clip.

    Returns:
        How many frames it holds.

    Raises:
        InvalidInput: The place can't be written, or the disk is full.
        EditFailed: The encoder refused a frame.
    """
    model = settings.tags.model(settings.format, settings.size[1])
    count = 0
    with whole_file(path) as partial:
        try:
            with av.open(
                str(partial), "w", format="matroska", options={"fflags": "+bitexact"}
            ) as container:
                stream = _stream(container, settings)
                for count, planes in enumerate(frames, start=1):
                    frame = to_frame(converted(planes, settings.format, model), settings.layout)
                    frame.pts = count - 1
                    frame.time_base = 1 / _told_rate(settings.rate)
                    container.mux(stream.encode(frame))
                container.mux(stream.encode(None))
        except av.error.FFmpegError as error:
            if isinstance(error, OSError):
                raise
            raise EditFailed(f"the {settings.codec} encoder failed: {error}") from error
    return count


def _told_rate(rate: Fraction) -> Fraction:
    return min(max(rate, _SLOWEST), _QUICKEST).limit_denominator(1001)


def _stream(container: av.container.OutputContainer, settings: StreamSettings) -> VideoStream:
    rate = _told_rate(settings.rate)
    options = dict(_OPTIONS[settings.codec])
    if settings.quality is not None:
        options["crf"] = str(settings.quality)
    width, height = settings.size
    if settings.codec == "ffv1" and width <= _ONE_SLICE[0] and height <= _ONE_SLICE[1]:
        options["slices"] = "1"
    stream = container.add_stream(_ENCODERS[settings.codec], rate=rate, options=options)
    assert isinstance(stream, VideoStream)
    stream.width, stream.height = width, height
    stream.pix_fmt = settings.layout.pix_fmt
    context = stream.codec_context
    context.time_base = 1 / rate
    context.thread_count = _THREADS
    # whole frames side by side: slices of a frame would cost quality
    context.thread_type = "FRAME"
    set_tags(stream, settings)
    return stream


def set_tags(stream: VideoStream, settings: StreamSettings) -> None:
    """Write colour tags and the pixels' shape into a stream that is to be written."""
    context = stream.codec_context
    context.colorspace = settings.tags.matrix
    context.color_range = settings.tags.range
    context.color_primaries = settings.tags.primaries
    context.color_trc = settings.tags.transfer
    context.sample_aspect_ratio = settings.sample_aspect
