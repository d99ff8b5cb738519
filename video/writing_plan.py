"""What will be written, settled before any work: container, codec, and the format it can hold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Literal

from image_core.errors import InvalidInput
from video.clip_info import ClipInfo
from video.colour_tags import (
    BT709_MATRIX,
    FULL,
    LIMITED,
    RGB_MATRIX,
    UNSPECIFIED,
    UNTAGGED,
    ColourTags,
)
from video.plane_formats import Layout, PlaneFormat, layout_of

Codec = Literal["h264", "h265", "ffv1"]

ENDINGS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
"""The containers that are written, by the file name's ending."""

_LOSSLESS_ENDING = ".mkv"
_MATROSKA_TICK = Fraction(1, 1000)
_CRF = {"h264": 16, "h265": 18}
_HELD = {
    "h264": {"yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p10le", "gray"}
    | {"gray10le"},
    "h265": {"yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p10le"}
    | {"yuv420p12le", "yuv422p12le", "yuv444p12le", "gray", "gray10le", "gray12le"},
    "ffv1": {
        # four columns to a chroma sample don't fit FFV1's slices: libavcodec garbles them
        *("yuv420p", "yuv422p", "yuv444p", "yuv440p"),
        *(f"yuv{chroma}p{bits}le" for chroma in (420, 422, 444) for bits in (9, 10, 12, 14, 16)),
        *("yuv440p10le", "yuv440p12le"),
        *("yuva420p", "yuva422p", "yuva444p", "yuva422p12le", "yuva444p12le"),
        *(f"yuva{chroma}p{bits}le" for chroma in (420, 422, 444) for bits in (9, 10, 16)),
        *("gray", "gray9le", "gray10le", "gray12le", "gray14le", "gray16le", "ya8"),
        *(f"gbrp{bits}le" for bits in (9, 10, 12, 14, 16)),
        *(f"gbrap{bits}le" for bits in (10, 12, 14, 16)),
        *("gbrp", "gbrap"),  # as bgr0 and bgra
    },
}
# FFV1 takes 8 bit RGB in packed words only
_PACKED = {"gbrp": "bgr0", "gbrap": "bgra"}


@dataclass(frozen=True, kw_only=True)
class StreamSettings:
    """All that the encoded pictures depend on, besides the samples.

    Attributes:
        codec: H.264, H.265, or the lossless FFV1.
        size: Width and height of the upright frames.
        format: The planes that are coded.
        tags: The colour tags that are written.
        rate: Frames a second, on average; a hint for the encoder's rate control.
        sample_aspect: Width of a pixel by its height.
        crf: Constant quality, 0 (best) to 51; FFV1 takes none.
    """

    codec: Codec = "h264"
    size: tuple[int, int]
    format: PlaneFormat
    tags: ColourTags = UNTAGGED
    rate: Fraction = Fraction(25)
    sample_aspect: Fraction = Fraction(1)
    crf: int | None = None

    @property
    def layout(self) -> Layout:
        """The stored pixel format that the encoder is given."""
        name = self.format.name
        return layout_of(_PACKED.get(name, name) if self.codec == "ffv1" else name)

    @property
    def quality(self) -> int | None:
        """The constant quality used; None for FFV1."""
        return _CRF.get(self.codec) if self.crf is None else self.crf


@dataclass(frozen=True, kw_only=True)
class WritingPlan:
    """How a clip will be written.

    Attributes:
        settings: Of the coded pictures.
        notes: What differs from the source, in words for the user.
    """

    settings: StreamSettings
    notes: tuple[str, ...] = ()


def output_kind(output: str | Path) -> Literal["stream", "gif", "pictures"]:
    """Say what a name is written as: a GIF, a folder of pictures (no ending), or a video file."""
    path = Path(output)
    if path.suffix.lower() == ".gif":
        return "gif"
    return "pictures" if path.is_dir() or not path.suffix else "stream"


def held_format(
    codec: Codec, format: PlaneFormat, size: tuple[int, int]
) -> tuple[PlaneFormat, tuple[str, ...]]:
    """Return the nearest format that a codec can hold, and what that changes."""
    notes: list[str] = []
    width, height = size
    held = _HELD[codec]
    if format.alpha and format.name not in held:
        format = replace(format, alpha=False)
        notes.append(f"{codec} can't hold the clip's opacity: it is left out")
    if format.kind == "rgb" and codec != "ffv1":
        format = replace(format, kind="yuv")
        notes.append(f"{codec} is written as luma and chroma in full resolution instead of RGB")
    odd = codec != "ffv1" and (width % format.sx or height % format.sy)
    if format.subsampled and (odd or format.name not in held):
        whole = replace(format, sx=1, sy=1)
        why = f"an odd size ({width} x {height})" if odd else f"{format.name}"
        if odd or format.bits == 8 or whole.name in held:
            format = whole
            notes.append(f"{codec} can't hold {why}: each pixel gets its own chroma sample")
    if format.name not in held:
        depths = [
            bits for bits in (16, 14, 12, 10, 9, 8) if replace(format, bits=bits).name in held
        ]
        deeper = [bits for bits in depths if bits >= format.bits]
        bits = min(deeper) if deeper else max(depths)
        notes.append(f"{codec} can't hold {format.bits} bits a sample: {bits} are written")
        format = replace(format, bits=bits)
    return format, tuple(notes)


def plan_writing(
    output: str | Path, info: ClipInfo, *, codec: Codec = "h264", crf: int | None = None
) -> WritingPlan:
    """Settle how a clip is written, or refuse before any work.

    Raises:
        InvalidInput: The name's ending is no container of ours, the container can't hold the codec
            or the clip's sound, or the quality is out of range.
    """
    ending = Path(output).suffix.lower()
    if ending not in ENDINGS:
        raise InvalidInput(
            f"cannot write {output}: {ending or 'no ending'} is no video container that we write",
            hint=f"Name it {', '.join(ENDINGS)}; .gif and a folder are written too.",
        )
    if codec == "ffv1" and ending != _LOSSLESS_ENDING:
        raise InvalidInput(
            f"cannot write {output}: lossless video is written to Matroska",
            hint=f"Name it {Path(output).stem}{_LOSSLESS_ENDING}.",
        )
    if crf is not None and not 0 <= crf <= 51:
        raise InvalidInput(f"quality {crf} is not from 0 (best) to 51")
    _check_sound(output, info)
    format, notes = held_format(codec, info.format, info.size)
    tags = info.tags
    if tags.matrix == RGB_MATRIX and format.kind != "rgb":
        tags = replace(tags, matrix=UNSPECIFIED)
    if codec != "ffv1" and format.kind == "gray" and info.colour.full_range:
        tags = replace(tags, range=FULL)  # decoders give it chroma, and would take it for limited
    if info.format.kind == "rgb" and format.kind == "yuv":
        tags = replace(tags, matrix=BT709_MATRIX, range=LIMITED)
    if ending == ".mkv" and any(
        (1000 * time * info.time_base).denominator != 1 for time in info.times
    ):
        notes += ("Matroska keeps times in whole milliseconds",)
    if codec == "ffv1" and info.sample_aspect != 1:
        notes += ("only the coded pictures say that the pixels aren't square, not the file",)
    return WritingPlan(
        settings=StreamSettings(
            codec=codec,
            size=info.size,
            format=format,
            tags=tags,
            rate=info.rate,
            sample_aspect=info.sample_aspect,
            crf=crf,
        ),
        notes=notes,
    )


def _check_sound(output: str | Path, info: ClipInfo) -> None:
    if not info.audio:
        return
    import av

    with av.open("-", "w", format=ENDINGS[Path(output).suffix.lower()]) as container:
        able = container.supported_codecs
    for sound in info.audio:
        if sound.codec not in able:
            raise InvalidInput(
                f"{Path(output).suffix} can't hold the clip's sound ({sound.codec}) as it is",
                hint=f"Write {Path(output).stem}.mkv instead.",
            )
