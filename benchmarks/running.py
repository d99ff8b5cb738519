"""What the benchmarks of whole commands share: where they work, how they tell of it."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def folder(kept: Path | None) -> Iterator[Path]:
    """Yield a folder to work in: one that stays, or one that goes."""
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept.resolve()
        return
    with tempfile.TemporaryDirectory() as made:
        yield Path(made)


def tell(line: str) -> None:
    """Tell how far things are, on stderr."""
    print(line, file=sys.stderr, flush=True)


def where(found: Mapping[str, Any]) -> str:
    """Return on which machine figures were measured, and how busy it was."""
    machine = found["machine"]
    return (
        f"{machine['device']}, {machine['cores']} cores, load {machine['load']:g}, torch "
        f"{machine['torch']}, {machine['date']}"
    )
