"""Joining coded parts into one file, with the source's frame times and its untouched sound."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.error
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from image_core.errors import InvalidInput
from video.clip_info import ClipInfo
from video.encoding import set_tags
from video.frames import Span
from video.opening import open_container
from video.timing import Timing
from video.whole_file import whole_file
from video.writing_plan import ENDINGS, StreamSettings

_MOST_TICKS = (1 << 31) - 1  # a movie's clock runs in 32 bit ticks a second
_TAGS = {"h265": "hvc1"}  # what Apple's players look for


@dataclass(frozen=True, kw_only=True)
class Sound:
    """Where a clip's sound is copied from.

    Attributes:
        source: The file.
        streams: Which of its streams.
        clocks: How many ticks a second each of them counts.
        shift: Seconds that are taken off each packet's time.
        start: Packets that end before are left out; None keeps all.
        end: Packets that start at or after it are left out; None keeps all.
    """

    source: Path
    streams: tuple[int, ...]
    clocks: tuple[int, ...] = ()
    shift: Fraction = Fraction(0)
    start: Fraction | None = None
    end: Fraction | None = None


def sound_of(info: ClipInfo, span: Span | None = None) -> Sound | None:
    """Return a clip's sound, or that of a stretch; None where there is none."""
    if not info.audio:
        return None
    streams = tuple(stream.index for stream in info.audio)
    clocks = tuple(stream.clock for stream in info.audio)
    if span is None:
        return Sound(
            source=info.path, streams=streams, clocks=clocks, shift=info.origin * info.time_base
        )
    start = info.times[span.start] * info.time_base
    end = (info.times[span.stop - 1] + info.durations()[span.stop - 1]) * info.time_base
    return Sound(
        source=info.path, streams=streams, clocks=clocks, shift=start, start=start, end=end
    )


def assemble(
    parts: Sequence[str | Path],
    output: str | Path,
    settings: StreamSettings,
    timing: Timing,
    *,
    sound: Sound | None = None,
    metadata: dict[str, str] | None = None,
) -> None:
    """Join parts into one file; coded frames and sound are copied, not coded again.

    Args:
        parts: In order; made by ``encode_part`` with the same settings.
        output: Its ending names the container: mp4, m4v, mov or mkv.
        settings: What the parts were made with.
        timing: When the frames are shown.
        sound: Whose packets are copied as they are.
        metadata: Title and the like.

    Raises:
        InvalidInput: The parts hold another number of frames than there are times or weren't made
            alike, the place can't be written, or the disk is full. Nothing is left under the name.
    """
    container_name = ENDINGS.get(Path(output).suffix.lower(), "matroska")
    orders = [_order(Path(part)) for part in parts]
    if sum(map(len, orders)) != len(timing.times):
        raise InvalidInput(
            f"the parts hold {sum(map(len, orders))} frames for {len(timing.times)} times",
            hint="Delete the job's folder and start again.",
        )
    with whole_file(output) as partial:
        try:
            _write(parts, orders, partial, container_name, settings, timing, sound, metadata or {})
        except av.error.FFmpegError as error:
            if isinstance(error, OSError):
                raise
            raise InvalidInput(
                f"cannot write {output}: {error}", hint="Write a .mkv file instead."
            ) from error


def _order(part: Path) -> list[int]:
    """Return, for each coded frame of a part as it is stored, which shown frame it is."""
    with open_container(part) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    times = [packet.pts for packet in packets if packet.pts is not None]
    ranks = {time: rank for rank, time in enumerate(sorted(set(times)))}
    if len(ranks) != len(packets):
        raise InvalidInput(f"{part} is no part of a clip", hint="Delete it and start again.")
    return [ranks[time] for time in times]


def _write(
    parts: Sequence[str | Path],
    orders: list[list[int]],
    partial: Path,
    container_name: str,
    settings: StreamSettings,
    timing: Timing,
    sound: Sound | None,
    metadata: dict[str, str],
) -> None:
    options = {"avoid_negative_ts": "disabled", "fflags": "+bitexact"}
    if container_name != "matroska":
        options["movflags"] = "+faststart"
        # a delay of the pictures or the sound counts in the movie's clock: one that suits both
        clocks = [timing.time_base.denominator, *(sound.clocks if sound else ())]
        common = math.lcm(*clocks)
        options["movie_timescale"] = str(
            min(max(clocks) if common > _MOST_TICKS else common, _MOST_TICKS)
        )
    with av.open(str(partial), "w", format=container_name, options=options) as container:
        container.metadata.update(metadata)
        with open_container(Path(parts[0])) as first:
            template = first.streams.video[0]
            extradata = template.codec_context.extradata
            stream = container.add_stream_from_template(template)
        _describe(stream, settings, timing)
        if container_name != "matroska" and settings.codec in _TAGS:
            stream.codec_context.codec_tag = _TAGS[settings.codec]
        lines = [_pictures(parts, orders, timing, stream, extradata)]
        if sound is None:
            _mux(container, lines)
            return
        with open_container(sound.source) as source:
            copies: dict[int, Stream] = {}
            for index in sound.streams:
                heard = source.streams[index]
                copies[index] = container.add_stream_from_template(heard)
                copies[index].metadata.update(
                    {
                        key: heard.metadata[key]
                        for key in ("language", "title")
                        if key in heard.metadata
                    }
                )
                copies[index].disposition = heard.disposition
            lines.append(_sounds(source, copies, sound))
            _mux(container, lines)


def _describe(stream: VideoStream, settings: StreamSettings, timing: Timing) -> None:
    stream.time_base = timing.time_base
    set_tags(stream, settings)
    if len(set(timing.durations)) == 1:
        stream.codec_context.framerate = 1 / (timing.durations[0] * timing.time_base)
    else:
        stream.codec_context.framerate = settings.rate.limit_denominator(1001)


_Timed = tuple[Fraction, int, "Packet"]


def _mux(container: av.container.OutputContainer, lines: Sequence[Iterator[_Timed]]) -> None:
    # merged by decoding time, so that the container's own queue stays short
    for _, _, packet in heapq.merge(*lines, key=lambda timed: timed[:2]):
        container.mux(packet)


def _decoding_times(order: Sequence[int], times: Sequence[int]) -> list[int]:
    """Return when each coded frame is to be decoded: strictly growing, never after it is shown.

    The k-th is decoded when the frame ``delay`` places before the k-th shown one is shown; the
    first ones lie as far before the first frame.
    """
    delay = max(place - rank for place, rank in enumerate(order))
    step = max(1, times[1] - times[0]) if len(times) > 1 else 1
    early = [times[0] - (delay - place) * step for place in range(delay)]
    return [*early, *times[: len(times) - delay]]


def _pictures(
    parts: Sequence[str | Path],
    orders: list[list[int]],
    timing: Timing,
    stream: VideoStream,
    extradata: bytes | None,
) -> Iterator[_Timed]:
    order: list[int] = []
    for ranks in orders:
        base = len(order)
        order.extend(base + rank for rank in ranks)
    decoded = _decoding_times(order, timing.times)
    durations = timing.durations
    place = 0
    for part in parts:
        with open_container(Path(part)) as container:
            coded = container.streams.video[0]
            if coded.codec_context.extradata != extradata:
                raise InvalidInput(
                    f"{part} was coded with other settings than the parts before it",
                    hint="Delete the job's folder and start again.",
                )
            for packet in container.demux(coded):
                if not packet.size:
                    continue
                shown = order[place]
                packet.stream = stream
                packet.time_base = timing.time_base
                packet.pts, packet.dts = timing.times[shown], decoded[place]
                packet.duration = durations[shown]
                yield decoded[place] * timing.time_base, 0, packet
                place += 1


def _sounds(
    source: av.container.InputContainer, copies: dict[int, Stream], sound: Sound
) -> Iterator[_Timed]:
    streams = [source.streams[index] for index in copies]
    for packet in source.demux(streams):
        if not packet.size or packet.pts is None:
            continue
        base = packet.time_base
        begin = packet.pts * base
        end = begin + (packet.duration or 0) * base
        if sound.start is not None and end <= sound.start:
            continue
        if sound.end is not None and begin >= sound.end:
            continue
        moved = round(sound.shift / base)
        packet.pts -= moved
        if packet.dts is not None:
            packet.dts -= moved
        index = packet.stream_index
        packet.stream = copies[index]
        yield begin - sound.shift, 1 + index, packet
