"""Where work on clips lies: measurements that any edit of a clip may use again, and one job's own.

Under ``cache_root()``: ``video/`` holds what belongs to a clip and settings (flows, cuts, fits),
within a size limit; ``video-jobs/`` one folder an edit with its regions and encoded parts, so that
the same command goes on where it was cut off. A job's folder is deleted when the edit is done.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from image_core.disk_cache import cache_root, content_key, folder_size
from image_core.errors import InvalidInput
from image_core.photo import write_atomically

MEASURES, JOBS = "video", "video-jobs"
LIMIT = 8 * 2**30
"""Most bytes of measurements kept, unless ``INSITU_CACHE_LIMIT`` (in GB) says otherwise."""
_FORM = "1"  # changes whenever what an older version measured must not be used
_LOCK = "lock"
_MANIFEST = "job.json"


def measures_folder(kind: str, *parts: str) -> Path:
    """Return the folder of a clip's measurements, made if need be and marked as used just now.

    Args:
        kind: Such as ``flow``; part of the name.
        parts: What decides the content: the clip's hash, the settings.

    Raises:
        InvalidInput: The cache cannot be written.
    """
    folder = cache_root() / MEASURES / f"{kind}-{content_key(_FORM, *parts)[:32]}"
    _make(folder)
    os.utime(folder)
    return folder


def trim_measures(*, keep: tuple[Path, ...] = (), limit: int | None = None) -> int:
    """Delete the measurements used longest ago until the rest fits the limit.

    Args:
        keep: Folders in use.
        limit: In bytes; ``LIMIT`` or what the environment says unless given.

    Returns:
        How many bytes were freed.
    """
    limit = size_limit() if limit is None else limit
    folders = [
        (path.stat().st_mtime_ns, folder_size(path), path)
        for path in _folders(cache_root() / MEASURES)
    ]
    total = sum(size for _, size, _ in folders)
    freed = 0
    for _, size, path in sorted(folders, key=lambda entry: entry[0]):
        if total - freed <= limit:
            break
        if path not in keep:
            shutil.rmtree(path, ignore_errors=True)
            freed += size
    return freed


def size_limit() -> int:
    """Return the most bytes of measurements that are kept.

    Raises:
        InvalidInput: ``INSITU_CACHE_LIMIT`` is no number.
    """
    given = os.environ.get("INSITU_CACHE_LIMIT")
    if not given:
        return LIMIT
    try:
        return max(0, round(float(given) * 1e9))
    except (ValueError, OverflowError):
        raise InvalidInput(
            f"INSITU_CACHE_LIMIT={given!r} is no number", hint="Give it in GB, such as 8."
        ) from None


def jobs() -> list[tuple[Path, dict[str, Any]]]:
    """Return the folders of unfinished or kept jobs, with what each is about."""
    return [(path, _manifest(path)) for path in _folders(cache_root() / JOBS)]


def delete_job(folder: Path) -> None:
    """Delete a job's folder and all in it."""
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def job_folder(about: dict[str, Any], *parts: str, keep: bool = False) -> Iterator[Path]:
    """Give the folder of an edit, locked; it is deleted when the block ends without an error.

    Args:
        about: What people should read about it: source, output, instruction; JSON-able.
        parts: What decides the result; the same parts lead to the same folder.
        keep: Leave it where it is.

    Raises:
        InvalidInput: It cannot be written, or another process works on the same edit.
    """
    folder = cache_root() / JOBS / content_key(*parts)[:32]
    _make(folder)
    with open(folder / _LOCK, "wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise InvalidInput(
                "the same edit is being made by another process", hint="Wait for it or stop it."
            ) from None
        write_atomically(folder / _MANIFEST, (json.dumps(about, indent=1) + "\n").encode())
        yield folder
        if not keep:
            delete_job(folder)


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        return dict(json.loads((folder / _MANIFEST).read_bytes()))
    except (OSError, ValueError):
        return {}


def _folders(root: Path) -> list[Path]:
    try:
        return sorted(path for path in root.iterdir() if path.is_dir())
    except OSError:
        return []


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(
            f"the working folder {folder} cannot be made: {error.strerror}",
            hint="Set INSITU_CACHE to a folder with room.",
        ) from error
