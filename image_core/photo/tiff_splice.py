"""TIFF out by splicing: the source file with only the changed strips or tiles replaced.

Every tag, directory and untouched strip keeps its bytes. A new strip takes the old one's place
where it fits, else it goes to the end of the file, and the two entries that say where it lies
are patched (TIFF 6.0, sections 3, 8 and 15).
"""

from __future__ import annotations

import logging
import struct
from typing import TYPE_CHECKING

import numpy as np

from image_core.photo.decoded import Samples
from image_core.photo.tiff import is_plain, opened, page_samples, the_page

if TYPE_CHECKING:
    import tifffile

_LOG = logging.getLogger("insitu.photo")
_NONE, _LZW, _DEFLATE, _OLD_DEFLATE, _PACKBITS = 1, 5, 8, 32946, 32773
_DEFLATE_LEVEL = 3
_OFFSETS, _COUNTS = (273, 324), (279, 325)
_FORMATS = {3: "H", 4: "I", 16: "Q", 13: "I"}


def _coded(segment: np.ndarray, compression: int, predictor: int, order: str) -> bytes:
    """Code one strip or tile ``(rows, columns, channels)`` as the file's other ones are."""
    import imagecodecs

    if predictor == 2:
        segment = np.concatenate([segment[:, :1], np.diff(segment, axis=1)], axis=1)
    stored = np.ascontiguousarray(segment.astype(segment.dtype.newbyteorder(order)))
    if compression == _NONE:
        return stored.tobytes()
    if compression == _LZW:
        return bytes(imagecodecs.lzw_encode(stored.tobytes()))
    if compression == _PACKBITS:
        return b"".join(bytes(imagecodecs.packbits_encode(row.tobytes())) for row in stored)
    return bytes(imagecodecs.zlib_encode(stored.tobytes(), level=_DEFLATE_LEVEL))


def _boxes(page: tifffile.TiffPage) -> list[tuple[int, int, int, int, slice]]:
    """Return top, left, height, width and channels of each strip or tile, in the file's order.

    Strips end with the picture; tiles are always whole.
    """
    if page.is_tiled:
        tall, wide = page.tilelength, page.tilewidth
    else:
        tall, wide = min(page.rowsperstrip, page.imagelength), page.imagewidth
    separate = int(page.planarconfig) == 2 and page.samplesperpixel > 1
    planes = (
        [slice(c, c + 1) for c in range(page.samplesperpixel)]
        if separate
        else [slice(0, page.samplesperpixel)]
    )
    return [
        (top, left, tall if page.is_tiled else min(tall, page.imagelength - top), wide, plane)
        for plane in planes
        for top in range(0, page.imagelength, tall)
        for left in range(0, page.imagewidth, wide)
    ]


def _whole_tile(part: np.ndarray, height: int, width: int) -> np.ndarray:
    more = ((0, height - part.shape[0]), (0, width - part.shape[1]), (0, 0))
    return np.pad(part, more, mode="edge")


def _patch(data: bytearray, tag: tifffile.TiffTag, index: int, value: int, order: str) -> None:
    letter = _FORMATS[int(tag.dtype)]
    struct.pack_into(order + letter, data, tag.valueoffset + index * struct.calcsize(letter), value)


def _tag(page: tifffile.TiffPage, codes: tuple[int, int]) -> tifffile.TiffTag:
    return next(page.tags[code] for code in codes if code in page.tags)


def _replaced(source: bytes, before: Samples, after: Samples) -> bytes | None:
    with opened(source) as tif:
        page = the_page(tif)
        compression, predictor = int(page.compression), int(page.predictor)
        codings = (_NONE, _LZW, _DEFLATE, _OLD_DEFLATE, _PACKBITS)
        if compression not in codings or predictor not in (1, 2) or int(page.fillorder) != 1:
            return None
        offsets, counts = _tag(page, _OFFSETS), _tag(page, _COUNTS)
        data, order = bytearray(source), tif.byteorder
        places = list(page.dataoffsets)
        for index, (top, left, tall, wide, plane) in enumerate(_boxes(page)):
            part = slice(top, top + tall), slice(left, left + wide), plane
            if np.array_equal(before[part], after[part]):
                continue
            coded = _coded(_whole_tile(after[part], tall, wide), compression, predictor, order)
            place, room = places[index], page.databytecounts[index]
            alone = place > 0 and places.count(place) == 1
            if alone:
                # what the edit took away must not stay in the file
                data[place : place + room] = bytes(room)
            if alone and len(coded) <= room:
                data[place : place + len(coded)] = coded
            else:
                data += b"\x00" * (len(data) % 2)
                _patch(data, offsets, index, len(data), order)
                data += coded
            _patch(data, counts, index, len(coded), order)
    return bytes(data)


def spliced(source: bytes, before: Samples, after: Samples) -> bytes | None:
    """Write ``after`` into a copy of a TIFF file.

    Args:
        source: The file.
        before: Its samples, in stored orientation.
        after: What it shall hold; same shape and depth.

    Returns:
        The new file, read back and found to hold ``after``; None where the file's coding or
        structure doesn't allow it, so that it has to be written afresh.
    """
    if before.shape != after.shape or before.dtype != after.dtype:
        return None
    try:
        with opened(source) as tif:
            if not is_plain(the_page(tif)):
                return None
        made = _replaced(source, before, after)
        if made is None:
            return None
        with opened(made) as tif:
            return made if np.array_equal(page_samples(the_page(tif)), after) else None
    except Exception as error:
        # an offset or a count too small to hold the new place, strips that overlap, tags that
        # the reader stumbles over: whatever it is, writing afresh doesn't depend on it
        _LOG.debug("not spliced: %s", error)
        return None
