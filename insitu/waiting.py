"""What a person sees on stderr while a command works."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from image_core.types import no_progress


@contextmanager
def stage_shown() -> Iterator[Callable[[str, float], None]]:
    """Show the present stage and its share while a person looks on, else nothing."""
    if not sys.stderr.isatty():
        yield no_progress
        return
    from rich.console import Console

    with Console(stderr=True).status("reading") as status:
        yield lambda stage, done: status.update(f"{stage} {done:.0%}")
