"""Doing what ``insitu video`` asks for, and telling of it."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from image_core.errors import InvalidInput
from image_core.local_editor import LocalEditor
from image_core.local_editor_config import LocalEditorConfig
from image_core.mask_file import read_mask
from image_core.photo_result import StageClock, check_output
from image_core.types import RegionHint
from insitu.bars import Progress, bars_shown
from insitu.image import ABSENT
from insitu.overlay import check_picture_suffix
from insitu.reporting import print_json
from insitu.request import region_summary
from insitu.usage import usage_error
from insitu.video_sheet import sheet_of, trust_of, write_sheet
from video.clip import Clip
from video.edit import EditedClip, edit_clip
from video.painting import carry_painting, read_flags, write_canonicals
from video.pointing import Pointing, masks_in
from video.stretch import Stretch, frame_at
from video.survey import Survey, VideoRequest, survey
from video.writing_plan import Codec

if TYPE_CHECKING:
    from insitu.video import VideoCommand


_KEPT_FLAGS = (
    *("then", "box", "point", "not_point", "mask", "refine", "at", "start", "end", "shots"),
    *("quality", "flow", "field", "language", "grounder", "segmenter"),
)
"""What decides the canonical pictures; painted ones are carried back under the same."""


def run_video(command: VideoCommand) -> int:
    """Do it, and return the exit code."""
    _check_usage(command)
    _check_values(command)
    with bars_shown(command.format) as progress, _opened(command, progress) as clip:
        outcome = _act_of(command)(command, clip, progress)
    for warning in outcome["warnings"]:
        print(f"insitu: warning: {warning}", file=sys.stderr)
    if command.format == "json":
        print_json(outcome)
    else:
        print("\n".join(_lines(outcome)))
    return 0


def _act_of(command: VideoCommand) -> Callable[[VideoCommand, Clip, Progress], dict[str, Any]]:
    if command.canonical_out is not None:
        return _canonicals_written
    if command.canonical is not None:
        return _painting_carried
    return _dry_run if command.dry_run else _edited


def _opened(command: VideoCommand, progress: Progress) -> Clip:
    return Clip.open(command.input, progress=lambda done: progress("read", done))


def _edited(command: VideoCommand, clip: Clip, progress: Progress) -> dict[str, Any]:
    request = request_of(command, clip)
    return _outcome(command, clip, edit_clip(editor_of(command), clip, request, progress=progress))


def _painting_carried(command: VideoCommand, clip: Clip, progress: Progress) -> dict[str, Any]:
    assert command.canonical is not None
    painted = Path(command.canonical)
    flags = read_flags(painted, clip)
    if flags is not None:
        command = replace(command, **_restored(flags))
    request = replace(request_of(command, clip), painting=True)
    edited = carry_painting(editor_of(command), clip, request, painted, progress=progress)
    return _outcome(command, clip, edited)


def _canonicals_written(command: VideoCommand, clip: Clip, progress: Progress) -> dict[str, Any]:
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
        "shots": _shots(clip, written.survey),
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


def _outcome(command: VideoCommand, clip: Clip, edited: EditedClip) -> dict[str, Any]:
    return {
        "status": "done",
        "exit_code": 0,
        "input": command.input,
        "output": str(edited.saved.output),
        "receipt": str(edited.saved.receipt),
        "mask": str(edited.saved.mask),
        "how": edited.saved.how,
        "route": edited.survey.route,
        "editor": "+".join(dict.fromkeys(edited.editors)),
        "frames": len(clip),
        "edited_frames": edited.made.edited,
        "shots": _shots(clip, edited.survey),
        "region": region_summary(edited.survey.sought.found[0].location.regions),
        "evaluations": edited.made.evaluations,
        "warnings": list(edited.saved.warnings),
        "seconds": round(sum(edited.seconds.values()), 3),
        "seconds_by_stage": edited.seconds,
        "job": str(edited.job) if edited.job is not None else None,
    }


def _dry_run(command: VideoCommand, clip: Clip, progress: Progress) -> dict[str, Any]:
    source = Path(command.input)
    output = Path(command.output or source.with_name(f"{source.stem}.sheet.png"))
    check_output(output, source)
    check_picture_suffix(output)
    editor, request = editor_of(command), request_of(command, clip)
    clock = StageClock(progress)
    seen = survey(editor, clip, request, clock=clock, progress=progress)
    write_sheet(sheet_of(clip, seen), output)
    rows = _shots(clip, seen)
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


def _shots(clip: Clip, seen: Survey) -> list[dict[str, Any]]:
    keys = {key.span.start: key for key in seen.sought.found}
    rows = []
    for number, shot in enumerate(seen.shots, start=1):
        key = next((key for start, key in keys.items() if start in shot), None)
        row: dict[str, Any] = {
            "shot": number,
            "frames": [shot.start, shot.stop],
            "seconds": float(clip.info.seconds(shot.start)),
            "edited": key is not None,
        }
        if key is not None:
            row["key_frame"] = key.index
            row["key_seconds"] = float(clip.info.seconds(key.index))
            row["region"] = region_summary(key.location.regions)
        rows.append(row)
    return rows


def request_of(command: VideoCommand, clip: Clip) -> VideoRequest:
    """Return what the command asks for of this clip.

    Raises:
        InvalidInput: A file or value cannot be used.
    """
    from configs.video import video_settings

    output, codec = _output(command)
    return VideoRequest(
        output=output,
        instruction="" if command.instruction == ABSENT else command.instruction,
        then=command.then,
        pointing=pointing_of(command, clip),
        stretch=Stretch(start=command.start, end=command.end, shots=command.shots),
        trim=command.trim,
        codec=codec,
        crf=command.crf,
        seed=command.seed,
        strength=command.strength,
        settings=video_settings(command.quality, flow=command.flow, field=command.field),
        keep=command.keep,
    )


def editor_of(command: VideoCommand) -> LocalEditor:
    """Make the editor that the command asks for."""
    return LocalEditorConfig(
        language=command.language,
        grounder=command.grounder,
        segmenter=command.segmenter,
        editor=command.editor,
        editor_options=command.editor_options,
        device=command.device,
    ).build()


def pointing_of(command: VideoCommand, clip: Clip) -> Pointing:
    """Return the region in the user's hand.

    Raises:
        InvalidInput: A mask cannot be read, or the time lies outside the clip.
    """
    hint = None
    if command.mask is not None or command.box or command.point or command.not_point:
        hint = RegionHint(
            mask=read_mask(Path(command.mask)) if command.mask is not None else None,
            boxes=command.box,
            points=command.point,
            not_points=command.not_point,
            refine=command.refine,
        )
    elif command.refine:
        raise InvalidInput("--refine needs a --mask")
    return Pointing(
        at=frame_at(clip.info, command.at) if command.at is not None else None,
        hint=hint,
        masks=masks_in(Path(command.mask_dir), clip.info) if command.mask_dir is not None else {},
    )


def _output(command: VideoCommand) -> tuple[Path, Codec]:
    """Return where to write and how it is coded."""
    source = Path(command.input)
    if command.output is None:
        codec = command.codec or "ffv1"
        return source.with_name(f"{source.stem}.edited.mkv"), codec
    return Path(command.output), command.codec or ("ffv1" if command.lossless else "h264")


def _check_usage(command: VideoCommand) -> None:
    painting = [command.canonical_out, command.canonical]
    if None not in painting:
        raise usage_error("--canonical and --canonical-out exclude each other")
    if painting == [None, None]:
        if command.instruction == ABSENT:
            raise usage_error("an INSTRUCTION is needed")
    elif command.dry_run:
        raise usage_error("--dry-run is for an INSTRUCTION")
    if command.canonical is not None and command.instruction != ABSENT:
        raise usage_error("--canonical carries what was painted; it takes no INSTRUCTION")
    if command.canonical_out is not None and command.mask_dir is not None:
        raise usage_error("--canonical-out takes a box, points or one mask, not --mask-dir")
    if command.lossless and command.codec not in (None, "ffv1"):
        raise usage_error(f"--lossless and --codec {command.codec} exclude each other")


def _check_values(command: VideoCommand) -> None:
    strength = command.strength
    if isinstance(strength, float) and not (math.isfinite(strength) and 0 <= strength <= 1):
        raise InvalidInput(f"the strength {strength:g} is not between 0 and 1")
    if command.seed < 0:
        raise InvalidInput(f"the seed {command.seed} is negative", hint="Any whole number from 0.")
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?|mps", command.device):
        raise InvalidInput(f"there is no device {command.device!r}", hint="auto, cpu or cuda.")


def _lines(outcome: dict[str, Any]) -> Sequence[str]:
    lines = []
    for row in outcome["shots"]:
        name = f"shot {row['shot']} (frames {row['frames'][0]}-{row['frames'][1] - 1})"
        if not row["edited"]:
            lines.append(f"{name}: stays as it is")
            continue
        region = row["region"]
        box = " ".join(map(str, region["box"])) if region["box"] else "none"
        lines.append(
            f"{name}: box {box} at {row['key_seconds']:.2f} s, {region['area']:,} pixels, "
            f"confidence {region['confidence']:.2f} ({region['evidence']})"
        )
        if row.get("motion_confirmed") is not None:
            unseen = len(row["unseen_frames"])
            lines.append(
                f"  motion confirmed for {row['motion_confirmed']:.0%} of the region"
                + (f", unseen in {unseen} frames" if unseen else "")
            )
    if outcome["status"] == "canonical":
        return [
            *lines,
            *(f"canonical: {Path(outcome['output']) / name}" for name in outcome["files"]),
        ]
    if outcome["status"] == "dry_run":
        lines.append(f"editor: {outcome['editor']} ({outcome['route']} route)")
        return [*lines, f"sheet: {outcome['output']}"]
    lines.append(
        f"{outcome['edited_frames']} of {outcome['frames']} frames changed by {outcome['editor']} "
        f"({outcome['route']} route), {outcome['seconds']:.1f} s"
    )
    if outcome["job"] is not None:
        lines.append(f"job: {outcome['job']}")
    return [*lines, f"receipt: {outcome['receipt']}", f"output: {outcome['output']}"]
