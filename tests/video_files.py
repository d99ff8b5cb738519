"""Clips of every awkward kind, made with PyAV: what phones, cutters and broken copies leave."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

SOUND_RATE = 44_100


def picture(index: int, size: tuple[int, int] = (64, 48)) -> np.ndarray:
    """Return a colourful RGB frame (height, width, 3) in which everything moves."""
    width, height = size
    y, x = np.mgrid[:height, :width].astype(np.float32)
    waves = [np.sin((x + 3 * index) / 7), np.cos((y - 2 * index) / 5), np.sin((x + y + index) / 9)]
    made = np.stack([128 + 90 * wave for wave in waves], axis=-1)
    left, top = (5 * index) % max(1, width - 12), (3 * index) % max(1, height - 10)
    made[top : top + 10, left : left + 12] = (220, 40, 60)
    return np.clip(made, 0, 255).astype(np.uint8)


def write_clip(
    path: Path,
    *,
    frames: int = 12,
    size: tuple[int, int] = (64, 48),
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    rate: int | Fraction = 10,
    times: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    sound: bool = False,
    rotation: int = 0,
    mirrored: bool = False,
    tags: dict[str, int] | None = None,
    aspect: Fraction | None = None,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    metadata: dict[str, str] | None = None,
    sound_codec: str = "aac",
    first: int = 0,
) -> Path:
    """Write a clip of moving pictures, and a tone if wanted; the ending names the container."""
    time_base = time_base or 1 / Fraction(rate)
    times = range(frames) if times is None else times
    with av.open(str(path), "w", options=container_options or {}) as container:
        container.metadata.update(metadata or {})
        stream = container.add_stream(codec, rate=Fraction(rate), options=options or {})
        stream.width, stream.height, stream.pix_fmt = *size, pix_fmt
        stream.codec_context.time_base = time_base
        stream.time_base = time_base
        stream.codec_context.thread_count = 1
        if rotation or mirrored:
            stream.set_display_rotation(rotation, hflip=mirrored)
        for name, value in (tags or {}).items():
            setattr(stream.codec_context, name, value)
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        tone = _tone_stream(container, sound_codec) if sound else None
        for number, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(picture(first + number, size), "rgb24")
            frame = frame.reformat(format=pix_fmt)
            frame.pts, frame.time_base = time, time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if tone is not None:
            _write_tone(container, tone, float((times[-1] + 1) * time_base))
    return path


def _tone_stream(container: av.container.OutputContainer, codec: str) -> av.AudioStream:
    stream = container.add_stream(codec, rate=SOUND_RATE)
    stream.layout = "mono"
    return stream


def _write_tone(container: av.container.OutputContainer, stream: av.AudioStream, seconds: float):
    count = int(seconds * SOUND_RATE)
    wave = (0.3 * np.sin(np.arange(count) * 0.06)).astype(np.float32)
    kind = stream.codec_context.format.name
    if kind.startswith("s16"):
        wave = (wave * 32_000).astype(np.int16)
    elif kind.startswith("u8"):
        wave = (wave * 127 + 128).astype(np.uint8)
    frame = av.AudioFrame.from_ndarray(wave[None], format=kind, layout="mono")
    frame.sample_rate, frame.pts = SOUND_RATE, 0
    container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def write_sound(path: Path, seconds: float = 1.0) -> Path:
    """Write a file without pictures."""
    with av.open(str(path), "w") as container:
        _write_tone(container, _tone_stream(container, "aac"), seconds)
    return path


def trimmed(source: Path, path: Path, start: float) -> Path:
    """Cut without coding again, as ``ffmpeg -ss START -i SOURCE -c copy``: by an edit list."""
    with av.open(str(source)) as old, av.open(str(path), "w") as new:
        copies = {
            stream.index: new.add_stream_from_template(stream)
            for stream in (*old.streams.video, *old.streams.audio)
        }
        for packet in old.demux():
            if packet.dts is None:
                continue
            base, index = packet.time_base, packet.stream_index
            if old.streams[index].type == "audio" and packet.pts * base < start:
                continue
            shift = round(Fraction(start) / base)
            packet.pts -= shift
            packet.dts -= shift
            packet.stream = copies[index]
            new.mux(packet)
    return path


def sound_packets(path: Path) -> list[tuple[Fraction, Fraction, Fraction, bytes]]:
    """Return each sound packet's times and duration in seconds, and its bytes."""
    with av.open(str(path)) as container:
        return [
            (
                packet.pts * packet.time_base,
                packet.dts * packet.time_base,
                packet.duration * packet.time_base,
                bytes(packet),
            )
            for packet in container.demux(audio=0)
            if packet.size
        ]


def frame_times(path: Path) -> list[Fraction]:
    """Return when each frame is shown, in seconds, read by nothing of ours."""
    with av.open(str(path)) as container:
        return [frame.pts * frame.time_base for frame in container.decode(video=0)]
