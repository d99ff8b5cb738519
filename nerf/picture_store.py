"""Pictures on disk under the hash of their content, so that a checkpoint can list them by name."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from image_core.disk_cache import content_key
from image_core.errors import InsituError, IntegrityError, InvalidInput
from image_core.photo import png, write_atomically
from image_core.photo.atomic import not_writable
from image_core.photo.decoded import Metadata
from image_core.photo.reading import decode

_NAME = re.compile(r"[0-9a-f]{32}")
_HINT = "Start again from a checkpoint whose pictures are all there, or run the edit anew."


def name_of(picture: UInt8[np.ndarray, "h w *c"]) -> str:
    """Return the name under which a picture is kept: 32 hex digits of its shape and samples."""
    return content_key(repr(picture.shape), picture.tobytes())[:32]


@dataclass(frozen=True)
class PictureStore:
    """A folder of lossless 8 bit pictures, grey or RGB.

    A file is written once, whole, and never changed afterwards, so a name stands for the same
    samples for as long as its file lies there; whoever reads one has that checked.

    Attributes:
        folder: Made when the first picture is put. Other files in it are left alone.
    """

    folder: Path

    def __contains__(self, name: object) -> bool:
        """Tell whether a picture's file is there; only ``get`` tells whether it is intact."""
        return isinstance(name, str) and bool(_NAME.fullmatch(name)) and self._path(name).is_file()

    def put(self, picture: UInt8[np.ndarray, "h w *c"]) -> str:
        """Keep a picture and return its name; one that is there and intact isn't written again.

        Args:
            picture: Grey (h, w) or RGB (h, w, 3), at least one pixel.

        Raises:
            InvalidInput: Another kind of array, or the folder can't be written to.
        """
        kind = (picture.ndim, *picture.shape[2:])
        if kind not in ((2,), (3, 3)) or picture.dtype != np.uint8 or not picture.size:
            raise InvalidInput(
                f"a picture of shape {picture.shape} and {picture.dtype} can't be kept",
                hint="Give (h, w) or (h, w, 3) samples of 8 bits.",
            )
        name = name_of(picture)
        if not self._intact(name):
            samples = picture if picture.ndim == 3 else picture[..., None]
            self._write(name, png.encode(samples, Metadata()))
        return name

    def get(self, name: str, *, hint: str = _HINT) -> UInt8[np.ndarray, "h w *c"]:
        """Return a picture in the shape in which it was put.

        Args:
            name: As ``put`` gave it.
            hint: What the user can do where it is gone or damaged.

        Raises:
            InvalidInput: It isn't there, or can't be read.
            IntegrityError: The file is damaged, or holds another picture.
        """
        path = self._path(name)
        try:
            data = path.read_bytes()
        except FileNotFoundError as error:
            raise InvalidInput(f"the picture {path} is missing", hint=hint) from error
        except OSError as error:
            raise InvalidInput(f"cannot read {path}: {error.strerror}", hint=hint) from error
        try:
            samples = decode(data)[1].samples
        except InvalidInput as error:
            raise IntegrityError(f"{path} is damaged: {error}", hint=hint) from error
        picture = samples[..., 0] if samples.shape[2] == 1 else samples
        if picture.dtype != np.uint8 or name_of(picture) != name:
            raise IntegrityError(f"{path} does not hold the picture of its name", hint=hint)
        return picture

    def adopt(self, other: PictureStore, names: Iterable[str]) -> None:
        """Take over pictures of another store: by hard link, else by copy.

        Args:
            other: Where they lie; it keeps them.
            names: Which.

        Raises:
            InvalidInput: One is missing there, or this folder can't be written to.
            IntegrityError: One is damaged there.
        """
        for name in names:
            other.get(name)
            if self._intact(name):
                continue
            self._make_folder()
            # a damaged file in its place, another disk, or a file system without hard links
            try:
                os.link(other._path(name), self._path(name))
            except OSError:
                self._write(name, other._path(name).read_bytes())

    def keep_only(self, names: Collection[str]) -> None:
        """Delete every picture of the store that isn't named; files with other names stay."""
        if not self.folder.is_dir():
            return
        kept = set(names)
        for path in self.folder.glob("*.png"):
            if _NAME.fullmatch(path.stem) and path.stem not in kept:
                with contextlib.suppress(FileNotFoundError):
                    path.unlink()

    def _path(self, name: str) -> Path:
        # names come out of checkpoints: one with a path in it must not lead out of the folder
        if not _NAME.fullmatch(name):
            raise InvalidInput(f"{name!r} is not the name of a kept picture", hint=_HINT)
        return self.folder / f"{name}.png"

    def _intact(self, name: str) -> bool:
        try:
            self.get(name)
        except InsituError:
            return False
        return True

    def _make_folder(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise not_writable(self.folder, error) from error

    def _write(self, name: str, data: bytes) -> None:
        self._make_folder()
        write_atomically(self._path(name), data)
