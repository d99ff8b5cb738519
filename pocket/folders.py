"""A folder of ours on disk: it appears when all of it is there, and it is known again later."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from image_core.errors import InvalidInput
from image_core.photo.atomic import not_writable

_DIGEST = "digest"


def check_folder(folder: str | Path) -> Path:
    """Return a folder's path.

    Raises:
        InvalidInput: No folder can have that name.
    """
    if not str(folder) or "\0" in str(folder):
        raise InvalidInput(f"{str(folder)!r} is no folder's name", hint="Name a new one.")
    return Path(folder)


def held(folder: Path, record: str, asked: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the record of a folder that holds what is asked for, whole and unchanged.

    Args:
        folder: Where.
        record: Path in the folder of the JSON file that ``write_record`` wrote.
        asked: Entries that the record must have.

    Returns:
        The record; None where the folder is missing or empty.

    Raises:
        InvalidInput: The folder holds something else.
    """
    try:
        if not folder.is_dir():
            if folder.exists() or folder.is_symlink():
                raise InvalidInput(f"{folder} is no folder", hint="Name a new one.")
            return None
        if not any(folder.iterdir()):
            return None
        found = json.loads((folder / record).read_bytes())
        same = all(found[name] == value for name, value in asked.items())
        if same and found[_DIGEST] == _digest(folder, _below(folder, record)):
            return dict(found)
    except (OSError, ValueError, KeyError, TypeError):
        pass  # unreadable or not ours: it is something else
    raise InvalidInput(
        f"{folder} holds something else already", hint="Name a new folder, or remove that one."
    )


@contextlib.contextmanager
def published(folder: Path) -> Iterator[Path]:
    """Give a folder to write into, and let it take its name when all went well.

    Raises:
        InvalidInput: It cannot be written.
    """
    place = Path(os.path.realpath(folder))
    partial = place.parent / f".{place.name}.{secrets.token_hex(6)}.tmp"
    try:
        partial.mkdir(parents=True)
        yield partial
        if place.is_dir():
            # an empty folder may be a link's target or where the user stands: it stays the same
            for entry in sorted(partial.iterdir()):
                os.replace(entry, place / entry.name)
        else:
            os.replace(partial, place)
    except OSError as error:
        raise not_writable(folder, error) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def write_record(folder: Path, record: str, content: Mapping[str, Any]) -> None:
    """Write the record of a folder's content, with a digest of all other files in it."""
    digest = _digest(folder, _below(folder, record))
    write_json(folder / record, {**content, _DIGEST: digest})


def write_png(path: Path, picture: np.ndarray) -> None:
    """Write 8 or 16 bit RGB or grey, making the folders on the way."""
    _, data = cv2.imencode(".png", picture[..., ::-1] if picture.ndim == 3 else picture)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.tobytes())


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file that people can read, making the folders on the way."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _below(folder: Path, record: str) -> list[str]:
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in names if name != record)


def _digest(folder: Path, names: Iterable[str]) -> str:
    total = hashlib.sha256()
    for name in names:
        total.update(name.encode() + b"\0")
        total.update(hashlib.sha256((folder / name).read_bytes()).digest())
    return total.hexdigest()
