"""WebP in and out: always written lossless, with the colour under alpha 0 kept.

Layout: WebP Container Specification ("RIFF" chunks, the extended header VP8X).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from image_core.errors import InvalidInput
from image_core.photo import exif as exif_blocks
from image_core.photo.decoded import (
    Decoded,
    Metadata,
    Samples,
    check_size,
    damaged,
    unsupported,
    with_channels,
)

MAX_SIDE = 16383
_FLAGS = {b"ICCP": 0x20, b"EXIF": 0x08, b"XMP ": 0x04}
_ALPHA_FLAG = 0x10
_PICTURE = (b"VP8 ", b"VP8L", b"ALPH", b"VP8X")


@dataclass(frozen=True, kw_only=True)
class _Chunk:
    name: bytes
    data: bytes

    def packed(self) -> bytes:
        return (
            self.name
            + struct.pack("<I", len(self.data))
            + self.data
            + b"\x00" * (len(self.data) % 2)
        )


def _chunks(data: bytes) -> list[_Chunk]:
    (length,) = struct.unpack_from("<I", data, 4)
    if length + 8 > len(data) + 1:
        raise damaged("WebP", f"{length + 8 - len(data)} bytes are missing")
    found, position, end = [], 12, min(length + 8, len(data))
    while position + 8 <= end:
        (size,) = struct.unpack_from("<I", data, position + 4)
        if position + 8 + size > end:
            raise damaged("WebP", "a chunk is longer than the file")
        body = data[position + 8 : position + 8 + size]
        found.append(_Chunk(name=data[position : position + 4], data=body))
        position += 8 + size + size % 2
    return found


def _size(chunks: list[_Chunk]) -> tuple[int, int]:
    for chunk in chunks:
        body = chunk.data
        if chunk.name == b"VP8L" and len(body) >= 5:
            bits = struct.unpack_from("<I", body, 1)[0]
            return (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1
        if chunk.name == b"VP8 " and len(body) >= 10:
            width, height = struct.unpack_from("<HH", body, 6)
            return width & 0x3FFF, height & 0x3FFF
    raise damaged("WebP", "there is no picture in it")


def _first(chunks: list[_Chunk], name: bytes) -> bytes | None:
    return next((chunk.data for chunk in chunks if chunk.name == name), None)


def decode(data: bytes) -> Decoded:
    """Read a WebP picture, lossy or lossless, as RGB or RGBA.

    Raises:
        InvalidInput: Damaged, too large or animated.
    """
    import imagecodecs

    chunks = _chunks(data)
    if any(chunk.name in (b"ANIM", b"ANMF") for chunk in chunks):
        raise unsupported(
            "this WebP is animated; photos are single pictures",
            hint="Save one frame of it as a PNG, or edit it as a video.",
        )
    width, height = _size(chunks)
    check_size(width, height, container="WebP")
    try:
        samples = imagecodecs.webp_decode(data)
    except Exception as error:
        raise damaged("WebP", error) from error
    samples = samples.reshape(height, width, -1)
    flags = _first(chunks, b"VP8X") or b"\x00"
    if flags[0] & _ALPHA_FLAG and samples.shape[2] == 3:
        # the decoder leaves out an alpha that is opaque all over
        samples = with_channels(samples, 4)
    block = _first(chunks, b"EXIF")
    exif = exif_blocks.bare(block) if block else None
    orientation, warnings = exif_blocks.orientation_of(exif)
    return Decoded(
        samples=samples,
        orientation=orientation,
        metadata=Metadata(
            exif=exif,
            icc=_first(chunks, b"ICCP"),
            xmp=_first(chunks, b"XMP "),
            resolution=exif_blocks.resolution_of(exif),
        ),
        warnings=warnings,
    )


def _made(metadata: Metadata) -> list[_Chunk]:
    """Wrap metadata from another container; WebP itself has no place for a resolution."""
    exif = metadata.exif
    if exif is None and metadata.resolution is not None:
        exif = exif_blocks.for_resolution(metadata.resolution)
    parts = ((b"ICCP", metadata.icc), (b"EXIF", exif), (b"XMP ", metadata.xmp))
    return [_Chunk(name=name, data=body) for name, body in parts if body]


def encode(samples: Samples, metadata: Metadata, source: bytes | None = None) -> bytes:
    """Write a lossless WebP; grey becomes RGB, since the format has no grey.

    Args:
        samples: 8 bit, in stored orientation.
        metadata: Written where there is no source.
        source: A WebP whose other chunks are carried over instead.

    Raises:
        InvalidInput: 16 bit, or a side that is too long for the format.
    """
    import imagecodecs

    height, width, channels = samples.shape
    if samples.dtype != np.uint8:
        raise InvalidInput(
            "WebP holds 8 bits a sample and this photo has 16",
            hint="Write a .png or .tif instead, which keep them all.",
        )
    if max(height, width) > MAX_SIDE:
        raise InvalidInput(
            f"WebP holds at most {MAX_SIDE} pixels a side and this photo has {width} x {height}",
            hint="Write a .png or .tif instead.",
        )
    coloured = with_channels(samples, 3 if channels in (1, 3) else 4)
    plain = bytes(
        imagecodecs.webp_encode(np.ascontiguousarray(coloured), lossless=True, method=0, level=20)
    )
    picture = [chunk for chunk in _chunks(plain) if chunk.name != b"VP8X"]
    if source is None:
        others = _made(metadata)
    else:
        others = [chunk for chunk in _chunks(source) if chunk.name not in _PICTURE]
    if not others and coloured.shape[2] == 3:
        return plain
    # with alpha always the extended header: without its flag, an alpha that is opaque all over
    # would be dropped and the file read back as RGB
    flags = sum(_FLAGS[name] for name in {chunk.name for chunk in others} & _FLAGS.keys())
    flags |= _ALPHA_FLAG if coloured.shape[2] == 4 else 0
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    before = [chunk for chunk in others if chunk.name == b"ICCP"]
    after = [chunk for chunk in others if chunk.name != b"ICCP"]
    extended = _Chunk(name=b"VP8X", data=struct.pack("<I", flags) + sides)
    body = b"".join(chunk.packed() for chunk in [extended, *before, *picture, *after])
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body
