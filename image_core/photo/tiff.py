"""TIFF in: what a photo is made of, and what of the format can't be taken."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING

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
)
from image_core.photo.exif_from_tiff import exif_from_tiff

if TYPE_CHECKING:
    import tifffile

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _CMYK = 0, 1, 2, 3, 5
_RAW_TAGS = (50706, 33421)
_ICC_TAG, _XMP_TAG = 34675, 700
_REDUCED = 1
# the most by which each kind of coding can shrink samples; others have no bound
_RATIO = {1: 1, 5: 1400, 8: 1032, 32946: 1032, 32773: 64}


@contextlib.contextmanager
def opened(data: bytes) -> Iterator[tifffile.TiffFile]:
    """Open a TIFF file in memory; the reader's remarks on odd files are not for the user."""
    import tifffile

    logger = logging.getLogger("tifffile")
    before = logger.disabled
    logger.disabled = True
    try:
        with tifffile.TiffFile(BytesIO(data)) as tif:
            yield tif
    finally:
        logger.disabled = before


def the_page(tif: tifffile.TiffFile) -> tifffile.TiffPage:
    """Return the one page that is the photo; reduced copies of it don't count.

    Raises:
        InvalidInput: There are several.
    """
    pages = [page for page in tif.pages if not page.aspage().subfiletype & _REDUCED]
    if not pages:
        pages = [tif.pages[0]]
    if len(pages) > 1:
        raise unsupported(
            f"this TIFF has {len(pages)} pages; photos are single pictures",
            hint="Save the page that you mean as a file of its own.",
        )
    return pages[0].aspage()


def _check_kind(page: tifffile.TiffPage) -> None:
    photometric, bits = int(page.photometric or 0), int(page.bitspersample)
    kinds = {_CMYK: "CMYK", 6: "YCbCr", 8: "Lab", 32803: "a raw photo", 34892: "a raw photo"}
    if photometric in kinds or any(tag in page.tags for tag in _RAW_TAGS):
        raise unsupported(
            f"this TIFF is {kinds.get(photometric, 'a raw photo')}, which isn't taken",
            hint="Convert it to RGB first.",
        )
    if photometric not in (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE):
        raise unsupported(f"this TIFF's kind of colour ({photometric}) isn't taken")
    if int(page.sampleformat) != 1:
        raise unsupported("this TIFF holds signed or floating-point samples, which aren't taken")
    if bits not in (8, 16) and not (bits == 1 and page.samplesperpixel == 1):
        raise unsupported(f"this TIFF holds {bits} bits a sample; 8 and 16 are taken")
    allowed = (3, 4) if photometric == _RGB else (1,) if photometric == _PALETTE else (1, 2)
    if page.samplesperpixel not in allowed or page.imagedepth != 1:
        raise unsupported(f"this TIFF has {page.samplesperpixel} channels, which aren't taken")


def _check_bounds(page: tifffile.TiffPage, size: int) -> None:
    bits = int(page.bitspersample) * int(page.samplesperpixel)
    check_size(
        page.imagewidth,
        page.imagelength,
        container="TIFF",
        claimed=page.imagewidth * page.imagelength * bits // 8,
        held=size,
        ratio=_RATIO.get(int(page.compression), 0),
    )
    for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True):
        if offset + count > size:
            raise damaged("TIFF", f"{offset + count - size} bytes are missing")


def _arranged(page: tifffile.TiffPage, array: np.ndarray) -> Samples:
    """Bring an array as it is stored to height, width, channels."""
    height, width, channels = page.imagelength, page.imagewidth, page.samplesperpixel
    if channels > 1 and int(page.planarconfig) == 2:
        return np.moveaxis(array.reshape(channels, height, width), 0, 2)
    return array.reshape(height, width, channels)


def page_samples(page: tifffile.TiffPage) -> Samples:
    """Decode a page as it is stored, without interpreting its values."""
    return _arranged(page, np.asarray(page.asarray()))


def _interpreted(page: tifffile.TiffPage, array: Samples) -> Samples:
    """Turn palettes into RGB, one bit into eight, and have 0 mean black."""
    photometric = int(page.photometric or 0)
    if photometric == _PALETTE:
        table = np.asarray(page.colormap).T
        entries = table[np.minimum(array[..., 0], len(table) - 1)]
        coarse = (table % 257 == 0).all() or (table % 256 == 0).all()
        return np.asarray((entries >> 8).astype(np.uint8) if coarse else entries.astype(np.uint16))
    if int(page.bitspersample) == 1:
        array = (array != 0).astype(np.uint8) * np.uint8(255)
    if photometric == _WHITE_IS_ZERO:
        grey = np.iinfo(array.dtype).max - array[..., :1]
        return np.concatenate([grey, array[..., 1:]], axis=2)
    return array


def is_plain(page: tifffile.TiffPage) -> bool:
    """Tell whether the samples taken are the samples stored, so that they can be put back."""
    return int(page.photometric or 0) in (_BLACK_IS_ZERO, _RGB) and int(page.bitspersample) != 1


def _bytes_of(page: tifffile.TiffPage, tag: int) -> bytes | None:
    if tag not in page.tags:
        return None
    value = page.tags[tag].value
    return value.encode() if isinstance(value, str) else bytes(value)


def decode(data: bytes) -> Decoded:
    """Read a TIFF of one picture: grey, RGB, with or without alpha, palette, 1, 8 or 16 bit.

    Raises:
        InvalidInput: Damaged, too large, several pages, or of a kind that can't be held.
    """
    try:
        with opened(data) as tif:
            page = the_page(tif)
            _check_kind(page)
            _check_bounds(page, len(data))
            samples = _interpreted(page, page_samples(page))
            orientation = 1
            warnings: tuple[str, ...] = ()
            if exif_blocks.ORIENTATION in page.tags:
                value = int(page.tags[exif_blocks.ORIENTATION].value)
                orientation, warnings = exif_blocks.checked_orientation(value)
            icc, xmp = _bytes_of(page, _ICC_TAG), _bytes_of(page, _XMP_TAG)
            if len(tif.pages) > 1:
                warnings += ("The file's reduced pictures still show the photo unedited.",)
    except InvalidInput:
        raise
    except Exception as error:
        raise damaged("TIFF", error) from error
    exif = exif_from_tiff(data)
    resolution = exif_blocks.resolution_of(exif)
    return Decoded(
        samples=np.ascontiguousarray(samples),
        orientation=orientation,
        metadata=Metadata(exif=exif, icc=icc, xmp=xmp, resolution=resolution),
        warnings=warnings,
    )
