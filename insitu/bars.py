"""How long work is told of on stderr: a bar a stage for people, a line an event for machines."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from image_core.types import no_progress

Progress = Callable[[str, float], None]

_EVERY = 0.5  # seconds between two events of one stage


@contextmanager
def bars_shown(form: Literal["text", "json"]) -> Iterator[Progress]:
    """Give a callback that takes a stage's name and its done share.

    Args:
        form: ``json`` writes one object a line, whoever looks on; ``text`` draws bars with the time
            that is left while a person looks on, else nothing.
    """
    if form == "json":
        yield _events()
        return
    if not sys.stderr.isatty():
        yield no_progress
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description:>8}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as shown:
        tasks: dict[str, TaskID] = {}

        def tell(stage: str, done: float) -> None:
            if stage not in tasks:
                tasks[stage] = shown.add_task(stage, total=1.0)
            shown.update(tasks[stage], completed=done)

        yield tell


def _events() -> Progress:
    last: dict[str, tuple[float, float]] = {}

    def tell(stage: str, done: float) -> None:
        now = time.monotonic()
        before, share = last.get(stage, (-_EVERY, -1.0))
        if now - before < _EVERY and (done < 1 or share >= 1):
            return
        last[stage] = (now, done)
        event = {"event": "progress", "stage": stage, "done": round(done, 4)}
        print(json.dumps(event), file=sys.stderr, flush=True)

    return tell
