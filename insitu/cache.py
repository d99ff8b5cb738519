"""``insitu cache``: what is kept on disk to be used again, how much it is, and deleting it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro


@dataclass(frozen=True, kw_only=True)
class CacheCommand:
    """Show what is kept on disk to be used again, or delete it.

    Flows and fits of videos are kept by content within a size limit (INSITU_CACHE_LIMIT in GB, 8
    unless set); jobs are what interrupted edits go on from. The place is INSITU_CACHE, else
    XDG_CACHE_HOME/insitu, else ~/.cache/insitu.
    """

    clear: Annotated[
        Literal["measures", "jobs", "all"] | None, tyro.conf.arg(metavar="measures|jobs|all")
    ] = None
    """Delete flows and fits, unfinished jobs, or everything."""
    format: Literal["text", "json"] = "text"
    """json: one object on stdout."""
    debug: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Show the traceback of an error."""

    def run(self) -> int:
        """Do it, and return the exit code."""
        from image_core.disk_cache import cache_root
        from insitu.reporting import print_json

        root = cache_root()
        freed = _clear(root, self.clear) if self.clear is not None else 0
        found = _found(root)
        if self.format == "json":
            print_json({"status": "ok", "exit_code": 0, "root": str(root), "freed": freed, **found})
            return 0
        print(f"{root}: {_size(sum(kind['bytes'] for kind in found['kinds']))}")
        for kind in found["kinds"]:
            print(f"  {kind['name']}: {_size(kind['bytes'])}")
        for job in found["jobs"]:
            print(f'unfinished: "{job["instruction"]}" on {job["source"]}, {_size(job["bytes"])}')
        if self.clear is not None:
            print(f"deleted {_size(freed)}")
        return 0


def _found(root: Path) -> dict[str, Any]:
    from image_core.disk_cache import folder_size

    kinds = [
        {"name": path.name, "bytes": folder_size(path)}
        for path in (sorted(root.iterdir()) if root.is_dir() else [])
        if path.is_dir()
    ]
    return {"kinds": kinds, "jobs": _jobs()}


def _jobs() -> list[dict[str, Any]]:
    from image_core.disk_cache import folder_size
    from video.workplace import jobs

    return [
        {
            "folder": str(folder),
            "bytes": folder_size(folder),
            "source": about.get("source", "?"),
            "output": about.get("output", "?"),
            "instruction": about.get("instruction", "?"),
        }
        for folder, about in jobs()
    ]


def _clear(root: Path, what: str) -> int:
    from image_core.disk_cache import folder_size
    from video.workplace import JOBS, MEASURES

    folders = {"measures": [root / MEASURES], "jobs": [root / JOBS]}
    chosen = folders.get(what) or [path for path in root.glob("*") if path.is_dir()]
    freed = sum(folder_size(path) for path in chosen)
    for path in chosen:
        shutil.rmtree(path, ignore_errors=True)
    return freed


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count < 1e9 else f"{count / 1e9:,.2f} GB"
