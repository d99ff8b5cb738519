"""How an edit of a clip is told of: the outcome as an object, and as lines for people."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from insitu.reporting import print_json
from insitu.request import region_summary
from video.clip import Clip
from video.edit import EditedClip
from video.survey import Survey

if TYPE_CHECKING:
    from insitu.video import VideoCommand


def edited_outcome(command: VideoCommand, clip: Clip, edited: EditedClip) -> dict[str, Any]:
    """Return the outcome of an edit, JSON-able."""
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
        "shots": shot_rows(clip, edited.survey),
        "region": region_summary(edited.survey.sought.found[0].location.regions),
        "evaluations": edited.made.evaluations,
        "warnings": list(edited.saved.warnings),
        "seconds": round(sum(edited.seconds.values()), 3),
        "seconds_by_stage": edited.seconds,
        "job": str(edited.job) if edited.job is not None else None,
    }


def shot_rows(clip: Clip, seen: Survey) -> list[dict[str, Any]]:
    """Return a row for each shot: its frames and time, and where the target was found in it."""
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


def tell(outcome: dict[str, Any], form: Literal["text", "json"]) -> int:
    """Print an outcome and its warnings, and return its exit code.

    Args:
        outcome: From ``edited_outcome``, or like it.
        form: Lines for people, the output's path last; or one object.
    """
    for warning in outcome["warnings"]:
        print(f"insitu: warning: {warning}", file=sys.stderr)
    if form == "json":
        print_json(outcome)
    else:
        print("\n".join(_lines(outcome)))
    return int(outcome["exit_code"])


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
