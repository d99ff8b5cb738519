"""Writing the clip with PyAV: H.264 for players, FFV1 for the very pictures, both with AAC sound.

One thread each and no random or dated marks, so that the same pictures give the same bytes.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Literal

import av
import numpy as np
from av.audio.stream import AudioStream
from av.video.stream import VideoStream
from jaxtyping import UInt8

from pocket.clip_sound import RATE, sound
from video.colour_planes import from_rgb
from video.colour_tags import BT709_MATRIX, LIMITED, RGB_MATRIX, ColourTags
from video.frame_planes import to_frame
from video.plane_formats import layout_of
from video.planes import Planes

_TAGGED = {  # BT.709 primaries and transfer (number 1 in ITU-T H.273) in both
    "yuv420p": ColourTags(matrix=BT709_MATRIX, range=LIMITED, primaries=1, transfer=1),
    "bgr0": ColourTags(matrix=RGB_MATRIX, range=2, primaries=1, transfer=1),
}
_OPTIONS = {
    # weighing blocks by their use in later frames, x264 lets its bits hang on what lay in memory
    "libx264": {"crf": "14", "preset": "medium", "x264-params": "mbtree=0"},
    "ffv1": {"level": "3", "slices": "4", "slicecrc": "1", "g": "1"},
}
_SOUND_RATE = 96_000  # bits a second


class ClipFile:
    """A clip that is written frame by frame; used in a ``with`` block."""

    def __init__(
        self,
        path: Path,
        *,
        codec: Literal["libx264", "ffv1"],
        size: tuple[int, int],
        rate: Fraction,
        seed: int,
    ) -> None:
        """Open the file.

        Args:
            path: Its ending names the container.
            codec: ``libx264`` at a high quality with shared chroma, or lossless ``ffv1`` in RGB.
            size: Width and height.
            rate: Frames a second.
            seed: Keys the sound.
        """
        self._rate, self._seed = rate, seed
        self._layout = layout_of("yuv420p" if codec == "libx264" else "bgr0")
        self._tags = _TAGGED[self._layout.pix_fmt]
        self._file = av.open(str(path), "w", container_options={"fflags": "+bitexact"})
        self._pictures = self._picture_stream(codec, size)
        self._sound = self._sound_stream()
        self._frames = 0
        self._heard = 0

    def __enter__(self) -> ClipFile:
        """Give itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write what is still held back, unless something went wrong, and close the file."""
        try:
            if kind is None:
                self._file.mux(self._pictures.encode(None))
                self._file.mux(self._sound.encode(None))
        finally:
            self._file.close()

    def add(self, picture: UInt8[np.ndarray, "h w 3"]) -> None:
        """Write a frame, RGB, and the sound that goes with it."""
        format = self._layout.format
        if format.kind == "rgb":
            arrays = tuple(np.ascontiguousarray(picture[..., number]) for number in range(3))
            planes = Planes(format=format, arrays=arrays)
        else:
            rgb = picture.astype(np.float32) / np.float32(255)
            planes = from_rgb(rgb, format, self._tags.model(format, picture.shape[0]))
        frame = to_frame(planes, self._layout)
        frame.pts, frame.time_base = self._frames, 1 / self._rate
        frame.colorspace, frame.color_range = self._tags.matrix, self._tags.range
        self._file.mux(self._pictures.encode(frame))
        self._frames += 1
        self._add_sound(round(self._frames / self._rate * RATE))

    def _add_sound(self, until: int) -> None:
        """Write the sound up to a sample."""
        wave = sound(self._heard, until, seed=self._seed)
        frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = RATE, self._heard, Fraction(1, RATE)
        self._file.mux(self._sound.encode(frame))
        self._heard = until

    def _picture_stream(self, codec: str, size: tuple[int, int]) -> VideoStream:
        stream = self._file.add_stream(codec, rate=self._rate, options=_OPTIONS[codec])
        assert isinstance(stream, VideoStream)
        context = stream.codec_context
        context.width, context.height = size
        context.pix_fmt = self._layout.pix_fmt
        context.time_base = 1 / self._rate
        context.thread_count = 1
        context.colorspace, context.color_range = self._tags.matrix, self._tags.range
        context.color_primaries, context.color_trc = self._tags.primaries, self._tags.transfer
        return stream

    def _sound_stream(self) -> AudioStream:
        stream = self._file.add_stream("aac", rate=RATE, layout="stereo")
        assert isinstance(stream, AudioStream)
        stream.codec_context.bit_rate = _SOUND_RATE
        return stream
