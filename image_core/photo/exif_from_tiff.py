"""An EXIF block out of what a TIFF file says about its photo, for other containers."""

from __future__ import annotations

import struct

from image_core.photo.exif import ORIENTATION, Entry, byte_order, directory

_EXIF_IFD, _GPS_IFD, _INTEROPERABILITY_IFD = 34665, 34853, 40965
_CHILDREN = (_EXIF_IFD, _GPS_IFD, _INTEROPERABILITY_IFD)
# what the first directory says about the photo rather than about its samples
_DESCRIPTIVE = frozenset(
    {269, 270, 271, 272, ORIENTATION, 282, 283, 296, 305, 306, 315, 316, 18246, 18249, 33432}
    | {*range(40091, 40096), *_CHILDREN}
)
_LONG = 4
# bytes a value takes, by TIFF data type (TIFF 6.0, section 2)
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_MOST = 1 << 20

_Fields = dict[int, "tuple[int, int, bytes] | _Fields"]


def _value(data: bytes, order: str, entry: Entry) -> bytes:
    size = _SIZES.get(entry.kind, 0) * entry.count
    if size <= 4:
        return entry.value[:size]
    (start,) = struct.unpack(order + "I", entry.value)
    if size > _MOST or start + size > len(data):
        return b""
    return data[start : start + size]


def _collected(data: bytes, order: str, start: int, depth: int) -> _Fields:
    fields: _Fields = {}
    for entry in directory(data, order, start)[0]:
        if depth == 0 and entry.tag not in _DESCRIPTIVE:
            continue
        if entry.tag in _CHILDREN:
            (offset,) = struct.unpack(order + "I", entry.value)
            inner = _collected(data, order, offset, depth + 1) if depth < 2 else {}
            if inner:
                fields[entry.tag] = inner
        elif value := _value(data, order, entry):
            fields[entry.tag] = (entry.kind, entry.count, value)
    return fields


def packed(order: str, fields: _Fields, at: int) -> bytes:
    """Lay out a directory with its values and the directories below it, to stand at ``at``."""
    table = struct.pack(order + "H", len(fields))
    after = at + 2 + 12 * len(fields) + 4
    extra = b""
    for tag in sorted(fields):
        field = fields[tag]
        if isinstance(field, dict):
            kind, count, value = _LONG, 1, struct.pack(order + "I", after + len(extra))
            extra += packed(order, field, after + len(extra))
        else:
            kind, count, value = field
            if len(value) > 4:
                place = struct.pack(order + "I", after + len(extra))
                extra += value + b"\x00" * (len(value) % 2)
                value = place
        table += struct.pack(order + "HHI", tag, kind, count) + value.ljust(4, b"\x00")
    return table + bytes(4) + extra


def exif_from_tiff(data: bytes) -> bytes | None:
    """Collect the descriptive tags, the EXIF and the GPS directory.

    Returns:
        A block; None where there is nothing to collect, the directories are damaged, or the file
        is a BigTIFF, whose wide entries EXIF hasn't got.
    """
    try:
        order = byte_order(data)
        (start,) = struct.unpack_from(order + "I", data, 4)
        fields = _collected(data, order, start, 0)
    except (ValueError, struct.error):
        return None
    return data[:4] + struct.pack(order + "I", 8) + packed(order, fields, 8) if fields else None
