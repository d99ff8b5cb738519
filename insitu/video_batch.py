"""``insitu video`` over a folder or glob of clips: one after another, a line a clip, resumable."""

from __future__ import annotations

import glob
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from image_core.errors import InvalidInput
from image_core.local_editor import LocalEditor
from image_core.receipt import receipt_path
from insitu.asked_parts import check_values, editor_of
from insitu.bars import bars_shown
from insitu.several import fixed_part, free_place, output_folder, safely, tell_all
from insitu.video_done import is_done
from insitu.video_request import coding_of, request_of
from insitu.video_run import done_with, opened
from video.picture_folder import SUFFIXES as PICTURES
from video.writing_plan import ENDINGS

if TYPE_CHECKING:
    from insitu.video import VideoCommand

VIDEOS = (
    *(".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".gif", ".mpg", ".mpeg", ".mxf", ".ogv"),
    *(".ts", ".mts", ".m2ts", ".wmv", ".flv", ".3gp"),
)
"""Of the files in a folder that count as clips."""

_OUR_ENDINGS = (".mask.mkv", ".edited.mkv", ".sheet.png", ".json")
_LISTED = {*VIDEOS, *PICTURES}
_LOSSLESS_ENDING = ".mkv"


def is_batch(text: str) -> bool:
    """Tell whether an INPUT means several clips; a folder or glob of pictures is one clip.

    Raises:
        InvalidInput: It holds both clips and pictures.
    """
    clips, pictures = [], []
    for path in _named(text):
        suffix = path.suffix.lower()
        clips += [path] * (suffix in VIDEOS)
        pictures += [path] * (suffix in PICTURES)
    if clips and pictures:
        raise InvalidInput(
            f"{text} holds clips ({clips[0].name}) and pictures ({pictures[0].name})",
            hint="Name the clips with a quoted glob, such as 'FOLDER/*.mp4', or put the frames of "
            "a clip into a folder of their own.",
        )
    return bool(clips)


def run_batch(command: VideoCommand) -> int:
    """Edit every clip of a folder or glob; one failure stops none of the others.

    Clips are edited one after another: each takes all cores, and networks are loaded once.

    Returns:
        0 when all are done, 10 when some failed.

    Raises:
        InvalidInput: The output is no folder, or a value is bad for all of them.
    """
    check_values(command)
    if command.canonical is not None or command.canonical_out is not None:
        raise InvalidInput(
            "--canonical and --canonical-out are for one clip, not for several",
            hint="Name one of them.",
        )
    commands = _commands(command)
    editor = editor_of(command)
    editor.plan(command.instruction, then=command.then)  # wrong for all is told once
    return tell_all(
        _outcomes(commands, editor),
        len(commands),
        of="clips",
        as_json=command.format == "json",
        bar=False,
    )


def _commands(command: VideoCommand) -> list[VideoCommand]:
    """Return a command for each clip, with its own output."""
    folder = Path(command.input)
    if not folder.is_dir():
        folder = fixed_part(command.input)
    output = output_folder(command.output, folder, of="clips")
    if output.resolve() == folder.resolve():
        raise InvalidInput(
            f"the output {output} is the clips' own folder", hint="Name another folder with -o."
        )
    coding = coding_of(command, named=False)
    commands = []
    taken: set[Path] = set()
    for source in _sources(command.input, folder, output):
        place = output / source.relative_to(folder)
        if command.dry_run:
            place = place.with_suffix(".sheet.png")
        elif coding == "ffv1" or place.suffix.lower() not in ENDINGS:
            place = place.with_suffix(_LOSSLESS_ENDING)
        place = free_place(place, source, taken)
        commands.append(replace(command, input=str(source), output=str(place), codec=coding))
    return commands


def _sources(text: str, folder: Path, output: Path) -> list[Path]:
    """Return the clips, without what an earlier run wrote into a folder among them.

    Raises:
        InvalidInput: Nothing is left.
    """
    found = _named(text)
    within, root = output.resolve(), folder.resolve()
    if root in within.parents:
        found = [path for path in found if within not in path.resolve().parents]
    if not found:
        raise InvalidInput(f"{text} names only what lies in the output {output}")
    return found


def _named(text: str) -> list[Path]:
    """Return the files that an INPUT names, in order of name, without what lies beside outputs.

    A folder's are those with the ending of a clip or a picture; a file by itself is none.
    """
    if os.path.isdir(text):
        found = [path for path in Path(text).iterdir() if path.suffix.lower() in _LISTED]
    elif glob.has_magic(text) and not os.path.lexists(text):
        found = [Path(name) for name in glob.glob(text, recursive=True)]
    else:
        return []
    return sorted(path for path in found if path.is_file() and not _is_ours(path))


def _is_ours(path: Path) -> bool:
    return path.name.endswith(_OUR_ENDINGS)


def _outcomes(commands: Sequence[VideoCommand], editor: LocalEditor) -> Iterator[dict[str, Any]]:
    for number, command in enumerate(commands, start=1):
        _announce(command, number, len(commands))
        outcome = safely(
            lambda command=command: _done(command, editor),  # type: ignore[misc]
            input=command.input,
            output=command.output,
        )
        for warning in outcome.get("warnings", ()):
            print(f"insitu: warning: {command.input}: {warning}", file=sys.stderr)
        yield outcome


def _announce(command: VideoCommand, number: int, count: int) -> None:
    """Say on stderr which clip the progress that follows is of."""
    if command.format == "json":
        event = {"event": "clip", "input": command.input, "number": number, "of": count}
        print(json.dumps(event), file=sys.stderr, flush=True)
    elif sys.stderr.isatty():
        print(f"clip {number} of {count}: {command.input}", file=sys.stderr)


def _done(command: VideoCommand, editor: LocalEditor) -> dict[str, Any]:
    """Do one clip that is not done yet."""
    assert command.output is not None
    output = Path(command.output)
    with bars_shown(command.format) as progress, opened(command, progress) as clip:
        if not command.dry_run and is_done(command, clip, request_of(command, clip)):
            return {
                "status": "skipped",
                "exit_code": 0,
                "input": command.input,
                "output": command.output,
                "receipt": str(receipt_path(output)),
            }
        output.parent.mkdir(parents=True, exist_ok=True)
        return done_with(command, clip, progress, editor)
