"""From an edited photo to the bytes of a file: which container, and by which route."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from image_core.errors import InvalidInput
from image_core.photo.decoded import Metadata
from image_core.photo.reading import Format

if TYPE_CHECKING:
    from image_core.photo.photo import Photo

Route = Literal["samples", "coefficients", "lossy"]

SUFFIXES: dict[str, Format] = {
    ".png": "png",
    ".tif": "tiff",
    ".tiff": "tiff",
    ".webp": "webp",
    ".jpg": "jpeg",
    ".jpeg": "jpeg",
}


@dataclass(frozen=True, kw_only=True)
class SaveReport:
    """How a photo was written.

    Attributes:
        how: ``samples``: every sample is in the file; ``coefficients``: a JPEG whose blocks
            without support are the source's; ``lossy``: a fresh JPEG.
        sha256: Of the bytes written.
        warnings: What could not be kept.
    """

    how: Route
    sha256: str
    warnings: tuple[str, ...] = ()


def container_of(path: str | Path) -> Format:
    """Choose the container by the name's ending.

    Raises:
        InvalidInput: None of ours.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise InvalidInput(
            f"cannot tell a format from the name {Path(path).name!r}",
            hint=f"End it with one of {' '.join(SUFFIXES)}.",
        )
    return SUFFIXES[suffix]


def check_container(source: Format, depth: int, path: str | Path, *, lossy: bool) -> None:
    """Refuse, before any work, an output whose container can't hold the edited photo.

    Args:
        source: The source's format.
        depth: Its bits a sample.
        path: The output.
        lossy: Whether a loss is allowed.

    Raises:
        InvalidInput: No known ending, or a loss that wasn't allowed.
    """
    container = container_of(path)
    if container == "jpeg" and source != "jpeg" and not lossy:
        raise InvalidInput(
            "writing a JPEG from a source that is none changes every pixel a little",
            hint="Write a .png, .tif or .webp, or allow the loss (--lossy).",
        )
    if container == "webp" and depth > 8:
        raise InvalidInput(f"WebP can't hold {depth} bits a sample", hint="Write a .png or .tif.")


def refuse_source(path: str | Path, source: Path) -> None:
    """Refuse to write over the source, by whatever name or link.

    Raises:
        InvalidInput: It is the same file.
    """
    target = Path(path)
    try:
        same = target.exists() and target.samefile(source)
    except (OSError, ValueError):
        same = False
    if same:
        raise InvalidInput(
            f"the output {path} is the source itself", hint="Give the output another name."
        )


def _fitting(metadata: Metadata, channels: int) -> tuple[Metadata, tuple[str, ...]]:
    """Drop a profile that is for another kind of picture than the one to be written."""
    if not metadata.icc:
        return metadata, ()
    from image_core.photo.profile import colour_space

    if colour_space(metadata.icc) == ("GRAY" if channels < 3 else "RGB"):
        return metadata, ()
    warning = "The embedded colour profile does not fit the written picture and was left out."
    return replace(metadata, icc=None), (warning,)


def _jpeg(photo: Photo, lossy: bool) -> tuple[bytes, Route, tuple[str, ...]]:
    from image_core.photo import jpeg

    same_planes = photo.samples.shape == photo.original.shape
    if photo.format == "jpeg" and same_planes:
        return _by_coefficients(photo), "coefficients", ()
    if not lossy:
        why = (
            "the edit brings colour into a grey JPEG"
            if photo.format == "jpeg"
            else "writing a JPEG from a source that is none changes every pixel a little"
        )
        raise InvalidInput(why, hint="Write a .png, .tif or .webp, or allow the loss (--lossy).")
    metadata, warnings = _fitting(photo.metadata, photo.samples.shape[2])
    if photo.samples.shape[2] in (2, 4):
        warnings += ("JPEG has no transparency; it was left out.",)
    return jpeg.encode_lossy(photo.samples, metadata), "lossy", warnings


def _by_coefficients(photo: Photo) -> bytes:
    from image_core.photo import jpeg_coefficients
    from image_core.photo.jpeg_edit import edited_blocks
    from image_core.photo.jpeg_layout import layout

    assert photo.inside is not None
    blocks = edited_blocks(
        jpeg_coefficients.read(photo.data),
        photo.original,
        photo.samples,
        photo.inside,
        is_rgb=layout(photo.data).is_rgb,
    )
    return jpeg_coefficients.write(photo.data, blocks)


def _tiff(photo: Photo, metadata: Metadata) -> bytes:
    from image_core.photo import tiff_splice, tiff_writer

    if photo.format == "tiff":
        spliced = tiff_splice.spliced(photo.data, photo.original, photo.samples)
        if spliced is not None:
            return spliced
    return tiff_writer.encode(photo.samples, metadata)


def encoded(
    photo: Photo, container: Format, *, lossy: bool
) -> tuple[bytes, Route, tuple[str, ...]]:
    """Make the bytes of the file that holds a photo.

    An unedited photo in its own container is its source, byte for byte.

    Raises:
        InvalidInput: The container can't hold it, or not without a loss that wasn't allowed.
    """
    untouched = photo.inside is None or np.array_equal(photo.samples, photo.original)
    if untouched and container == photo.format:
        return photo.data, "coefficients" if container == "jpeg" else "samples", ()
    if container == "jpeg":
        return _jpeg(photo, lossy)
    channels = photo.samples.shape[2]
    written = 3 if container == "webp" and channels < 3 else channels
    metadata, warnings = _fitting(photo.metadata, written)
    # the source's own chunks say all that the metadata says, and more; but not a wrong profile
    source = photo.data if photo.format == container and not warnings else None
    if container == "tiff":
        return _tiff(photo, metadata), "samples", warnings
    if container == "webp":
        from image_core.photo import webp

        return webp.encode(photo.samples, metadata, source), "samples", warnings
    from image_core.photo import png

    return png.encode(photo.samples, metadata, source), "samples", warnings
