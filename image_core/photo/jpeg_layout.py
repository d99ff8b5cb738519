"""The parts of a JPEG file: segments, frame, scans (markers: ITU-T T.81, annex B)."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from image_core.photo.decoded import damaged

SCAN = 0xDA
_END, _COMMENT = 0xD9, 0xFE
_APPLICATION = range(0xE0, 0xF0)
_START_OF_FRAME = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_EXTENDED, _PROGRESSIVE, _HUFFMAN, _QUANTISATION = 0xC1, 0xC2, 0xC4, 0xDB
_NEXT_MARKER = re.compile(rb"\xff+([\x01-\xcf\xd8-\xfe])")


@dataclass(frozen=True, kw_only=True)
class Component:
    """One plane as the frame header declares it: sampling factors and quantisation table."""

    identifier: int
    across: int
    down: int
    table: int


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where things lie in a JPEG file, and how its planes are made.

    Attributes:
        width: Pixels.
        height: Pixels.
        process: The frame's marker; 0xC0 to 0xC2 are taken.
        precision: Bits a sample.
        components: One per plane.
        segments: Marker and body of every segment before the first scan, in order.
        complete: Every coefficient's last bit comes in some scan.
        end: Offset of the end marker (of its last two bytes, where it is filled up).
    """

    width: int
    height: int
    process: int
    precision: int
    components: tuple[Component, ...]
    segments: tuple[tuple[int, bytes], ...]
    complete: bool
    end: int

    @property
    def progressive(self) -> bool:
        """Whether the coefficients come in several scans of growing precision."""
        return self.process == _PROGRESSIVE

    @property
    def is_rgb(self) -> bool:
        """Whether the planes are R, G and B; by the rules of libjpeg (jdapimin.c)."""
        if len(self.components) != 3:
            return False
        bodies = [(marker, body) for marker, body in self.segments if marker in _APPLICATION]
        if any(marker == 0xE0 and body.startswith(b"JFIF") for marker, body in bodies):
            return False
        for marker, body in bodies:
            if marker == 0xEE and body.startswith(b"Adobe") and len(body) >= 12:
                return body[11] == 0
        return bytes(component.identifier for component in self.components) == b"RGB"

    def described(self) -> tuple[tuple[int, bytes], ...]:
        """Return the segments that say something about the photo, not how to decode it."""
        return tuple(s for s in self.segments if is_description(s[0]))


def is_description(marker: int) -> bool:
    """Tell whether a segment is an application's or a comment."""
    return marker in _APPLICATION or marker == _COMMENT


def segment(marker: int, body: bytes) -> bytes:
    """Put marker and length before a segment's body."""
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def layout(data: bytes) -> Layout:
    """Walk a JPEG file from marker to marker.

    Raises:
        InvalidInput: It is cut off or makes no sense.
    """
    try:
        return _walk(data)
    except (struct.error, IndexError, ValueError) as error:
        raise damaged("JPEG", "a segment makes no sense") from error


def next_segment(data: bytes, position: int) -> tuple[int, int, int]:
    """Find the next segment: where it starts, its marker, and where it ends.

    Coded samples are skipped. The end marker has no body and ends with itself.

    Raises:
        InvalidInput: There is none, or it is cut off.
    """
    match = _NEXT_MARKER.search(data, position)
    if match is None:
        raise damaged("JPEG", "its end marker is missing")
    marker = match.group(1)[0]
    if marker == _END:
        return match.start(), marker, match.end()
    (length,) = struct.unpack_from(">H", data, match.end())
    end = match.end() + length
    if length < 2 or end > len(data):
        raise damaged("JPEG", "a segment is longer than the file")
    return match.start(), marker, end


def _walk(data: bytes) -> Layout:
    frame: tuple[int, bytes] | None = None
    before: list[tuple[int, bytes]] = []
    missing: dict[tuple[int, int], int] = {}
    scans, position = 0, 2
    while True:
        start, marker, position = next_segment(data, position)
        if marker == _END:
            break
        body = data[data.index(marker, start) + 3 : position]
        if marker in _START_OF_FRAME and frame is None:
            frame = marker, body
        if marker == SCAN:
            scans += 1
            _note_scan(body, missing)
        elif scans == 0:
            before.append((marker, body))
    if frame is None or scans == 0:
        raise damaged("JPEG", "there is no picture in it")
    marker, body = frame
    precision, height, width, planes = struct.unpack_from(">BHHB", body)
    components = tuple(
        Component(identifier=i, across=s >> 4, down=s & 15, table=t)
        for i, s, t in (body[6 + 3 * k : 9 + 3 * k] for k in range(planes))
    )
    progressive = marker == _PROGRESSIVE
    wanted = {(c.identifier, k) for c in components for k in (range(64) if progressive else (0,))}
    return Layout(
        width=width,
        height=height,
        process=marker,
        precision=precision,
        components=components,
        segments=tuple(before),
        complete=all(missing.get(key) == 0 for key in wanted),
        end=position - 2,
    )


def _note_scan(body: bytes, missing: dict[tuple[int, int], int]) -> None:
    """Note how many low bits are still missing of the coefficients that a scan brings."""
    planes = body[0]
    first, last, approximation = body[1 + 2 * planes : 4 + 2 * planes]
    for k in range(planes):
        for coefficient in range(first, min(last, 63) + 1):
            missing[body[1 + 2 * k], coefficient] = approximation & 15


def bare_file(data: bytes, found: Layout) -> bytes:
    """Leave out every description that doesn't tell how to read the planes."""
    return with_segments(data, tuple(s for s in found.described() if _names_colours(s)))


def _names_colours(described: tuple[int, bytes]) -> bool:
    marker, body = described
    return (marker == 0xE0 and body.startswith(b"JFIF")) or (
        marker == 0xEE and body.startswith(b"Adobe")
    )


def with_segments(data: bytes, segments: tuple[tuple[int, bytes], ...]) -> bytes:
    """Replace all application and comment segments before the first scan."""
    parts = [data[:2], *(segment(marker, body) for marker, body in segments)]
    position = 2
    while True:
        start, marker, end = next_segment(data, position)
        if marker == SCAN:
            return b"".join([*parts, data[start:]])
        if not is_description(marker):
            parts.append(data[start:end])
        position = end


def blank_file(found: Layout) -> bytes:
    """Make a file of the same frame and tables in which every coefficient is 0.

    It tells a writer all that the source would, and takes no time to read: one bit for the mean
    of each block, one for its end.
    """
    kept = tuple(s for s in found.segments if s[0] == _QUANTISATION or _names_colours(s))
    frame = next(body for marker, body in found.segments if marker == found.process)
    one_code = bytes([1, *bytes(15), 0])
    scan = bytes([len(found.components)])
    scan += b"".join(bytes([c.identifier, 0]) for c in found.components) + bytes([0, 63, 0])
    units = [1, 1, 1]
    if len(found.components) > 1:
        most_across = max(c.across for c in found.components)
        most_down = max(c.down for c in found.components)
        units = [sum(c.across * c.down for c in found.components), most_across, most_down]
    per_unit, across, down = units
    blocks = -(-found.width // (8 * across)) * -(-found.height // (8 * down)) * per_unit
    return b"".join(
        [
            b"\xff\xd8",
            *(segment(marker, body) for marker, body in kept),
            segment(_EXTENDED, frame),
            segment(_HUFFMAN, b"\x00" + one_code + b"\x10" + one_code),
            segment(SCAN, scan),
            bytes(-(-2 * blocks // 8)),
            b"\xff\xd9",
        ]
    )
