"""An edit of a clip from the instruction to the files: survey, one of the routes, writing.

A job's folder holds all that was made so far, so that an interrupted edit goes on; flows, regions
and fits lie in the cache, for the next instruction too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from image_core.local_editor import LocalEditor
from image_core.photo_result import StageClock
from image_core.types import no_progress
from video.canonical_edits import edit_canonicals, fit_parts, union_of
from video.clip import Clip
from video.edit_record import asked_record, edit_record, job_key
from video.frame_edits import EditedSpans, FrameEdits, Progress
from video.frames import Span
from video.pointwise import PointwiseEdits
from video.regions import StepRegion, regions_name
from video.removal_route import removed
from video.saving import SavedClip, check_clip_output, plan_output, save_clip
from video.shot_fits import ShotFit
from video.survey import Survey, VideoRequest, survey
from video.workplace import job_folder, trim_measures
from video.writing import Made, PartFolder, code_parts
from video.writing_plan import WritingPlan

EditsIn = Callable[[Path], tuple[Sequence[FrameEdits], Made]]
"""Makes the edits of the frames, with a folder for what it would not make twice."""


@dataclass(frozen=True, kw_only=True)
class EditedClip:
    """What an edit of a clip gave.

    Attributes:
        saved: The files.
        survey: What was found out before the edit.
        made: Frames changed, network rows, warnings.
        editors: One per step.
        seconds: Wall seconds by stage.
        job: The job's folder, where it was kept.
    """

    saved: SavedClip
    survey: Survey
    made: Made
    editors: tuple[str, ...]
    seconds: dict[str, float]
    job: Path | None = None


def edit_clip(
    editor: LocalEditor, clip: Clip, request: VideoRequest, *, progress: Progress = no_progress
) -> EditedClip:
    """Edit a clip and write output, mask and receipt.

    Args:
        editor: Plans, locates, and edits pictures.
        clip: The source.
        request: What is asked.
        progress: Told a stage's name and its done share.

    Raises:
        InsituError: One of its children; nothing lies at the output then, and what was made so far
            is gone on with when the same is asked again.
    """
    check_clip_output(request.output, clip.info.path)
    writing = plan_output(request.output, clip, codec=request.codec, crf=request.crf)
    clock = StageClock(progress)
    seen = survey(editor, clip, request, clock=clock, progress=progress)
    edits_in = route_of(editor, clip, request, seen, clock=clock, progress=progress)
    return written_edit(
        editor, clip, request, seen, writing, edits_in, clock=clock, progress=progress
    )


def route_of(
    editor: LocalEditor,
    clip: Clip,
    request: VideoRequest,
    seen: Survey,
    *,
    clock: StageClock,
    progress: Progress = no_progress,
) -> EditsIn:
    """Return what makes the edits of the frames in a job's folder, by the route of the survey."""

    def edits_in(job: Path) -> tuple[Sequence[FrameEdits], Made]:
        return _edits(editor, clip, request, seen, job, clock, progress)

    return edits_in


def written_edit(
    editor: LocalEditor,
    clip: Clip,
    request: VideoRequest,
    seen: Survey,
    writing: WritingPlan,
    edits_in: EditsIn,
    *,
    extra: str = "",
    said: Mapping[str, Any] = MappingProxyType({}),
    clock: StageClock,
    progress: Progress = no_progress,
) -> EditedClip:
    """Make the edits, code the frames, and write output, mask and receipt.

    Args:
        editor: Plans, locates, and edits pictures.
        clip: The source.
        request: What is asked.
        seen: What was found out before.
        writing: How it is written.
        edits_in: Makes the edits in the job's folder.
        extra: What else the edits depend on.
        said: What the receipt says instead of what would stand there.
        clock: Notes the stages' seconds.
        progress: Told a stage's name and its done share.
    """
    written = seen.within if request.trim else Span(0, len(clip))
    about = {
        "source": str(clip.info.path.resolve()),
        "output": str(request.output),
        "instruction": request.instruction,
        "begun": time.time(),
    }
    key, asked = job_key(editor, clip, request, seen, writing), asked_record(request)
    with job_folder(about, key, extra, keep=request.keep) as job:
        edits, before = edits_in(job)
        parts = PartFolder(folder=job / "parts", span=written)
        with clock.stage("edit and code"):
            coded = code_parts(clip, EditedSpans(edits), parts, writing.settings, progress=progress)
        made = before.joined(coded)
        warnings = (*clip.info.warnings, *writing.notes, *seen.warnings, *made.warnings)
        record = edit_record(editor, clip, request, seen, written, made)
        with clock.stage("save"):
            saved = save_clip(
                clip,
                parts,
                writing.settings,
                request.output,
                {**record, "asked": asked, **said, "seconds": clock.seconds},
                warnings=tuple(dict.fromkeys(warnings)),
            )
    trim_measures()
    return EditedClip(
        saved=saved,
        survey=seen,
        made=made,
        editors=_editors(editor, seen),
        seconds=clock.seconds,
        job=job if request.keep else None,
    )


def _editors(editor: LocalEditor, seen: Survey) -> tuple[str, ...]:
    if seen.route == "painted":
        return ("painting",)
    return tuple(editor.editor_for(step)[0] for step in seen.plan.steps)


def _edits(
    editor: LocalEditor,
    clip: Clip,
    request: VideoRequest,
    seen: Survey,
    job: Path,
    clock: StageClock,
    progress: Progress,
) -> tuple[Sequence[FrameEdits], Made]:
    """Return what becomes of each frame, and what finding that out took."""
    if seen.route == "pointwise" and seen.prepared is not None:
        pairs = zip(seen.sought.found, seen.regions, strict=True)
        edits = [
            PointwiseEdits(
                span=key.span,
                editor=editor,
                prepared=seen.prepared,
                regions=regions,
                strength=request.strength,
                seed=request.seed,
            )
            for key, regions in pairs
        ]
        return edits, Made()
    if seen.route == "removal":
        return removed(
            editor, clip, request, seen, job / "background", clock=clock, progress=progress
        )
    fits, steps, fitted = fitted_shots(clip, request, seen, clock=clock, progress=progress)
    with clock.stage("edit"):
        painted, results = edit_canonicals(
            editor,
            seen.plan,
            fits,
            steps,
            job / "canonical",
            seed=request.seed,
            strength=request.strength,
            progress=progress,
        )
    for result in results:
        fitted = fitted.joined(Made(evaluations=result.evaluations, warnings=result.warnings))
    return painted, fitted


def fitted_shots(
    clip: Clip,
    request: VideoRequest,
    seen: Survey,
    *,
    clock: StageClock,
    progress: Progress = no_progress,
) -> tuple[list[ShotFit], list[Sequence[StepRegion]], Made]:
    """Return the parts of all shots with their canonical pictures, the regions, and how well."""
    fits: list[ShotFit] = []
    steps: list[Sequence[StepRegion]] = []
    made = Made()
    with clock.stage("fit"):
        for key, regions in zip(seen.sought.found, seen.regions, strict=True):
            found, poor = fit_parts(
                clip,
                seen.flows,
                key,
                union_of(regions),
                request.settings,
                name=regions_name(regions),
                progress=progress,
            )
            fits += found
            steps += [regions] * len(found)
            made = made.joined(poor)
    return fits, steps, made
