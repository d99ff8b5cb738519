"""Writing a folder of files so that they appear together or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from image_core.errors import InvalidInput
from image_core.photo.atomic import not_writable


def check_new_folder(output: Path) -> None:
    """Refuse a place where a folder cannot be made without touching what lies there.

    Raises:
        InvalidInput: Something is in the way, or its parent is missing.
    """
    if output.is_symlink() or (output.exists() and not output.is_dir()):
        raise InvalidInput(f"{output} is in the way: it is no folder", hint="Name a new folder.")
    if output.is_dir() and any(output.iterdir()):
        raise InvalidInput(f"the folder {output} is not empty", hint="Name a new folder.")
    if not output.parent.is_dir():
        raise InvalidInput(f"{output.parent} is no folder", hint="Create the folder first.")


@contextmanager
def whole_folder(output: Path) -> Iterator[Path]:
    """Give a folder to write to that becomes ``output`` when the block ends well.

    It lies beside ``output`` meanwhile and is removed when the block fails, also when interrupted.

    Raises:
        InvalidInput: See ``check_new_folder``; or the disk is full, or writing is not permitted.
    """
    check_new_folder(output)
    work = output.parent / f".insitu-{secrets.token_hex(8)}.tmp"
    try:
        work.mkdir()
        yield work
        os.replace(work, output)  # takes the place of an empty folder, never of a filled one
    except BaseException as error:
        shutil.rmtree(work, ignore_errors=True)
        if isinstance(error, OSError):
            raise not_writable(output, error) from error
        raise


def write_file(path: Path, data: bytes) -> None:
    """Write a new file, with its folders, and wait until the disk has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())  # the folder's renaming must not outrun its content
