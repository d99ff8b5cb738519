"""EXIF blocks: a little TIFF structure that every container carries in its own wrapping."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from io import BytesIO

ORIENTATION = 274
_X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 282, 283, 296
_EXIF_IFD, _GPS_IFD = 34665, 34853
_PREFIX = b"Exif\x00\x00"
# what a TIFF file's own first directory says about the photo rather than about its samples
_DESCRIPTIVE = (269, 270, 271, 272, ORIENTATION, 282, 283, 296, 305, 306, 315, 316, 33432)


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


def first_directory(block: bytes) -> tuple[tuple[Entry, ...], int]:
    """Read the entries of the first directory, and the offset of the second (0: there is none).

    Raises:
        ValueError: The block is damaged.
    """
    order = byte_order(block)
    try:
        (start,) = struct.unpack_from(order + "I", block, 4)
        (count,) = struct.unpack_from(order + "H", block, start)
        entries = []
        for index in range(count):
            tag, kind, values = struct.unpack_from(order + "HHI", block, start + 2 + 12 * index)
            field = start + 10 + 12 * index
            entries.append(Entry(tag=tag, kind=kind, count=values, value=block[field : field + 4]))
        (following,) = struct.unpack_from(order + "I", block, start + 2 + 12 * count)
    except struct.error as error:
        raise ValueError("the directory is cut off") from error
    return tuple(entries), int(following)


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


def from_tiff(data: bytes) -> bytes | None:
    """Collect what a TIFF file's directory says about the photo, for another container.

    Returns:
        A block with the descriptive tags, the EXIF and the GPS directory; None where there is
        nothing to collect.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(BytesIO(data)) as opened:
            found = opened.getexif()
            kept = Image.Exif()
            for tag in _DESCRIPTIVE:
                if tag in found:
                    kept[tag] = found[tag]
            for tag in (_EXIF_IFD, _GPS_IFD):
                directory = dict(found.get_ifd(tag))
                if directory:
                    kept.get_ifd(tag).update(directory)
                    kept[tag] = kept.get_ifd(tag)
            return bare(kept.tobytes()) if len(kept) else None
    except (UnidentifiedImageError, OSError, ValueError, TypeError, SyntaxError, struct.error):
        return None


def for_resolution(resolution: tuple[float, float]) -> bytes:
    """Make a block that says nothing but the resolution, in pixels per inch across and down."""
    from PIL import Image

    block = Image.Exif()
    block[_X_RESOLUTION], block[_Y_RESOLUTION] = resolution
    block[_RESOLUTION_UNIT] = 2
    return bare(block.tobytes())


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
