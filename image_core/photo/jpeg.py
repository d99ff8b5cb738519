"""JPEG in, and out as a fresh lossy encoding.

The route that keeps coefficients is in ``jpeg_coefficients`` and ``jpeg_edit``.
"""

from __future__ import annotations

import struct
from io import BytesIO

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
from image_core.photo.jpeg_layout import Layout, bare_file, layout

QUALITY = 95
_XMP = b"http://ns.adobe.com/xap/1.0/\x00"
_ICC = b"ICC_PROFILE\x00"
_FILLER = bytes(range(1, 128)) * 8


def _check(found: Layout) -> None:
    if found.process not in (0xC0, 0xC1, 0xC2) or found.precision != 8:
        raise unsupported(
            "this JPEG is of a rare kind (lossless, arithmetic or not 8 bit), which isn't taken"
        )
    if len(found.components) == 4:
        raise unsupported(
            "this JPEG is CMYK, which is for printing and can't be edited here",
            hint="Convert it to RGB in a program that knows its colour profile.",
        )
    if len(found.components) not in (1, 3):
        raise unsupported(f"this JPEG has {len(found.components)} planes; 1 or 3 are taken")
    if min(min(c.across, c.down) for c in found.components) < 1:
        raise damaged("JPEG", "a plane without samples")
    check_size(
        found.width,
        found.height,
        container="JPEG",
        # every 8 x 8 block takes at least one bit
        claimed=found.width * found.height // (64 * 8),
        held=found.end,
        ratio=1,
    )


def _pixels(data: bytes) -> Samples:
    # the class itself rather than Image.open, whose own limit on pixels is a global
    from PIL.JpegImagePlugin import JpegImageFile

    try:
        with JpegImageFile(BytesIO(data)) as opened:
            pixels = np.asarray(opened)
    except Exception as error:
        raise damaged("JPEG", error) from error
    return pixels.reshape(*pixels.shape[:2], -1)


def _ends_early(data: bytes, found: Layout, samples: Samples) -> bool:
    """Tell whether the picture's data stops before the picture does.

    libjpeg leaves what it had no data for grey. When all the data is there, more of it before
    the end marker changes nothing.
    """
    if not found.complete:
        return True
    if not found.progressive and (samples[-1, -1] != 128).any():
        return False
    end = layout(data).end
    longer = data[:end] + _FILLER + data[end:]
    return not np.array_equal(_pixels(longer), samples)


def _icc(bodies: list[bytes]) -> bytes | None:
    parts = sorted((b[len(_ICC)], b[len(_ICC) + 2 :]) for b in bodies if len(b) > len(_ICC) + 2)
    return b"".join(part for _, part in parts) or None


def _resolution(bodies: list[bytes]) -> tuple[float, float] | None:
    for body in bodies:
        if body.startswith(b"JFIF\x00") and len(body) >= 12:
            unit, across, down = struct.unpack_from(">BHH", body, 7)
            if unit in (1, 2) and across and down:
                scale = 2.54 if unit == 2 else 1.0
                return across * scale, down * scale
    return None


def _metadata(found: Layout) -> Metadata:
    bodies = [body for _, body in found.described()]
    exif = next((exif_blocks.bare(b) for b in bodies if b.startswith(b"Exif\x00\x00")), None)
    return Metadata(
        exif=exif,
        icc=_icc([body for body in bodies if body.startswith(_ICC)]),
        xmp=next((body[len(_XMP) :] for body in bodies if body.startswith(_XMP)), None),
        resolution=_resolution(bodies) or exif_blocks.resolution_of(exif),
    )


def decode(data: bytes) -> Decoded:
    """Read a JPEG, baseline or progressive, as grey or RGB.

    Raises:
        InvalidInput: Damaged, cut off (also where a decoder would leave the rest grey), too
            large, CMYK, or of a rare kind.
    """
    found = layout(data)
    _check(found)
    # a reader warns of odd descriptions, which are not its business
    bare = bare_file(data, found)
    samples = _pixels(bare)
    if _ends_early(bare, found, samples):
        raise damaged("JPEG", "its picture data stops before the picture is complete")
    metadata = _metadata(found)
    orientation, warnings = exif_blocks.orientation_of(metadata.exif)
    if any(marker == 0xE2 and body.startswith(b"MPF\x00") for marker, body in found.segments):
        warnings += ("The file holds further pictures after the first; they are not edited.",)
    return Decoded(samples=samples, orientation=orientation, metadata=metadata, warnings=warnings)


def encode_lossy(samples: Samples, metadata: Metadata) -> bytes:
    """Write a JPEG afresh, quality 95, chroma at full resolution; alpha is left out.

    Raises:
        InvalidInput: A side is too long for the format, or the metadata for a segment.
    """
    from PIL import Image

    if max(samples.shape[:2]) > 65500:
        raise InvalidInput(
            "JPEG holds at most 65500 pixels a side", hint="Write a .png or .tif instead."
        )
    colour = samples[..., : 1 if samples.shape[2] < 3 else 3]
    if colour.dtype == np.uint16:
        colour = np.rint(colour / np.float32(257)).astype(np.uint8)
    options: dict[str, object] = {}
    if metadata.exif:
        options["exif"] = exif_blocks.prefixed(metadata.exif)
    if metadata.icc:
        options["icc_profile"] = metadata.icc
    if metadata.xmp:
        options["xmp"] = metadata.xmp
    if metadata.resolution:
        options["dpi"] = metadata.resolution
    picture = Image.fromarray(colour[..., 0] if colour.shape[2] == 1 else colour)
    written = BytesIO()
    try:
        picture.save(written, "JPEG", quality=QUALITY, subsampling=0, **options)
    except (ValueError, OSError) as error:
        raise InvalidInput(
            f"this photo's metadata does not fit into a JPEG: {error}",
            hint="Write a .png, .tif or .webp instead.",
        ) from error
    return written.getvalue()
