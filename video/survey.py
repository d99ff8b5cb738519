"""What is found out about a clip before any edit: plan, shots, where the target is, its motion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from operator import is_
from pathlib import Path
from typing import Literal

from image_core.errors import InvalidInput, UnsupportedEdit
from image_core.local_editor import LocalEditor
from image_core.photo_result import StageClock
from image_core.preparing import PreparedPlan, refuse_unsupported
from image_core.types import EditPlan, EditStep, Strength, Target, no_progress
from video.bare_keys import bare_key
from video.clip import Clip
from video.finding import ShotKey, Sought, exact_image, find_keys
from video.flow_store import FlowStore
from video.frame_edits import Progress, frame_key
from video.frames import Span
from video.key_motion import freed_key
from video.measuring import flows_of, measure_flows, shots_of
from video.pointing import Pointing, check_pointing
from video.regions import StepRegion, carried_regions
from video.settings import VideoSettings
from video.stretch import Stretch, chosen_spans, frames_between
from video.writing_plan import Codec

Route = Literal["pointwise", "canonical", "removal", "painted"]

_UNSURE = 0.1  # share of a region's motion that may fail its check before the user is told


@dataclass(frozen=True, kw_only=True)
class VideoRequest:
    """What is asked of a clip.

    Attributes:
        output: Where to write; the ending names the container.
        instruction: The user's words.
        then: Further turns.
        pointing: The region in the user's hand.
        stretch: What may be edited.
        trim: Only that is written.
        codec: How the output is coded.
        crf: Its constant quality; the codec's own measure unless given.
        seed: Keys every random draw.
        strength: In [0, 1]; each editor's own measure unless given.
        settings: How much is spent.
        keep: The job's folder stays.
        painting: The words, if any, say only what is painted on; no editor works.
    """

    output: Path
    instruction: str = ""
    then: tuple[str, ...] = ()
    pointing: Pointing = field(default_factory=Pointing)
    stretch: Stretch = field(default_factory=Stretch)
    trim: bool = False
    codec: Codec = "h264"
    crf: int | None = None
    seed: int = 0
    strength: Strength | None = None
    settings: VideoSettings = field(default_factory=VideoSettings)
    keep: bool = False
    painting: bool = False


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What is known of a clip when its edit begins.

    Attributes:
        plan: The instruction as it was understood.
        route: How it will be carried out.
        within: The frames that ``--start`` and ``--end`` leave.
        shots: All shots of the clip.
        sought: Where the target was found, and where not.
        prepared: The plan with what it keeps the same over all frames; None where a person paints.
        flows: Between neighbouring frames.
        regions: For each shot in which the target is, one region per step.
        warnings: What the user should know.
    """

    plan: EditPlan
    route: Route
    within: Span
    shots: tuple[Span, ...]
    sought: Sought
    prepared: PreparedPlan | None
    flows: FlowStore
    regions: tuple[tuple[StepRegion, ...], ...]
    warnings: tuple[str, ...]


def survey(
    editor: LocalEditor,
    clip: Clip,
    request: VideoRequest,
    *,
    clock: StageClock,
    progress: Progress = no_progress,
) -> Survey:
    """Find out all that an edit needs to know.

    What cannot be done is refused before anything is sought, and what cannot be found before motion
    is measured.

    Args:
        editor: Plans and locates.
        clip: The frames.
        request: What is asked.
        clock: Notes the stages' seconds.
        progress: Told a stage's name and its done share.

    Raises:
        InsituError: One of its children.
    """
    pointing = request.pointing
    check_pointing(pointing, clip.info)
    within = frames_between(clip.info, request.stretch)
    with clock.stage("plan"):
        plan = _planned(editor, clip, request, within)
        if not request.painting:
            editor.strengths(plan, request.strength)
            refuse_unsupported(plan, [editor.editor_for(step)[1] for step in plan.steps])
            _refuse_mixture(plan)
    with clock.stage("shots"):
        shots = shots_of(clip, progress=progress)
        spans = chosen_spans(shots, within, request.stretch.shots)
        _check_time(pointing, spans)
    with clock.stage("locate"):
        sought = find_keys(editor, plan, clip, spans, pointing, progress=progress)
    with clock.stage("prepare"):
        prepared = None
        if not request.painting:
            prepared = prepare_on_keys(editor, plan, sought.found, seed=request.seed)
    route = _route(plan, prepared)
    if route == "removal":
        with clock.stage("outline"):
            bare = tuple(bare_key(editor, plan, key, pointing) for key in sought.found)
            sought = replace(sought, found=bare)
    flows = flows_of(clip, request.settings)
    with clock.stage("flow"):
        measure_flows(flows, [key.span for key in sought.found], progress=progress)
    with clock.stage("carry"):
        keys = [freed_key(clip, flows, key, plan, pointing) for key in sought.found]
        if prepared is not None and not all(map(is_, keys, sought.found)):
            prepared = prepare_on_keys(editor, plan, keys, seed=request.seed)
        sought = replace(sought, found=tuple(keys))
        regions = tuple(
            tuple(carried_regions(clip, flows, key, plan, request.settings, progress=progress))
            for key in sought.found
        )
    return Survey(
        plan=plan,
        route=route,
        within=within,
        shots=tuple(shots),
        sought=sought,
        prepared=prepared,
        flows=flows,
        regions=regions,
        warnings=(*_missed(sought, shots), *_unsure(regions)),
    )


def prepare_on_keys(
    editor: LocalEditor, plan: EditPlan, keys: Sequence[ShotKey], *, seed: int
) -> PreparedPlan:
    """Freeze what an edit keeps the same over all shots, measured on their key frames."""
    return editor.prepare(
        plan,
        [key.image for key in keys],
        [key.location for key in keys],
        keys=[frame_key(seed, key.index) for key in keys],
    )


def _planned(editor: LocalEditor, clip: Clip, request: VideoRequest, within: Span) -> EditPlan:
    """Read the instruction; a captioner, where there is one, looks at the first frame."""
    if not request.instruction:
        return _wordless(request.pointing)
    looks = editor.captioner is not None and request.pointing.hint is None
    image = exact_image(clip, within.start) if looks else None
    return editor.plan(request.instruction, then=request.then, image=image)


def _wordless(pointing: Pointing) -> EditPlan:
    """Return the plan of what is painted by hand: on what is pointed at, or anywhere."""
    anywhere = pointing.hint is None and not pointing.masks
    step = EditStep(
        instruction="", kind="texture", target=Target(pronoun=not anywhere), whole_image=anywhere
    )
    return EditPlan(instruction="", steps=(step,), processor="none")


def _refuse_mixture(plan: EditPlan) -> None:
    removals = [step.kind == "remove" for step in plan.steps]
    if any(removals) and not all(removals):
        raise UnsupportedEdit(
            "a removal and another edit are asked for at once",
            hint="Remove first, then edit the result in a second command.",
        )


def _route(plan: EditPlan, prepared: PreparedPlan | None) -> Route:
    if prepared is None:
        return "painted"
    if any(step.kind == "remove" for step in plan.steps):
        return "removal"
    return "pointwise" if prepared.pointwise else "canonical"


def _check_time(pointing: Pointing, spans: Sequence[Span]) -> None:
    if pointing.at is not None and not any(pointing.at in span for span in spans):
        raise InvalidInput(
            f"--at names frame {pointing.at}, which is not to be edited",
            hint="It must lie between --start and --end, and in one of --shots.",
        )


def _missed(sought: Sought, shots: Sequence[Span]) -> list[str]:
    said = []
    for span, reason in sought.missed:
        number = 1 + next(n for n, shot in enumerate(shots) if span.start in shot)
        said.append(f"shot {number} stays as it is: {reason}")
    return said


def _unsure(regions: Sequence[Sequence[StepRegion]]) -> list[str]:
    """Say where too much of a region's motion could not be confirmed."""
    shares = {
        index: trust for steps in regions for step in steps for index, trust in step.trust.items()
    }
    lost = sorted(index for index, trust in shares.items() if 0 < trust < 1 - _UNSURE)
    if len(lost) <= _UNSURE * len(shares):
        return []
    return [
        f"the region's motion is unsure in {len(lost)} of {len(shares)} frames, the first is frame "
        f"{lost[0]}: look at them, or give masks of some frames (--mask-dir)"
    ]
