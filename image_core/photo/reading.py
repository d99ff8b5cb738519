"""From a path to a file's content: what may be read at all, and which format it is."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Literal

from image_core.errors import InvalidInput
from image_core.photo.decoded import TAKEN, Decoded, Samples

Format = Literal["png", "tiff", "webp", "jpeg"]

MAX_BYTES = 2 << 30
"""Largest file taken."""

_OTHERS = (
    (0, b"GIF8", "a GIF"),
    (0, b"BM", "a BMP"),
    (0, b"8BPS", "a Photoshop document"),
    (0, b"%PDF", "a PDF"),
    (0, b"\x00\x00\x01\x00", "an icon"),
    (0, b"\xff\x0a", "a JPEG XL"),
    (0, b"\x00\x00\x00\x0cJXL ", "a JPEG XL"),
    (0, b"\x00\x00\x00\x0cjP  ", "a JPEG 2000"),
    (0, b"\x76\x2f\x31\x01", "an OpenEXR"),
    (0, b"#?RADIANCE", "a Radiance HDR"),
    (0, b"<svg", "an SVG"),
    (4, b"ftypavif", "an AVIF"),
    (4, b"ftyphei", "a HEIC"),
    (4, b"ftypmif1", "a HEIC"),
    (4, b"ftyp", "a video"),
    (0, b"\x1a\x45\xdf\xa3", "a video"),
    (8, b"AVI ", "a video"),
)
_HINT = f"{TAKEN}; convert it to one of these first."


def format_of(data: bytes) -> Format | None:
    """Recognise a format by its first bytes; None where it is none of ours."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if data[:4] in (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"):
        return "tiff"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    return None


def _not_taken(path: str | Path, data: bytes) -> InvalidInput:
    for offset, mark, name in _OTHERS:
        if data[offset:].startswith(mark):
            return InvalidInput(f"{path} is {name}, which isn't taken", hint=_HINT)
    return InvalidInput(f"{path} is not an image", hint=f"{TAKEN}.")


def _unreadable(path: str | Path, error: OSError) -> InvalidInput:
    reasons = {
        errno.ENOENT: ("there is no such file", "Check the path."),
        errno.ENOTDIR: ("there is no such file", "Check the path."),
        errno.EACCES: ("permission denied", "Make it readable for you first (chmod u+r)."),
        errno.EPERM: ("permission denied", "Make it readable for you first (chmod u+r)."),
        errno.ELOOP: ("the links in its path go in circles", "Check the path."),
        errno.ENAMETOOLONG: ("the name is too long", "Check the path."),
    }
    reason, hint = reasons.get(error.errno or 0, (error.strerror or str(error), "Check the file."))
    return InvalidInput(f"cannot read {path}: {reason}", hint=hint)


def read_bytes(path: str | Path) -> bytes:
    """Read a picture file's bytes, once.

    Raises:
        InvalidInput: Missing, no permission, a folder, a device or a pipe, empty, too large, or
            by its first bytes nothing that is taken.
    """
    try:
        # without waiting for a writer, should it be a pipe
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise InvalidInput(f"{path} is not a regular file", hint="Name a picture file.")
            if found.st_size > MAX_BYTES:
                raise InvalidInput(
                    f"{path} has {found.st_size >> 20} MB; at most {MAX_BYTES >> 20} are taken",
                    hint="Scale the photo down or cut out a part first.",
                )
            start = file.read(64)
            if not start:
                raise InvalidInput(f"{path} is empty", hint="Get the file again.")
            if format_of(start) is None:
                raise _not_taken(path, start)
            return start + file.read(MAX_BYTES)
    except IsADirectoryError as error:
        raise InvalidInput(f"{path} is a folder", hint="Name a picture file in it.") from error
    except OSError as error:
        raise _unreadable(path, error) from error
    except ValueError as error:
        raise InvalidInput(f"cannot read {str(path)!r}: {error}", hint="Check the path.") from error


def decode(data: bytes) -> tuple[Format, Decoded]:
    """Decode a file's bytes by what they are, whatever its name says.

    Raises:
        InvalidInput: No format of ours, damaged, too large, or of a kind that isn't taken.
    """
    found = format_of(data)
    if found == "png":
        from image_core.photo import png as container
    elif found == "jpeg":
        from image_core.photo import jpeg as container  # type: ignore[no-redef]
    elif found == "tiff":
        from image_core.photo import tiff as container  # type: ignore[no-redef]
    elif found == "webp":
        from image_core.photo import webp as container  # type: ignore[no-redef]
    else:
        raise _not_taken("this", data[:64])
    try:
        return found, container.decode(data)
    except MemoryError as error:
        raise InvalidInput("the photo does not fit into memory", hint="Scale it down.") from error


def read_samples(path: str | Path) -> Samples:
    """Return a file's native samples in stored orientation, for whoever verifies it.

    Raises:
        InvalidInput: As ``read_bytes`` and ``decode``.
    """
    return decode(read_bytes(path))[1].samples
