"""``insitu video --canonical-out`` and ``--canonical``: pictures to paint on by hand, and back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from insitu.asked_parts import editor_of
from insitu.bars import Progress
from insitu.image import ABSENT
from insitu.video_report import edited_outcome, shot_rows
from insitu.video_request import request_of
from video.clip import Clip
from video.painting import carry_painting, read_flags, write_canonicals

if TYPE_CHECKING:
    from insitu.video import VideoCommand

_KEPT_FLAGS = (
    *("then", "box", "point", "not_point", "mask", "refine", "at", "start", "end", "shots"),
    *("quality", "flow", "field", "language", "grounder", "segmenter"),
)
"""What decides the canonical pictures; painted ones are carried back under the same."""


def painting_carried(command: VideoCommand, clip: Clip, progress: Progress) -> dict[str, Any]:
    """Carry painted pictures back to the frames, and return the outcome."""
    assert command.canonical is not None
    painted = Path(command.canonical)
    flags = read_flags(painted, clip)
    if flags is not None:
        command = replace(command, **_restored(flags))
    request = replace(request_of(command, clip), painting=True)
    edited = carry_painting(editor_of(command), clip, request, painted, progress=progress)
    return edited_outcome(command, clip, edited)


def canonicals_written(command: VideoCommand, clip: Clip, progress: Progress) -> dict[str, Any]:
    """Write a shot's picture each, to paint on, and return the outcome."""
    assert command.canonical_out is not None
    request = replace(request_of(command, clip), painting=True)
    flags = {name: getattr(command, name) for name in _KEPT_FLAGS}
    written = write_canonicals(
        editor_of(command),
        clip,
        request,
        Path(command.canonical_out),
        flags | {"instruction": request.instruction},
        progress=progress,
    )
    return {
        "status": "canonical",
        "exit_code": 0,
        "input": command.input,
        "output": command.canonical_out,
        "receipt": None,
        "files": list(written.files),
        "frames": len(clip),
        "shots": shot_rows(clip, written.survey),
        "warnings": list(written.warnings),
    }


def _restored(flags: dict[str, Any]) -> dict[str, Any]:
    """Return kept flags as the command has them: JSON turns tuples into lists."""
    known = {name: value for name, value in flags.items() if name in _KEPT_FLAGS}
    made = {
        name: tuple(tuple(v) if isinstance(v, list) else v for v in value)
        if isinstance(value, list)
        else value
        for name, value in known.items()
    }
    return made | {"instruction": flags.get("instruction") or ABSENT}
