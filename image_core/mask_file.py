"""Masks as files: the ones users give, and the one beside every output."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image as PillowImage

from image_core.errors import IntegrityError, InvalidInput
from image_core.photo import Photo, to_stored, to_upright
from image_core.types import Mask

_ORIENTATION_TAG = 0x0112


def read_mask(path: Path) -> Mask:
    """Read a user's mask, upright: grey level (of colours the brightest) times any alpha.

    Raises:
        InvalidInput: The file is missing, unreadable or no picture.
    """
    photo = Photo.open(path)
    samples = photo.samples
    levels: Float32[np.ndarray, "h w c"] = samples.astype(np.float32) / np.iinfo(samples.dtype).max
    value = levels[..., :3].max(axis=-1) if levels.shape[2] >= 3 else levels[..., 0]
    if levels.shape[2] in (2, 4):
        value = value * levels[..., -1]
    return np.ascontiguousarray(to_upright(value, photo.orientation))


def encode_mask(alpha: Mask, orientation: int) -> bytes:
    """Return a PNG of an upright alpha's 8-bit levels, stored in an orientation and tagged with it.

    Stored like the source and tagged like it, the mask fits the source and the output whether a
    reader applies the tag or not.
    """
    levels = np.rint(alpha * 255).astype(np.uint8)
    picture = PillowImage.fromarray(np.ascontiguousarray(to_stored(levels, orientation)))
    exif = PillowImage.Exif()
    if orientation != 1:
        exif[_ORIENTATION_TAG] = orientation
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", exif=exif, compress_level=3)
    return buffer.getvalue()


def read_stored_mask(path: Path) -> UInt8[np.ndarray, "h w"]:
    """Read the mask beside an output as it is stored.

    Raises:
        InvalidInput: It is missing.
        IntegrityError: It is not the 8-bit grey picture that insitu writes.
    """
    if not path.is_file():
        raise InvalidInput(f"there is no mask {path}", hint="It is written beside every output.")
    try:
        photo = Photo.open(path)
    except InvalidInput as error:
        raise IntegrityError(f"the mask {path} is damaged: {error}") from error
    if photo.samples.dtype != np.uint8 or photo.samples.shape[2] != 1:
        raise IntegrityError(f"the mask {path} is not an 8-bit grey picture")
    return photo.samples[..., 0]
