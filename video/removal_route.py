"""The route for removals: what is behind the carried outlines, shot after shot."""

from __future__ import annotations

from pathlib import Path

from image_core.local_editor import LocalEditor
from image_core.photo_result import StageClock
from image_core.types import no_progress
from video.bare_keys import in_hand
from video.clip import Clip
from video.frame_edits import Progress
from video.removal import RemovalEdits, remove_from
from video.survey import Survey, VideoRequest
from video.writing import Made


def removed(
    editor: LocalEditor,
    clip: Clip,
    request: VideoRequest,
    seen: Survey,
    folder: Path,
    *,
    clock: StageClock,
    progress: Progress = no_progress,
) -> tuple[list[RemovalEdits], Made]:
    """Return what becomes of each frame, and what finding that out took.

    Args:
        editor: Locates, and makes up what no frame shows.
        clip: The frames.
        request: What is asked.
        seen: What was found out before.
        folder: Where what was made up is kept for a run that goes on.
        clock: Notes the stages' seconds.
        progress: Told the stage "fit".

    Raises:
        InsituError: One of its children.
    """
    edits: list[RemovalEdits] = []
    warnings: list[str] = []
    evaluations = 0
    for key, regions in zip(seen.sought.found, seen.regions, strict=True):
        with clock.stage("fit"):
            made, said, took = remove_from(
                editor,
                seen.plan,
                clip,
                seen.flows,
                key.span,
                regions,
                folder,
                grow=not in_hand(request.pointing),
                seed=request.seed,
                strength=request.strength,
                progress=progress,
            )
        edits += made
        warnings += said
        evaluations += took
    return edits, Made(evaluations=evaluations, warnings=tuple(dict.fromkeys(warnings)))
