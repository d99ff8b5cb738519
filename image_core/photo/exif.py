"""EXIF blocks: a little TIFF structure that every container carries in its own wrapping."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction

ORIENTATION = 274
_X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 282, 283, 296
_PREFIX = b"Exif\x00\x00"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One 12-byte entry of a directory, its value field as it stands in the file.

    Attributes:
        tag: What it is about.
        kind: The TIFF data type (3 is SHORT).
        count: How many values.
        value: The four bytes of the value, or of the offset to it.
    """

    tag: int
    kind: int
    count: int
    value: bytes


def bare(block: bytes) -> bytes:
    """Strip the prefix that JPEG, and some WebP files, put before the block."""
    return block[len(_PREFIX) :] if block.startswith(_PREFIX) else block


def prefixed(block: bytes) -> bytes:
    """Put the prefix back, for JPEG."""
    return _PREFIX + block


def byte_order(block: bytes) -> str:
    """Return ``"<"`` or ``">"`` as ``struct`` takes it.

    Raises:
        ValueError: This is no EXIF block.
    """
    orders = {b"II*\x00": "<", b"MM\x00*": ">"}
    if block[:4] not in orders or len(block) < 8:
        raise ValueError("no TIFF header")
    return orders[block[:4]]


def directory(block: bytes, order: str, start: int) -> tuple[tuple[Entry, ...], int]:
    """Read the entries of the directory at ``start``, and the offset of the next (0: none).

    Raises:
        ValueError: The block is damaged.
    """
    try:
        (count,) = struct.unpack_from(order + "H", block, start)
        entries = []
        for index in range(count):
            field = start + 2 + 12 * index
            tag, kind, values = struct.unpack_from(order + "HHI", block, field)
            value = block[field + 8 : field + 12].ljust(4, b"\x00")
            entries.append(Entry(tag=tag, kind=kind, count=values, value=value))
        (following,) = struct.unpack_from(order + "I", block, start + 2 + 12 * count)
    except struct.error as error:
        raise ValueError("the directory is cut off") from error
    return tuple(entries), int(following)


def first_directory(block: bytes) -> tuple[tuple[Entry, ...], int]:
    """Read the entries of the first directory, and the offset of the second (0: there is none).

    Raises:
        ValueError: The block is damaged.
    """
    order = byte_order(block)
    return directory(block, order, struct.unpack_from(order + "I", block, 4)[0])


def orientation_of(block: bytes | None) -> tuple[int, tuple[str, ...]]:
    """Return the orientation (1 where none is given) and what was wrong with it, if anything."""
    if not block:
        return 1, ()
    try:
        order = byte_order(block)
        entries, _ = first_directory(block)
    except ValueError as error:
        return 1, (f"The EXIF block is unreadable ({error}); it is kept as it is.",)
    for entry in entries:
        if entry.tag == ORIENTATION:
            value = struct.unpack(order + "H", entry.value[:2])[0]
            return checked_orientation(int(value))
    return 1, ()


def checked_orientation(value: int) -> tuple[int, tuple[str, ...]]:
    """Take a value from 1 to 8; everything else counts as upright, with a warning."""
    if 1 <= value <= 8:
        return value, ()
    return 1, (f"The EXIF orientation {value} does not exist; the photo is taken as upright.",)


def has_thumbnail(block: bytes | None) -> bool:
    """Tell whether the block has a second directory, which is where a thumbnail lies."""
    if not block:
        return False
    try:
        return first_directory(block)[1] != 0
    except ValueError:
        return False


def for_resolution(resolution: tuple[float, float]) -> bytes:
    """Make a block that says nothing but the resolution, in pixels per inch across and down."""
    entries = b""
    for tag, place in ((_X_RESOLUTION, 50), (_Y_RESOLUTION, 58)):
        entries += struct.pack("<HHII", tag, 5, 1, place)
    entries += struct.pack("<HHII", _RESOLUTION_UNIT, 3, 1, 2)
    values = b"".join(struct.pack("<II", *rational(value)) for value in resolution)
    return b"II*\x00" + struct.pack("<IH", 8, 3) + entries + bytes(4) + values


def rational(value: float) -> tuple[int, int]:
    """Return numerator and denominator as the format keeps them."""
    fraction = Fraction(value).limit_denominator(10000)
    return fraction.numerator, fraction.denominator


def resolution_of(block: bytes | None) -> tuple[float, float] | None:
    """Read the resolution in pixels per inch, across and down; None where none is given."""
    if not block:
        return None
    try:
        order = byte_order(block)
        entries = {entry.tag: entry for entry in first_directory(block)[0]}
        values = []
        for tag in (_X_RESOLUTION, _Y_RESOLUTION):
            (offset,) = struct.unpack(order + "I", entries[tag].value)
            numerator, denominator = struct.unpack_from(order + "II", block, offset)
            values.append(numerator / denominator)
        unit = entries.get(_RESOLUTION_UNIT)
        kind = struct.unpack(order + "H", unit.value[:2])[0] if unit else 2
    except (ValueError, KeyError, ZeroDivisionError, struct.error):
        return None
    if kind not in (2, 3) or min(values) <= 0:
        return None
    scale = 2.54 if kind == 3 else 1.0
    return values[0] * scale, values[1] * scale
