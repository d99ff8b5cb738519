"""The edit of a clip once more, from its receipt: the recorded plan, regions, settings and coding.

Nothing is read or sought again: the plan and the key frames' regions are the receipt's. Only what
follows from them is made anew, motion, fits and the edit itself; on the same machine with the same
versions that gives the same bits.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from image_core.errors import IntegrityError, InvalidInput
from image_core.local_editor import LocalEditor
from image_core.photo_result import StageClock
from image_core.plan_record import plan_of_record
from image_core.preparing import refuse_unsupported
from image_core.receipt import sha256
from image_core.types import RegionHint, no_progress
from image_core.verification import same_hash, stated_hash
from video.clip import Clip
from video.edit import EditedClip, route_of, written_edit
from video.finding import Sought
from video.finding_record import keys_of_record
from video.frame_edits import Progress
from video.frames import Span
from video.measuring import flows_of, measure_flows
from video.pointing import Pointing
from video.regions import carried_regions
from video.saving import check_clip_output, plan_output
from video.settings_record import settings_of_record
from video.stretch import Stretch, frames_between
from video.survey import Route, Survey, VideoRequest, prepare_on_keys
from video.writing_plan import Codec

_SAID = ("instruction", "then", "hint", "asked", "regions")
"""What a repetition's receipt takes over as it stands."""


def check_repeatable(receipt: Mapping[str, Any], name: str) -> None:
    """Refuse a receipt that an edit of a clip cannot be repeated from.

    Args:
        receipt: As ``read_receipt`` gave it.
        name: What to call it.

    Raises:
        InvalidInput: It is of a photo, of a painting by hand, or of a version that recorded less.
        IntegrityError: It cannot be read.
    """
    try:
        _check_kind(receipt, name)
    except (KeyError, TypeError, AttributeError) as error:
        raise IntegrityError(f"{name} cannot be read: {error!r}") from error


def _check_kind(receipt: Mapping[str, Any], name: str) -> None:
    if "clip" not in receipt:
        raise InvalidInput(
            f"{name} is no receipt of an edited clip", hint="For a photo: insitu image --replay."
        )
    if receipt["clip"].get("route") == "painted":
        raise InvalidInput(
            f"{name} is of a painting by hand, which the receipt does not hold",
            hint="Carry the painted pictures back once more with --canonical.",
        )
    if "asked" not in receipt or not all("alphas" in row for row in receipt["regions"]):
        raise InvalidInput(
            f"{name} was written by an older version, which did not record what to repeat",
            hint="Give the instruction again; the receipt tells it.",
        )


def recorded_request(receipt: Mapping[str, Any], output: Path, *, keep: bool) -> VideoRequest:
    """Return what was asked, as far as it is still to be decided; regions and plan are not.

    Args:
        receipt: ``check_repeatable`` took it.
        output: Where to write.
        keep: The job's folder stays.

    Raises:
        InvalidInput: The settings are those of another version.
        IntegrityError: The receipt's values cannot be read.
    """
    try:
        asked = receipt["asked"]
        codec = asked["codec"]
        if codec not in get_args(Codec):
            raise ValueError(f"no codec {codec!r}")
        stretch = dict(asked["stretch"])
        return VideoRequest(
            output=output,
            instruction=str(receipt["instruction"]),
            then=tuple(map(str, receipt["then"])),
            stretch=Stretch(**{**stretch, "shots": tuple(stretch["shots"])}),
            trim=bool(asked["trim"]),
            codec=codec,
            crf=asked["crf"],
            seed=int(receipt["seed"]),
            strength=receipt["strength"],
            settings=settings_of_record(asked["settings"]),
            keep=keep,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise IntegrityError(f"the receipt cannot be read: {error!r}") from error


def replay_clip(
    editor: LocalEditor,
    clip: Clip,
    request: VideoRequest,
    receipt: Mapping[str, Any],
    *,
    progress: Progress = no_progress,
) -> EditedClip:
    """Repeat an edit, and write output, mask and receipt.

    Args:
        editor: Of the parts that the receipt names.
        clip: The source.
        request: From ``recorded_request``.
        receipt: ``check_repeatable`` took it.
        progress: Told a stage's name and its done share.

    Raises:
        IntegrityError: The clip is not the one that was edited, or the receipt cannot be read.
        InsituError: One of its children; nothing lies at the output then.
    """
    same_hash(clip.info.sha256, stated_hash(receipt, "source"), f"the source {clip.info.path}")
    check_clip_output(request.output, clip.info.path)
    writing = plan_output(request.output, clip, codec=request.codec, crf=request.crf)
    clock = StageClock(progress)
    seen = _known(editor, clip, request, receipt, clock=clock, progress=progress)
    request = _pointed(request, receipt, seen)
    edits_in = route_of(editor, clip, request, seen, clock=clock, progress=progress)
    return written_edit(
        editor,
        clip,
        request,
        seen,
        writing,
        edits_in,
        extra=sha256(json.dumps(receipt["regions"]).encode()),
        said={name: receipt[name] for name in _SAID},
        clock=clock,
        progress=progress,
    )


def _known(
    editor: LocalEditor,
    clip: Clip,
    request: VideoRequest,
    receipt: Mapping[str, Any],
    *,
    clock: StageClock,
    progress: Progress,
) -> Survey:
    """Return what a survey would find out, taken from the receipt; motion is measured."""
    with clock.stage("plan"):
        plan = plan_of_record(receipt["plan"])
        editor.strengths(plan, request.strength)
        refuse_unsupported(plan, [editor.editor_for(step)[1] for step in plan.steps])
    with clock.stage("prepare"):
        keys = keys_of_record(receipt["regions"], clip)
        prepared = prepare_on_keys(editor, plan, keys, seed=request.seed)
    try:
        route = _route(receipt)
        shots = tuple(Span(int(start), int(stop)) for start, stop in receipt["clip"]["shots"])
        warnings = tuple(map(str, receipt["clip"]["warnings"]))
    except (KeyError, TypeError, ValueError) as error:
        raise IntegrityError(f"the receipt cannot be read: {error!r}") from error
    flows = flows_of(clip, request.settings)
    with clock.stage("flow"):
        measure_flows(flows, [key.span for key in keys], progress=progress)
    with clock.stage("carry"):
        regions = tuple(
            tuple(carried_regions(clip, flows, key, plan, request.settings, progress=progress))
            for key in keys
        )
    return Survey(
        plan=plan,
        route=route,
        within=frames_between(clip.info, request.stretch),
        shots=shots,
        sought=Sought(found=keys),
        prepared=prepared,
        flows=flows,
        regions=regions,
        warnings=warnings,
    )


def _route(receipt: Mapping[str, Any]) -> Route:
    found = receipt["clip"]["route"]
    routes: tuple[Route, ...] = get_args(Route)
    return routes[routes.index(found)]


def _pointed(request: VideoRequest, receipt: Mapping[str, Any], seen: Survey) -> VideoRequest:
    """Say in a request what it matters to a route to know: whether masks were given by hand."""
    if not (receipt["hint"]["mask"] or receipt["asked"]["masks"]):
        return request
    mask = seen.sought.found[0].location.regions[0].alpha
    return replace(request, pointing=Pointing(hint=RegionHint(mask=mask)))
