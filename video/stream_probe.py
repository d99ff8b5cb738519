"""Measuring a clip: what it is, when each frame is shown, and whether all of it can be read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import av.error
import numpy as np
from av.container import InputContainer
from av.stream import Stream
from av.video.stream import VideoStream

from image_core.errors import InvalidInput
from video.clip_info import AudioStream, ClipInfo
from video.colour_tags import FULL
from video.opening import file_sha256, open_container, video_stream
from video.plane_formats import layout_of
from video.planes import upright_format
from video.watching import Seen, watch

_KEPT_METADATA = (
    *("title", "artist", "album", "comment", "copyright", "creation_time", "date"),
    *("description", "genre", "location", "location-eng", "synopsis"),
)
_CLOCK_STARTS_ANYWHERE = {"mpegts", "mpeg", "hls", "flv", "rtp"}
_LOST_SOUND = Fraction(1, 10)
"""Seconds by which sound may end before the header says, which often counts its padding."""
_CLOCK = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)")
_REPAIR = "ffmpeg -i IN -crf 16 -c:a copy OUT.mp4"
_ONE_FRAME_A_PACKET = {"h264", "hevc", "ffv1", "mjpeg", "prores"}


def _quiet(_done: float) -> None:
    """Tell nobody."""


def _refuse_damage(path: Path, container: InputContainer, stream: VideoStream, seen: Seen) -> None:
    """Refuse a clip of which parts are missing, rather than give back a shorter one.

    Raises:
        InvalidInput: It says how many frames could be read.
    """
    readable = len(seen.times)
    missing = ""
    if "mp4" in container.format.name:  # its index has one entry for each packet, edits applied
        indexed = len(stream.index_entries)
        if indexed > seen.packets:
            missing = f"{indexed - seen.packets} of {indexed} coded frames are missing"
    if not missing and seen.damaged:
        missing = f"{seen.damaged} coded frames are damaged"
    if not missing:
        missing = _said_to_be_longer(container, stream, seen)
    if missing:
        raise InvalidInput(
            f"{path} is damaged or cut off: {missing}; {readable} frames could be read",
            hint=f"Get the file again, or keep what is readable: {_REPAIR}",
        )


def _said_to_be_longer(container: InputContainer, stream: VideoStream, seen: Seen) -> str:
    """Compare where the streams end with what the header says; empty where that agrees."""
    known = [time for time in seen.times if time is not None]
    gaps = [after - before for before, after in pairwise(known)]
    tick = _time_base(stream)
    steady = bool(gaps) and max(gaps) - min(gaps) <= 1
    frame = max(gaps, default=0) * tick
    # by how much a stream may end early: how long a last frame is shown isn't always stored
    allowed = {stream.index: frame / 2 if steady else None}
    short = [Fraction(0)]
    for index, end in seen.ends.items():
        slack = allowed.get(index, _LOST_SOUND)
        claimed = _tagged_duration(container.streams[index])
        if claimed is not None and slack is not None and claimed - end > slack:
            short.append(claimed - end)
    if container.duration is not None and seen.ends:
        start = Fraction(container.start_time or 0, av.time_base)
        lost = start + Fraction(container.duration, av.time_base) - max(seen.ends.values())
        if lost > max(_LOST_SOUND, 2 * frame) and (steady or len(seen.ends) > 1):
            short.append(lost)
    if container.format.name == "avi" and stream.average_rate:  # it counts frames
        lost = stream.frames / stream.average_rate - seen.ends.get(stream.index, Fraction(0))
        short.append(lost if lost > frame / 2 else Fraction(0))
    return f"it ends {float(max(short)):.1f} s before its header says" if max(short) else ""


def _tagged_duration(stream: Stream) -> Fraction | None:
    """Return when a stream ends, in seconds, as Matroska tells it for each; None elsewhere."""
    tag = _CLOCK.fullmatch(stream.metadata.get("DURATION", ""))
    if tag is None:
        return None
    hours, minutes, seconds = tag.groups()
    return 3600 * int(hours) + 60 * int(minutes) + Fraction(seconds)


def _growing(times: list[int | None], path: Path) -> tuple[int, ...]:
    known = [time for time in times if time is not None]
    if len(known) == len(times) and all(first < second for first, second in pairwise(known)):
        return tuple(known)
    raise InvalidInput(
        f"{path} has frames without a time of their own",
        hint="Give them times first, at the rate that they are meant for: ffmpeg -r 25 -i IN "
        "-c copy OUT.mp4",
    )


def _last_duration(seen: Seen, times: tuple[int, ...], stream: VideoStream) -> int:
    """Return how many ticks the last frame is shown."""
    gaps = np.diff(times)
    tagged = _tagged_duration(stream)
    if tagged is not None and len(gaps) and gaps.max() - gaps.min() > 1:
        # Matroska stores no durations of frames; where they vary, this tells the last one's
        return max(1, round(tagged / _time_base(stream)) - times[-1])
    if seen.last_duration > 0:
        return seen.last_duration
    if len(gaps):
        return int(np.median(gaps))
    rate = stream.average_rate or stream.guessed_rate or Fraction(25)
    return max(1, round(1 / (rate * _time_base(stream))))


def _time_base(stream: VideoStream) -> Fraction:
    return stream.time_base or Fraction(1, av.time_base)


def _left_out(container: InputContainer, stream: VideoStream) -> tuple[str, ...]:
    others = [
        other.type for other in container.streams if other is not stream and other.type != "audio"
    ]
    if not others:
        return ()
    counted = ", ".join(f"{count} {kind}" for kind, count in sorted(Counter(others).items()))
    return (f"Streams other than the pictures and the sound aren't written: {counted}.",)


def probe_stream(path: Path, *, progress: Callable[[float], None] = _quiet) -> ClipInfo:
    """Measure a video file: it is decoded once from begin to end.

    Args:
        path: A file that PyAV reads.
        progress: Told the share done, from 0 to 1.

    Raises:
        InvalidInput: It can't be read as a whole, has no pictures, is interlaced, changes its
            size on the way, or holds samples of a kind that we don't take; the hint says what
            to do.
    """
    sha256 = file_sha256(path)
    with open_container(path) as container:
        stream = video_stream(container, path)
        if stream.codec_context is None:
            raise InvalidInput(
                f"{path} has pictures in a codec that can't be decoded here",
                hint="Convert it to H.264 first: ffmpeg -i IN -crf 16 -c:a copy OUT.mp4",
            )
        seen = watch(container, stream, progress)
        if len(seen.formats) > 1:
            sizes = ", ".join(sorted(f"{w} x {h} {name}" for w, h, name in seen.formats))
            raise InvalidInput(
                f"{path} changes its frames' size or format on the way: {sizes}",
                hint="Bring it to one size first, for example: ffmpeg -i IN -vf scale=1280:720 "
                "-c:a copy OUT.mp4",
            )
        _refuse_damage(path, container, stream, seen)
        if not seen.times or seen.tags is None or seen.orientation is None:
            raise InvalidInput(f"{path} shows no frame at all", hint="Get the file again.")
        if seen.interlaced:
            raise InvalidInput(
                f"{path} is interlaced: {seen.interlaced} of {len(seen.times)} frames",
                hint="Deinterlace it first, for example: ffmpeg -i IN -vf bwdif -crf 12 -c:a copy "
                "OUT.mp4",
            )
        ((width, height, pix_fmt),) = seen.formats
        layout = layout_of(pix_fmt)
        # an opacity that is full everywhere is none
        format = replace(layout.format, alpha=layout.format.alpha and seen.transparent)
        tags = seen.tags
        if layout.full_range and not tags.range:
            tags = replace(tags, range=FULL)
        times = _growing(seen.times, path)
        aspect = stream.sample_aspect_ratio or Fraction(1)
        warnings = _left_out(container, stream)
        unseen = seen.packets - seen.hidden - len(times)
        if stream.codec_context.name in _ONE_FRAME_A_PACKET and unseen > 0:
            warnings += (
                f"{unseen} coded frames can't be shown: they need others that are cut off.",
            )
        if tags.high_dynamic_range:
            warnings += (
                f"The clip is {tags.high_dynamic_range} high dynamic range; editors see it without "
                "tone mapping, and mastering data isn't kept.",
            )
        origin = 0
        if _CLOCK_STARTS_ANYWHERE & set(container.format.name.split(",")):
            origin = round(Fraction(container.start_time or 0, av.time_base) / _time_base(stream))
        return ClipInfo(
            path=path,
            codec=stream.codec_context.name,
            stored_size=(width, height),
            orientation=seen.orientation,
            stored_format=pix_fmt,
            format=upright_format(format, (width, height), seen.orientation),
            tags=tags,
            colour=tags.model(format, height),
            time_base=_time_base(stream),
            times=times,
            last_duration=_last_duration(seen, times, stream),
            origin=origin,
            sample_aspect=1 / aspect if seen.orientation.swaps_sides else aspect,
            audio=tuple(
                AudioStream(
                    index=sound.index,
                    codec=sound.codec_context.name,
                    packets=seen.audio[sound.index],
                    clock=(sound.time_base or Fraction(1, av.time_base)).denominator,
                )
                for sound in container.streams.audio
            ),
            metadata={
                key: value
                for key, value in container.metadata.items()
                if key.lower() in _KEPT_METADATA
            },
            video_index=stream.index,
            sha256=sha256,
            warnings=warnings,
        )
