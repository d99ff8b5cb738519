"""What an edit of a clip is known by: the key of its job, and what its receipt says."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from image_core.disk_cache import content_key
from image_core.local_editor import LocalEditor
from image_core.photo_result import hint_record, licences_of, region_record
from image_core.receipt import sha256, versions
from image_core.types import RegionHint
from video.clip import Clip
from video.finding_record import alphas_record
from video.frames import Span
from video.survey import Survey, VideoRequest
from video.writing import Made
from video.writing_plan import WritingPlan

_JOB_FORMAT = "1"  # changes whenever a job's folder of an older version must not be gone on with


def job_key(
    editor: LocalEditor, clip: Clip, request: VideoRequest, seen: Survey, writing: WritingPlan
) -> str:
    """Return a text that is the same for edits that give the same parts.

    Args:
        editor: Its configuration names the parts that edit.
        clip: The source.
        request: What is asked.
        seen: What was found out before.
        writing: How the parts are coded.
    """
    return content_key(
        _JOB_FORMAT,
        clip.info.sha256,
        repr(seen.plan),
        repr(editor.config),
        repr(hint_record(request.pointing.hint or RegionHint())),
        repr((request.pointing.at, sorted(_mask_hashes(request).items()))),
        # not the codec asked for: a GIF's parts are lossless, whatever that was
        repr((request.stretch, request.trim, writing.settings)),
        repr((request.seed, request.strength, request.settings)),
        repr(sorted(versions().items())),
    )


def asked_record(request: VideoRequest) -> dict[str, Any]:
    """Return what was asked besides words and pointers, as plain JSON values.

    The same values come from the same request, and from a receipt that was read back.
    """
    asked = {
        "at": request.pointing.at,
        "masks": _mask_hashes(request),
        "stretch": asdict(request.stretch),
        "trim": request.trim,
        "codec": request.codec,
        "crf": request.crf,
        "settings": asdict(request.settings),
    }
    return dict(json.loads(json.dumps(asked)))


def _mask_hashes(request: VideoRequest) -> dict[int, str]:
    masks = sorted(request.pointing.masks.items())
    return {index: sha256(path.read_bytes()) for index, path in masks}


def edit_record(
    editor: LocalEditor,
    clip: Clip,
    request: VideoRequest,
    seen: Survey,
    written: Span,
    made: Made,
) -> dict[str, Any]:
    """Return what a receipt says before anything is written.

    Args:
        editor: Its parts are named.
        clip: The source.
        request: What was asked.
        seen: What was found out before the edit.
        written: The frames of the output.
        made: What the edit took.
    """
    painted = seen.prepared is None
    strengths = [] if painted else editor.strengths(seen.plan, request.strength)
    parts = None if painted else editor.part_record(seen.plan, strengths)
    return {
        "versions": versions(neural=bool(parts and parts.models)),
        "instruction": seen.plan.instruction,
        "then": list(request.then),
        "seed": request.seed,
        "strength": request.strength,
        "hint": hint_record(request.pointing.hint or RegionHint()),
        "plan": asdict(seen.plan),
        "parts": None if parts is None else asdict(parts),
        "prepared": None if seen.prepared is None else seen.prepared.state_dict(),
        "clip": {
            "frames": len(clip),
            "size": list(clip.size),
            "written": [written.start, written.stop],
            "edited_frames": made.edited,
            "shots": [[shot.start, shot.stop] for shot in seen.shots],
            "route": seen.route,
            "fits": list(made.fits),
            "warnings": list(seen.warnings),
        },
        "regions": [
            {
                "frames": [key.span.start, key.span.stop],
                "key_frame": key.index,
                "steps": [region_record(region) for region in key.location.regions],
                "alphas": alphas_record(key),
            }
            for key in seen.sought.found
        ],
        "evaluations": made.evaluations,
        "model_licences": licences_of(parts.models if parts else ()),
    }
