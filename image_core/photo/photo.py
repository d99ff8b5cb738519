"""A photo: a file in, its samples as they are, and a file out in which only the edit differs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from image_core.compositing import composite_native, support
from image_core.errors import InvalidInput
from image_core.photo import exif
from image_core.photo.atomic import write_atomically
from image_core.photo.decoded import Metadata, Samples
from image_core.photo.orientation import to_stored, to_upright
from image_core.photo.reading import Format, decode, read_bytes
from image_core.photo.saving import (
    SaveReport,
    check_container,
    container_of,
    encoded,
    refuse_source,
)
from image_core.types import Image, Mask

_COLOURLESS = 1.5 / 255
"""How far apart a result's channels may lie for a grey photo to stay grey."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Photo:
    """One picture file, and what is to be written in its place.

    Attributes:
        path: Where it was read from.
        data: The file's bytes.
        sha256: Of these bytes.
        format: What it is, whatever its name says.
        samples: uint8 or uint16, grey, grey + alpha, RGB or RGBA; *stored* orientation.
        original: The same before any edit.
        inside: Where edits had support, in stored orientation; None before the first.
        orientation: The EXIF value, 1 to 8.
        metadata: EXIF, colour profile, XMP and resolution.
        warnings: What the user should know.
    """

    path: Path
    data: bytes = field(repr=False)
    sha256: str
    format: Format
    samples: Samples = field(repr=False)
    original: Samples = field(repr=False)
    inside: Bool[np.ndarray, "h w"] | None = field(default=None, repr=False)
    orientation: int = 1
    metadata: Metadata = field(default=Metadata(), repr=False)
    warnings: tuple[str, ...] = ()

    @classmethod
    def open(cls, path: str | Path) -> Photo:
        """Read a photo: PNG, TIFF, WebP or JPEG.

        Raises:
            InvalidInput: It can't be read, or is of a kind that isn't taken; the hint says what
                to do.
        """
        from image_core.photo.profile import not_srgb

        data = read_bytes(path)
        try:
            found, decoded = decode(data)
        except InvalidInput as error:
            raise InvalidInput(f"{path}: {error}", hint=error.hint) from error
        warnings = decoded.warnings + not_srgb(decoded.metadata.icc)
        if exif.has_thumbnail(decoded.metadata.exif):
            warnings += ("The embedded thumbnail is kept and shows the photo unedited.",)
        return cls(
            path=Path(path),
            data=data,
            sha256=hashlib.sha256(data).hexdigest(),
            format=found,
            samples=decoded.samples,
            original=decoded.samples,
            orientation=decoded.orientation,
            metadata=decoded.metadata,
            warnings=warnings,
        )

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the upright picture."""
        height, width = to_upright(self.samples, self.orientation).shape[:2]
        return width, height

    def check_container(self, path: str | Path, *, lossy: bool = False) -> None:
        """Refuse, before any work, an output that can't hold the edited photo.

        Raises:
            InvalidInput: Its ending is unknown, or it would lose what may not be lost.
        """
        check_container(self.format, 8 * self.samples.itemsize, path, lossy=lossy)

    def rgb(self) -> Image:
        """Return the upright picture in [0, 1]: alpha dropped, grey repeated, values as sRGB."""
        colour = self.samples[..., : 1 if self.samples.shape[2] < 3 else 3]
        upright = to_upright(colour, self.orientation)
        height, width = upright.shape[:2]
        picture = np.empty((height, width, 3), np.float32)
        np.divide(upright, np.float32(np.iinfo(self.samples.dtype).max), out=picture)
        return picture

    def with_edit(self, result: Image, alpha: Mask) -> Photo:
        """Lay an edited picture into the native samples, where alpha is above 0.

        A grey photo stays grey as long as the edit brings no colour into it. The alpha channel
        stays.

        Args:
            result: The upright picture with the edit already composited.
            alpha: Its mask.

        Raises:
            InvalidInput: One of them is of another size than the photo.
        """
        width, height = self.size
        if result.shape[:2] != (height, width) or alpha.shape != (height, width):
            raise InvalidInput(
                f"the edit is {result.shape[1]} x {result.shape[0]} and its mask "
                f"{alpha.shape[1]} x {alpha.shape[0]}, but the photo is {width} x {height}"
            )
        inside = to_stored(support(alpha), self.orientation)
        stored = to_stored(result, self.orientation)
        native, warnings = self.samples, self.warnings
        if native.shape[2] < 3 and _has_colour(stored[inside]):
            native = np.concatenate(
                [np.repeat(native[..., :1], 3, axis=2), native[..., 1:]], axis=2
            )
            warnings += ("The photo is grey and the edit is not: it becomes an RGB photo.",)
        if native.shape[2] < 3:
            stored = stored.mean(axis=2, keepdims=True)
        channels = stored.shape[2]
        written = composite_native(native[..., :channels], stored, inside)
        if native.shape[2] > channels:
            written = np.concatenate([written, native[..., channels:]], axis=2)
        before = np.zeros_like(inside) if self.inside is None else self.inside
        return replace(self, samples=written, inside=inside | before, warnings=warnings)

    def save(self, path: str | Path, *, lossy: bool = False) -> SaveReport:
        """Write the photo, whole or not at all, into the container that the name's ending says.

        PNG, TIFF and WebP keep every sample. A ``.jpg`` from a JPEG keeps all blocks that the edit
        doesn't touch; from anything else it needs ``lossy``.

        Raises:
            InvalidInput: The place can't be written, is the source itself, or the container can't
                hold the photo.
        """
        container = container_of(path)
        refuse_source(path, self.path)
        data, how, warnings = encoded(self, container, lossy=lossy)
        write_atomically(path, data)
        return SaveReport(how=how, sha256=hashlib.sha256(data).hexdigest(), warnings=warnings)


def _has_colour(pixels: np.ndarray) -> bool:
    if pixels.size == 0:
        return False
    return bool((pixels.max(axis=1) - pixels.min(axis=1)).max() > _COLOURLESS)
