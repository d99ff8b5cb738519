"""What batches of photos and of clips have in common: names, failures, a line an item, a tally."""

from __future__ import annotations

import glob
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from image_core.errors import InsituError, InvalidInput
from insitu.exit_codes import ExitCode, code_of
from insitu.reporting import error_line, error_outcome, print_json

if TYPE_CHECKING:
    from rich.progress import Progress

_WORDS = {
    "done": "edited",
    "dry_run": "located",
    "skipped": "done before",
    "error": "failed",
}
"""How a status is told of in the tally."""


def fixed_part(pattern: str) -> Path:
    """Return the folder of a glob that its matches' names are relative to."""
    fixed: list[str] = []
    for part in Path(pattern).parts[:-1]:
        if glob.has_magic(part):
            break
        fixed.append(part)
    return Path(*fixed)


def output_folder(given: str | None, folder: Path, *, of: str) -> Path:
    """Return where a batch writes: the folder named, or one beside the sources'.

    Args:
        given: What ``-o`` says.
        folder: Where the sources lie.
        of: What they are, for the message.

    Raises:
        InvalidInput: What is named is a file.
    """
    if given is None:
        whole = folder.resolve()
        return whole.with_name(f"{whole.name}.edited")
    output = Path(given)
    if output.exists() and not output.is_dir():
        raise InvalidInput(f"the output {output} is no folder", hint=f"INPUT is several {of}.")
    return output


def free_place(place: Path, source: Path, taken: set[Path]) -> Path:
    """Return a place that no other source of a batch has, and note it: a.jpg beside a.png."""
    if place in taken:
        place = place.with_name(f"{source.name}{place.suffix}")
    taken.add(place)
    return place


def safely(make: Callable[[], dict[str, Any]], **known: Any) -> dict[str, Any]:
    """Do one item, and turn whatever goes wrong into an outcome.

    Args:
        make: Does it, and returns its outcome.
        known: What a failure's outcome says besides.
    """
    try:
        return make()
    except InsituError as error:
        return error_outcome(error, code_of(error), **known)
    except OSError as error:
        return error_outcome(error, ExitCode.INVALID_INPUT, **known)
    except Exception as error:  # one failure stops none of the others
        return error_outcome(error, ExitCode.INTERNAL, **known)


def tell_all(
    outcomes: Iterable[dict[str, Any]],
    total: int,
    *,
    of: str,
    as_json: bool,
    bar: bool = True,
) -> int:
    """Print a line for each outcome as it comes, and the tally.

    Args:
        outcomes: One an item.
        total: How many there will be.
        of: What the items are.
        as_json: One object a line on stdout, and nothing else there.
        bar: Show one on stderr while a person looks on; not where each item shows its own.

    Returns:
        0 when all are done, 10 when some failed.
    """
    tally: Counter[str] = Counter()
    with _progress_bar(total, of, wanted=bar) as shown:
        for outcome in outcomes:
            tally[outcome["status"]] += 1
            if as_json:
                print_json(outcome)
            else:
                print(_line(outcome), flush=True)
            if shown is not None:
                shown.advance(shown.task_ids[0])
    summary = ", ".join(f"{tally[key]} {word}" for key, word in _WORDS.items() if tally[key])
    print(f"{total} {of}: {summary}", file=sys.stderr if as_json else sys.stdout)
    return int(ExitCode.BATCH_FAILURES if tally["error"] else ExitCode.DONE)


def _line(outcome: dict[str, Any]) -> str:
    if outcome["status"] == "error":
        return f"failed   {outcome['input']}: {error_line(outcome)}"
    if outcome["status"] == "skipped":
        return f"skipped  {outcome['input']}: {outcome['output']} is done"
    word = "located " if outcome["status"] == "dry_run" else "edited  "
    return (
        f"{word} {outcome['input']} -> {outcome['output']} "
        f"(confidence {outcome['region']['confidence']:.2f})"
    )


@contextmanager
def _progress_bar(total: int, of: str, *, wanted: bool) -> Iterator[Progress | None]:
    """Show a bar on stderr while a person looks on."""
    if not wanted or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as bar:
        bar.add_task(of, total=total)
        yield bar
