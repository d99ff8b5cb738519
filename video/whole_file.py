"""A file that another library writes: it appears under its name as a whole, or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from image_core.errors import InvalidInput
from image_core.photo.atomic import not_writable, sync_folder


@contextlib.contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Give a temporary name in the same folder, which becomes ``path`` when the block ends well.

    The file is flushed to the disk before it is renamed, and removed on any failure, an
    interruption included. A link is written through; a file that is replaced keeps its
    permissions.

    Raises:
        InvalidInput: The place can't be written, or the disk is full.
    """
    try:
        target = Path(os.path.realpath(path))
        if target.is_dir():
            raise InvalidInput(f"cannot write {path}: it is a folder", hint="Name a file in it.")
        if target.exists() and not target.is_file():
            raise InvalidInput(
                f"cannot write {path}: it is not a regular file", hint="Name a file."
            )
        mode = target.stat().st_mode & 0o7777 if target.exists() else None
    except ValueError as error:
        raise InvalidInput(
            f"cannot write {str(path)!r}: {error}", hint="Check the path."
        ) from error
    except OSError as error:
        raise not_writable(Path(path), error) from error
    # its ending stays: writers choose the container by it
    temporary = target.parent / f".insitu-{secrets.token_hex(8)}{target.suffix}"
    try:
        # claimed first, so that a folder that can't be written fails here
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
        yield temporary
        descriptor = os.open(temporary, os.O_RDONLY)
        try:
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
