"""PNG in and out: samples through libpng, every other chunk carried over as it is.

Chunk names and rules: PNG specification (third edition), sections 5 and 11.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

import numpy as np

from image_core.photo.decoded import (
    Decoded,
    Metadata,
    Samples,
    check_size,
    damaged,
    unsupported,
)
from image_core.photo.exif import orientation_of

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_XMP_KEYWORD = b"XML:com.adobe.xmp"
_METRES_PER_INCH = 0.0254
_DEFLATE_RATIO = 1032
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
# what these say depends on the colour type; they go when it changes
_TIED_TO_COLOUR_TYPE = (b"PLTE", b"tRNS", b"sBIT", b"bKGD", b"hIST")
_KNOWN = (
    *(b"cHRM", b"cICP", b"cLLI", b"eXIf", b"gAMA", b"iCCP", b"iTXt", b"mDCV", b"pHYs", b"sPLT"),
    *(b"sRGB", b"tEXt", b"tIME", b"zTXt", *_TIED_TO_COLOUR_TYPE),
)


@dataclass(frozen=True, kw_only=True)
class _Chunk:
    name: bytes
    data: bytes
    start: int = 0
    end: int = 0

    def packed(self) -> bytes:
        body = self.name + self.data
        return struct.pack(">I", len(self.data)) + body + struct.pack(">I", zlib.crc32(body))


def _chunks(data: bytes) -> list[_Chunk]:
    found = []
    position = len(SIGNATURE)
    while position + 8 <= len(data):
        (length,) = struct.unpack_from(">I", data, position)
        name = data[position + 4 : position + 8]
        end = position + 12 + length
        if end > len(data):
            break
        # the samples stay where they are, which spares a copy of most of the file
        kept = b"" if name == b"IDAT" else data[position + 8 : end - 4]
        found.append(_Chunk(name=name, data=kept, start=position, end=end))
        position = end
        if name == b"IEND":
            return found
    raise damaged("PNG", "it ends before its last chunk")


def _header(chunks: list[_Chunk]) -> tuple[int, int, int, int]:
    if chunks[0].name != b"IHDR" or len(chunks[0].data) != 13:
        raise damaged("PNG", "it does not begin with a header")
    width, height, depth, colour_type = struct.unpack(">IIBB", chunks[0].data[:10])
    if colour_type not in _CHANNELS or depth not in (1, 2, 4, 8, 16):
        raise damaged("PNG", f"its header has colour type {colour_type} and depth {depth}")
    return width, height, depth, colour_type


def _first(chunks: list[_Chunk], name: bytes) -> bytes | None:
    return next((chunk.data for chunk in chunks if chunk.name == name), None)


def _profile(chunks: list[_Chunk]) -> bytes | None:
    body = _first(chunks, b"iCCP")
    if body is None:
        return None
    try:
        return zlib.decompress(body[body.index(b"\x00") + 2 :])
    except (ValueError, zlib.error):
        return None


def _xmp(chunks: list[_Chunk]) -> bytes | None:
    for chunk in chunks:
        if chunk.name == b"iTXt" and chunk.data.startswith(_XMP_KEYWORD + b"\x00"):
            rest = chunk.data[len(_XMP_KEYWORD) + 1 :]
            text = rest[2:].split(b"\x00", 2)[-1]
            try:
                return zlib.decompress(text) if rest[:1] == b"\x01" else text
            except zlib.error:
                return None
    return None


def _resolution(chunks: list[_Chunk]) -> tuple[float, float] | None:
    body = _first(chunks, b"pHYs")
    if body is None or len(body) != 9:
        return None
    across, down, unit = struct.unpack(">IIB", body)
    if unit != 1 or not across or not down:
        return None
    return across * _METRES_PER_INCH, down * _METRES_PER_INCH


def _bare_file(data: bytes, chunks: list[_Chunk]) -> bytes:
    """Leave out what doesn't say how to read the samples: libpng prints remarks on the rest.

    It also prints on a wrong checksum before it fails, so these are checked here.
    """
    needed = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
    view = memoryview(data)
    parts = [view[chunk.start : chunk.end] for chunk in chunks if chunk.name in needed]
    for part in parts:
        if zlib.crc32(part[4:-4]) != int.from_bytes(part[-4:], "big"):
            raise damaged("PNG", "a checksum is wrong")
    return b"".join([SIGNATURE, *parts])


def decode(data: bytes) -> Decoded:
    """Read a PNG: palettes become RGB(A), transparent colours an alpha, few bits 8.

    Raises:
        InvalidInput: Damaged, too large or animated.
    """
    import imagecodecs

    chunks = _chunks(data)
    width, height, depth, colour_type = _header(chunks)
    row = (width * depth * _CHANNELS[colour_type] + 7) // 8 + 1
    check_size(
        width, height, container="PNG", claimed=row * height, held=len(data), ratio=_DEFLATE_RATIO
    )
    if any(chunk.name == b"acTL" for chunk in chunks):
        raise unsupported(
            "this PNG is animated; photos are single pictures",
            hint="Save one frame of it as a PNG, or edit it as a video.",
        )
    try:
        samples = imagecodecs.png_decode(_bare_file(data, chunks))
    except Exception as error:
        raise damaged("PNG", error) from error
    exif = _first(chunks, b"eXIf")
    orientation, warnings = orientation_of(exif)
    return Decoded(
        samples=samples.reshape(height, width, -1),
        orientation=orientation,
        metadata=Metadata(
            exif=exif, icc=_profile(chunks), xmp=_xmp(chunks), resolution=_resolution(chunks)
        ),
        warnings=warnings,
    )


def _carried(source: bytes, depth: int, colour_type: int) -> tuple[list[_Chunk], list[_Chunk]]:
    """Return the source's other chunks before and after the samples, as far as they stay true."""
    chunks = _chunks(source)
    same_type = _header(chunks)[2:] == (depth, colour_type)
    # an unknown chunk whose name ends in a capital must not outlive a change of the samples
    kept = [
        chunk
        for chunk in chunks
        if (chunk.name in _KNOWN or chunk.name[3:4].islower())
        and (same_type or chunk.name not in _TIED_TO_COLOUR_TYPE)
    ]
    first = next(chunk.start for chunk in chunks if chunk.name == b"IDAT")
    before = [chunk for chunk in kept if chunk.start < first]
    return before, [chunk for chunk in kept if chunk.start > first]


def _made(metadata: Metadata) -> list[_Chunk]:
    """Wrap metadata from another container."""
    before = []
    if metadata.icc:
        body = b"ICC profile\x00\x00" + zlib.compress(metadata.icc)
        before.append(_Chunk(name=b"iCCP", data=body))
    if metadata.resolution:
        across, down = (round(value / _METRES_PER_INCH) for value in metadata.resolution)
        before.append(_Chunk(name=b"pHYs", data=struct.pack(">IIB", across, down, 1)))
    if metadata.exif:
        before.append(_Chunk(name=b"eXIf", data=metadata.exif))
    if metadata.xmp:
        body = _XMP_KEYWORD + b"\x00\x00\x00\x00\x00" + metadata.xmp
        before.append(_Chunk(name=b"iTXt", data=body))
    return before


def encode(samples: Samples, metadata: Metadata, source: bytes | None = None) -> bytes:
    """Write a PNG, fast rather than small: filter Sub, run-length matching.

    Args:
        samples: In stored orientation.
        metadata: Written where there is no source.
        source: A PNG whose other chunks are carried over instead.
    """
    import imagecodecs

    whole = imagecodecs.png_encode(
        np.ascontiguousarray(samples[..., 0] if samples.shape[2] == 1 else samples),
        level=1,
        strategy=imagecodecs.PNG.STRATEGY.RLE,
        filter=imagecodecs.PNG.FILTER.SUB,
    )
    after: list[_Chunk] = []
    if source is None:
        before = _made(metadata)
    else:
        depth, colour_type = 8 * samples.itemsize, _COLOUR_TYPES[samples.shape[2]]
        before, after = _carried(source, depth, colour_type)
    head = len(SIGNATURE) + 12 + 13
    tail = len(whole) - 12
    return b"".join(
        [
            whole[:head],
            *(chunk.packed() for chunk in before),
            whole[head:tail],
            *(chunk.packed() for chunk in after),
            whole[tail:],
        ]
    )
