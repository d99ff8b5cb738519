"""Where the hub's libraries keep downloads on this machine; read here without importing them."""

from __future__ import annotations

import os
import re
from pathlib import Path

_HUB_ID = re.compile(r"^[\w.-]+/[\w.-]+$")


def is_hub_id(model: str) -> bool:
    """Tell whether a text has the form ``owner/name``."""
    return _HUB_ID.match(model) is not None and not model.startswith(".")


def cache_folder() -> Path:
    """Return the hub's cache: ``HF_HUB_CACHE``, else ``hub`` in ``HF_HOME``, else its default."""
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if os.environ.get(name):
            return Path(os.path.expandvars(os.environ[name])).expanduser()
    home = os.environ.get("HF_HOME")
    if not home:
        home = str(Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface")
    return Path(os.path.expandvars(home)).expanduser() / "hub"


def is_offline() -> bool:
    """Tell whether the user forbade downloads: ``HF_HUB_OFFLINE``."""
    value = os.environ.get("HF_HUB_OFFLINE") or os.environ.get("TRANSFORMERS_OFFLINE") or ""
    return value.upper() in {"1", "ON", "YES", "TRUE"}


def snapshot(hub_id: str, revision: str = "main") -> Path | None:
    """Return the folder of a downloaded repository, complete or not, or None.

    Args:
        hub_id: ``owner/name``.
        revision: A branch, a tag or a commit.
    """
    root = cache_folder() / f"models--{hub_id.replace('/', '--')}"
    try:
        commit = (root / "refs" / revision).read_text().strip()
    except (OSError, ValueError):
        commit = revision
    folder = root / "snapshots" / commit
    return folder if folder.is_dir() else None
