"""Writing a file so that it is either there as a whole or not there at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from pathlib import Path

from image_core.errors import InvalidInput

_REASONS = {
    errno.ENOSPC: ("the disk is full", "Free some space, or write to another disk."),
    errno.EDQUOT: ("your disk quota is used up", "Free some space, or write to another disk."),
    errno.EFBIG: ("the file would be larger than allowed", "Raise the limit (ulimit -f)."),
    errno.EACCES: ("permission denied", "Choose a folder that you may write to."),
    errno.EPERM: ("permission denied", "Choose a folder that you may write to."),
    errno.EROFS: ("the disk is read-only", "Choose a folder that you may write to."),
    errno.ENOENT: ("its folder does not exist", "Create the folder first."),
    errno.ENOTDIR: ("its folder is not a folder", "Check the path."),
    errno.EISDIR: ("it is a folder", "Name a file in it."),
    errno.ENAMETOOLONG: ("the name is too long", "Choose a shorter name."),
    errno.ELOOP: ("the links in its path go in circles", "Check the path."),
}


def not_writable(path: Path, error: OSError) -> InvalidInput:
    """Say why a file can't be written, and what to do about it."""
    reason, hint = _REASONS.get(
        error.errno or 0, (error.strerror or str(error), "Choose another place to write to.")
    )
    return InvalidInput(f"cannot write {path}: {reason}", hint=hint)


def _existing_mode(path: Path) -> int | None:
    """Return the permission bits of the file to be replaced, None where there is none."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(found.st_mode):
        raise InvalidInput(f"cannot write {path}: it is a folder", hint="Name a file in it.")
    if not stat.S_ISREG(found.st_mode):
        raise InvalidInput(f"cannot write {path}: it is not a regular file", hint="Name a file.")
    return stat.S_IMODE(found.st_mode)


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def sync_folder(folder: Path) -> None:
    """Make a rename in a folder last through a loss of power, where the file system can."""
    # some file systems refuse it, and then it can't be had
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def write_atomically(path: str | Path, data: bytes) -> None:
    """Write a whole file or nothing.

    The bytes go to a temporary file in the same folder, which is flushed to the disk and then
    renamed; it is removed on any failure, an interruption included. A link is written through; a
    file that is replaced keeps its permissions, a new one gets what the umask gives.

    Args:
        path: Where to.
        data: All of it.

    Raises:
        InvalidInput: The place can't be written: no such folder, no permission, a full disk, a
            folder or a special file in its place.
    """
    try:
        target = Path(os.path.realpath(path))
        mode = _existing_mode(target)
    except ValueError as error:
        raise InvalidInput(
            f"cannot write {str(path)!r}: {error}", hint="Check the path."
        ) from error
    except OSError as error:
        raise not_writable(Path(path), error) from error
    temporary = target.parent / f".insitu-{secrets.token_hex(8)}.tmp"
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            _write_all(descriptor, data)
            if mode is not None:
                os.fchmod(descriptor, mode)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(temporary, target)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        if isinstance(error, OSError):
            raise not_writable(Path(path), error) from error
        raise
    sync_folder(target.parent)
