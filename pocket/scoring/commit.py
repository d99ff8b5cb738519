"""Which commit of the code a scoring was run by."""

from __future__ import annotations

import subprocess
from pathlib import Path

CHANGED = "+changes"
"""Follows the commit where files differ from it."""

_PATIENCE = 10  # seconds that git may take


def commit_of(file: Path) -> str | None:
    """Return the commit that a file's checkout stands at; None where git doesn't know the file."""
    folder = file.resolve().parent
    if _asked(folder, "ls-files", "--error-unmatch", file.name) is None:
        return None  # an installed copy that lies in somebody else's checkout
    commit = _asked(folder, "rev-parse", "HEAD")
    if commit is None:
        return None
    changed = _asked(folder, "status", "--porcelain", "--untracked-files=no")
    return commit.strip() + (CHANGED if changed else "")


def _asked(folder: Path, *words: str) -> str | None:
    """Return what git says in a folder; None where it fails or isn't there."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words],
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout if done.returncode == 0 else None
