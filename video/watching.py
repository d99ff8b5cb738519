"""One pass over a video file: every frame decoded, every packet of sound counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import cast

import av
import av.error
import numpy as np
from av import VideoFrame
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from image_core.errors import InvalidInput
from video.colour_tags import ColourTags
from video.frame_planes import from_frame
from video.plane_formats import layout_of
from video.planes import UPRIGHT, Orientation

_QUARTER = 1 << 16  # one, in the fixed point of a display matrix


@dataclass
class Seen:
    """What one pass over a file showed.

    Attributes:
        times: Of each shown frame, in ticks, as they came.
        last_duration: Of the last shown frame, in ticks; 0 where it isn't said.
        packets: How many coded frames there are.
        hidden: How many of them an edit list hides.
        damaged: How many couldn't be decoded, or only in part.
        interlaced: How many frames are two fields.
        transparent: Whether any pixel's opacity isn't full.
        audio: Packets of sound, by stream.
        formats: Width, height and pixel format of the frames.
        tags: The first frame's colour tags.
        orientation: How the first frame is to be shown.
        ends: When each stream's last packet ends, in seconds.
    """

    times: list[int | None] = field(default_factory=list)
    last_duration: int = 0
    packets: int = 0
    hidden: int = 0
    damaged: int = 0
    interlaced: int = 0
    transparent: bool = False
    audio: Counter[int] = field(default_factory=Counter)
    formats: set[tuple[int, int, str]] = field(default_factory=set)
    tags: ColourTags | None = None
    orientation: Orientation | None = None
    ends: dict[int, Fraction] = field(default_factory=dict)


def orientation_of(frame: VideoFrame) -> Orientation:
    """Read from a frame's display matrix how it is to be shown.

    Raises:
        InvalidInput: It is to be turned by something else than quarter turns.
    """
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return UPRIGHT
    a, b, _, c, d, *_ = np.frombuffer(cast("bytes", data), np.int32).tolist()
    # (a, b; c, d) takes the stored x and y, y pointing down, to the shown ones
    for rotation, (cosine, sine) in {0: (1, 0), 90: (0, 1), 180: (-1, 0), 270: (0, -1)}.items():
        for mirrored in (False, True):
            flip = -1 if mirrored else 1
            wanted = (flip * cosine, -flip * sine, sine, cosine)
            if all(
                abs(have - _QUARTER * want) < _QUARTER // 100
                for have, want in zip((a, b, c, d), wanted, strict=True)
            ):
                return Orientation(rotation=rotation, mirrored=mirrored)
    raise InvalidInput(
        "the clip is to be shown turned by something else than quarter turns",
        hint="Turn it in a video program first, or drop the tag: ffmpeg -display_rotation 0 -i IN "
        "-c copy OUT.",
    )


def watch(
    container: InputContainer, stream: VideoStream, progress: Callable[[float], None]
) -> Seen:
    """Decode every frame of a stream once and write down what matters.

    Args:
        container: The file, from its begin.
        stream: Its pictures.
        progress: Told the share done, from 0 to 1.

    Raises:
        InvalidInput: A frame is of a kind that isn't taken apart.
    """
    seen = Seen()
    stream.thread_type = "AUTO"
    chosen = [stream, *container.streams.audio]
    try:
        for packet in container.demux(*chosen):
            ours = packet.stream_index == stream.index
            if packet.size:
                _note_packet(seen, packet, ours)
            if not ours:
                continue
            try:
                frames = cast("list[VideoFrame]", packet.decode())
            except av.error.FFmpegError:
                seen.damaged += 1
                continue
            for frame in frames:
                _note_frame(seen, frame)
                if container.duration and frame.time:
                    progress(min(1.0, frame.time * av.time_base / container.duration))
    except av.error.FFmpegError:
        seen.damaged += 1
    return seen


def _note_packet(seen: Seen, packet: Packet, ours: bool) -> None:
    if ours:
        seen.packets += 1
        seen.hidden += packet.is_discard
        seen.damaged += packet.is_corrupt
    else:
        seen.audio[packet.stream_index] += 1
    if packet.pts is not None:
        end = (packet.pts + (packet.duration or 0)) * packet.time_base
        seen.ends[packet.stream_index] = max(end, seen.ends.get(packet.stream_index, end))


def _note_frame(seen: Seen, frame: VideoFrame) -> None:
    seen.times.append(frame.pts)
    seen.last_duration = int(frame.duration or 0)
    seen.damaged += frame.is_corrupt
    seen.interlaced += frame.interlaced_frame
    if not seen.transparent and any(part.is_alpha for part in frame.format.components):
        layout = layout_of(frame.format.name)
        seen.transparent = bool((from_frame(frame, layout).arrays[-1] < layout.format.peak).any())
    seen.formats.add((frame.width, frame.height, frame.format.name))
    if seen.tags is None:
        seen.tags = ColourTags(
            matrix=int(frame.colorspace),
            range=int(frame.color_range),
            primaries=int(frame.color_primaries),
            transfer=int(frame.color_trc),
        )
        seen.orientation = orientation_of(frame)
