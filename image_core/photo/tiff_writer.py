"""TIFF out afresh: from another container, or where splicing can't be done.

An EXIF block is itself a small TIFF file, so it becomes the beginning of the new one: all of its
offsets stay true, and a new first directory takes in its entries beside those of the samples.
"""

from __future__ import annotations

import struct

import numpy as np

from image_core.photo import exif as exif_blocks
from image_core.photo.decoded import Metadata, Samples

_SHORT, _LONG, _RATIONAL, _BYTE, _UNDEFINED = 3, 4, 5, 1, 7
_LETTERS = {_SHORT: "H", _LONG: "I", _RATIONAL: "II"}
_DEFLATE, _HORIZONTAL = 8, 2
_STRIP_BYTES = 1 << 18
_LEVEL = 1
# entries that speak of a picture's samples: those of the EXIF block's own are not for ours
_STRUCTURE = frozenset(
    {254, 255, *range(256, 260), 262, 263, 266, 273, *range(277, 282), 284, *range(288, 293)}
    | {317, *range(320, 326), 330, 332, *range(336, 343), 347, *range(512, 522), 529, 530, 531, 532}
    | {700, 34675}
)


def _packed(order: str, kind: int, values: tuple[int, ...] | bytes) -> bytes:
    if isinstance(values, bytes):
        return values
    per = len(_LETTERS[kind])
    return struct.pack(f"{order}{len(values)}{_LETTERS[kind][0]}", *values) if per else b""


def _strips(samples: Samples, rows: int, order: str) -> list[bytes]:
    import imagecodecs

    coded = []
    for top in range(0, samples.shape[0], rows):
        part = samples[top : top + rows]
        differences = np.concatenate([part[:, :1], np.diff(part, axis=1)], axis=1)
        stored = differences.astype(differences.dtype.newbyteorder(order))
        coded.append(bytes(imagecodecs.zlib_encode(stored.tobytes(), level=_LEVEL)))
    return coded


def _start(metadata: Metadata) -> tuple[bytes, str, dict[int, exif_blocks.Entry]]:
    """Return the file's first bytes, its byte order, and the entries to take over."""
    empty = b"II*\x00\x00\x00\x00\x00"
    if not metadata.exif:
        return empty, "<", {}
    try:
        entries, _ = exif_blocks.first_directory(metadata.exif)
    except ValueError:
        return empty, "<", {}
    kept = {entry.tag: entry for entry in entries if entry.tag not in _STRUCTURE}
    return metadata.exif, exif_blocks.byte_order(metadata.exif), kept


def encode(samples: Samples, metadata: Metadata) -> bytes:
    """Write a TIFF: deflate with horizontal differences, in strips.

    Args:
        samples: In stored orientation.
        metadata: All of it is kept; the orientation is the EXIF block's.
    """
    height, width, channels = samples.shape
    head, order, kept = _start(metadata)
    data = bytearray(head + b"\x00" * (len(head) % 2))
    rows = max(1, _STRIP_BYTES // (width * channels * samples.itemsize))
    offsets, counts = [], []
    for strip in _strips(samples, rows, order):
        offsets.append(len(data))
        counts.append(len(strip))
        data += strip + b"\x00" * (len(strip) % 2)
    fields: dict[int, tuple[int, tuple[int, ...] | bytes]] = {
        256: (_LONG, (width,)),
        257: (_LONG, (height,)),
        258: (_SHORT, (8 * samples.itemsize,) * channels),
        259: (_SHORT, (_DEFLATE,)),
        262: (_SHORT, (1 if channels < 3 else 2,)),
        273: (_LONG, tuple(offsets)),
        277: (_SHORT, (channels,)),
        278: (_LONG, (rows,)),
        279: (_LONG, tuple(counts)),
        284: (_SHORT, (1,)),
        317: (_SHORT, (_HORIZONTAL,)),
    }
    if channels in (2, 4):
        fields[338] = (_SHORT, (2,))
    if metadata.resolution and 282 not in kept:
        fields[282] = (_RATIONAL, exif_blocks.rational(metadata.resolution[0]))
        fields[283] = (_RATIONAL, exif_blocks.rational(metadata.resolution[1]))
        fields[296] = (_SHORT, (2,))
    if metadata.xmp:
        fields[700] = (_BYTE, metadata.xmp)
    if metadata.icc:
        fields[34675] = (_UNDEFINED, metadata.icc)
    return _with_directory(data, order, fields, kept)


def _with_directory(
    data: bytearray,
    order: str,
    fields: dict[int, tuple[int, tuple[int, ...] | bytes]],
    kept: dict[int, exif_blocks.Entry],
) -> bytes:
    """Append the first directory and let the header point to it."""
    entries = {}
    for tag, (kind, values) in fields.items():
        body = _packed(order, kind, values)
        count = len(values) // len(_LETTERS.get(kind, "B"))
        if len(body) > 4:
            place = struct.pack(order + "I", len(data))
            data += body + b"\x00" * (len(body) % 2)
        else:
            place = body.ljust(4, b"\x00")
        entries[tag] = struct.pack(order + "HHI", tag, kind, count) + place
    for tag, entry in kept.items():
        if tag not in entries:
            entries[tag] = struct.pack(order + "HHI", tag, entry.kind, entry.count) + entry.value
    struct.pack_into(order + "I", data, 4, len(data))
    data += struct.pack(order + "H", len(entries))
    data += b"".join(entries[tag] for tag in sorted(entries)) + bytes(4)
    return bytes(data)
