"""Doing what ``insitu video`` asks for, and telling of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from image_core.local_editor import LocalEditor
from image_core.photo_result import StageClock, check_output
from insitu.asked_parts import check_values, editor_of
from insitu.bars import Progress, bars_shown
from insitu.overlay import check_picture_suffix
from insitu.request import region_summary
from insitu.video_painted import canonicals_written, painting_carried
from insitu.video_report import edited_outcome, shot_rows, tell
from insitu.video_request import request_of
from insitu.video_sheet import sheet_of, trust_of, write_sheet
from video.clip import Clip
from video.edit import edit_clip
from video.survey import survey

if TYPE_CHECKING:
    from insitu.video import VideoCommand


def run_video(command: VideoCommand) -> int:
    """Do it, and return the exit code."""
    check_values(command)
    with bars_shown(command.format) as progress, opened(command, progress) as clip:
        outcome = done_with(command, clip, progress)
    return tell(outcome, command.format)


def done_with(
    command: VideoCommand, clip: Clip, progress: Progress, editor: LocalEditor | None = None
) -> dict[str, Any]:
    """Do what a command asks of its clip, and return the outcome.

    Args:
        command: It was checked.
        clip: Its input.
        progress: Told a stage's name and its done share.
        editor: The one that ``editor_of`` made for a command with the same parts, so that a batch
            loads its networks once.

    Raises:
        InsituError: One of its children; nothing new lies at the output then.
    """
    if command.canonical_out is not None:
        return canonicals_written(command, clip, progress)
    if command.canonical is not None:
        return painting_carried(command, clip, progress)
    if command.dry_run:
        return _dry_run(command, clip, progress, editor)
    request = request_of(command, clip)
    editor = editor or editor_of(command)
    return edited_outcome(command, clip, edit_clip(editor, clip, request, progress=progress))


def opened(command: VideoCommand, progress: Progress) -> Clip:
    """Open the clip that a command names."""
    return Clip.open(command.input, progress=lambda done: progress("read", done))


def _dry_run(
    command: VideoCommand, clip: Clip, progress: Progress, editor: LocalEditor | None
) -> dict[str, Any]:
    source = Path(command.input)
    output = Path(command.output or source.with_name(f"{source.stem}.sheet.png"))
    check_output(output, source)
    check_picture_suffix(output)
    editor, request = editor or editor_of(command), request_of(command, clip)
    clock = StageClock(progress)
    seen = survey(editor, clip, request, clock=clock, progress=progress)
    write_sheet(sheet_of(clip, seen), output)
    rows = shot_rows(clip, seen)
    for row, regions in zip((row for row in rows if row["edited"]), seen.regions, strict=True):
        row |= trust_of(regions)
    return {
        "status": "dry_run",
        "exit_code": 0,
        "input": command.input,
        "output": str(output),
        "receipt": None,
        "route": seen.route,
        "editor": "+".join(dict.fromkeys(editor.editor_for(step)[0] for step in seen.plan.steps)),
        "frames": len(clip),
        "shots": rows,
        "region": region_summary(seen.sought.found[0].location.regions),
        "warnings": [*clip.info.warnings, *seen.warnings],
        "seconds": round(sum(clock.seconds.values()), 3),
    }
