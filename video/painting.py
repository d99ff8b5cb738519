"""Canonical pictures in a person's hands: written out, painted on in any program, carried back.

A folder holds one picture a shot (more where one cannot hold a shot) and ``canonical.json``, which
says what they were made of and how, so that the very same fit carries them back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from image_core.errors import IntegrityError, InvalidInput
from image_core.local_editor import LocalEditor
from image_core.photo import Photo, to_upright, write_atomically
from image_core.photo_result import StageClock
from image_core.receipt import sha256
from image_core.types import Image, no_progress
from video.canonical_edits import CanonicalEdits
from video.clip import Clip
from video.edit import EditedClip, fitted_shots, written_edit
from video.frame_edits import FrameEdits, Progress
from video.frames import Span
from video.layer import EditLayer
from video.saving import check_clip_output, plan_output
from video.shot_fits import ShotFit
from video.survey import Survey, VideoRequest, survey
from video.writing import Made

RECORD = "canonical.json"
_FORM = 1


@dataclass(frozen=True, kw_only=True)
class WrittenCanonicals:
    """What was written out.

    Attributes:
        folder: Where the pictures lie.
        files: Their names, in order.
        survey: What was found out of the clip.
        warnings: What the user should know.
    """

    folder: Path
    files: tuple[str, ...]
    survey: Survey
    warnings: tuple[str, ...]


def write_canonicals(
    editor: LocalEditor,
    clip: Clip,
    request: VideoRequest,
    folder: Path,
    flags: Mapping[str, Any],
    *,
    progress: Progress = no_progress,
) -> WrittenCanonicals:
    """Write the canonical pictures of a clip's shots.

    Args:
        editor: Locates what is pointed at or named.
        clip: The frames.
        request: What is to be painted on; ``painting`` is set.
        folder: A new or empty one, or one of this clip.
        flags: What the user gave, JSON-able, so that the same request can be made again.
        progress: Told a stage's name and its done share.

    Raises:
        InvalidInput: The folder holds something else, or cannot be written.
    """
    _check_folder(folder, clip)
    clock = StageClock(progress)
    seen = survey(editor, clip, request, clock=clock, progress=progress)
    fits, _, fitted = fitted_shots(clip, request, seen, clock=clock, progress=progress)
    names = part_names(fits, seen.shots)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(f"{folder} cannot be made: {error.strerror}") from error
    for fit, name in zip(fits, names, strict=True):
        write_atomically(folder / name, _png(fit.canonical.picture))
    record = {
        "insitu_canonical": _FORM,
        "source": {"path": str(clip.info.path.resolve()), "sha256": clip.info.sha256},
        "flags": dict(flags),
        "parts": [
            {
                "file": name,
                "frames": [fit.span.start, fit.span.stop],
                "reference_frame": fit.fit.deformation.reference,
                "size": list(fit.canonical.window.size),
            }
            for fit, name in zip(fits, names, strict=True)
        ],
    }
    write_atomically(folder / RECORD, (json.dumps(record, indent=1) + "\n").encode())
    return WrittenCanonicals(
        folder=folder,
        files=tuple(names),
        survey=seen,
        warnings=(*clip.info.warnings, *seen.warnings, *fitted.warnings),
    )


def carry_painting(
    editor: LocalEditor,
    clip: Clip,
    request: VideoRequest,
    painted: Path,
    *,
    progress: Progress = no_progress,
) -> EditedClip:
    """Carry painted canonical pictures back to the frames.

    Args:
        editor: Locates what was pointed at or named.
        clip: The source.
        request: The one that the pictures were written for; ``painting`` is set.
        painted: The folder, or the picture of a clip of one part.
        progress: Told a stage's name and its done share.

    Raises:
        InvalidInput: A picture is missing or of another size, or they are of another clip.
    """
    check_clip_output(request.output, clip.info.path)
    writing = plan_output(request.output, clip, codec=request.codec, crf=request.crf)
    clock = StageClock(progress)
    seen = survey(editor, clip, request, clock=clock, progress=progress)
    fits, _, fitted = fitted_shots(clip, request, seen, clock=clock, progress=progress)
    pictures = _painted(painted, fits, seen.shots)
    layers = [
        EditLayer.between(fit.canonical, image) for fit, image in zip(fits, pictures, strict=True)
    ]
    edits = [
        CanonicalEdits(span=fit.span, fit=fit, layer=layer)
        for fit, layer in zip(fits, layers, strict=True)
        if not layer.is_empty
    ]
    if not edits:
        fitted = fitted.joined(Made(warnings=("nothing was painted: every frame stays as it is",)))

    def edits_in(job: Path) -> tuple[Sequence[FrameEdits], Made]:
        del job
        return edits, fitted

    return written_edit(
        editor,
        clip,
        request,
        seen,
        writing,
        edits_in,
        extra=sha256(b"".join(image.tobytes() for image in pictures)),
        clock=clock,
        progress=progress,
    )


def read_flags(painted: Path, clip: Clip) -> dict[str, Any] | None:
    """Return the flags that painted pictures were written for; None for a picture by itself.

    Raises:
        InvalidInput: There is no such folder or picture, or it was made of another clip.
        IntegrityError: ``canonical.json`` cannot be read.
    """
    folder = painted if painted.is_dir() else painted.parent
    if not painted.exists():
        raise InvalidInput(f"there is no {painted}", hint="Make it with --canonical-out.")
    path = folder / RECORD
    if not path.is_file():
        if painted.is_dir():
            raise InvalidInput(
                f"{painted} holds no {RECORD}", hint="Name a folder made by --canonical-out."
            )
        return None
    record = _record(path)
    if record["source"]["sha256"] != clip.info.sha256:
        raise InvalidInput(
            f"{painted} was made of another clip, {record['source']['path']}",
            hint="Give that clip, or write canonical pictures of this one.",
        )
    return dict(record["flags"])


def part_names(fits: Sequence[ShotFit], shots: Sequence[Span]) -> list[str]:
    """Return a file name for each part: its shot's number, and its own where a shot has several."""
    owners = [next(n for n, shot in enumerate(shots) if fit.span.start in shot) for fit in fits]
    names = []
    for place, owner in enumerate(owners):
        part = owners[:place].count(owner)
        several = owners.count(owner) > 1
        names.append(f"shot_{owner + 1:03d}" + (f"_{part + 1:02d}" if several else "") + ".png")
    return names


def _painted(painted: Path, fits: Sequence[ShotFit], shots: Sequence[Span]) -> list[Image]:
    names = part_names(fits, shots)
    if not painted.is_dir() and painted.name not in names:
        if len(names) > 1:
            raise InvalidInput(
                f"{painted} is one picture; the clip has {len(names)} parts",
                hint=f"Name the folder, or the picture {names[0]} in it.",
            )
        return [_blended(painted, fits[0].canonical.picture)]
    folder = painted if painted.is_dir() else painted.parent
    images = []
    for name, fit in zip(names, fits, strict=True):
        wanted = painted.is_dir() or painted.name == name
        before = fit.canonical.picture
        if wanted and not (folder / name).is_file():
            raise InvalidInput(f"{folder} holds no {name}", hint="Keep the pictures' names.")
        images.append(_blended(folder / name, before) if wanted else before)
    return images


def _blended(path: Path, before: Image) -> Image:
    """Read a painted picture; where it is transparent, what was painted on shows through."""
    photo = Photo.open(path)
    height, width = before.shape[:2]
    if photo.size != (width, height):
        raise InvalidInput(
            f"{path} is {photo.size[0]}x{photo.size[1]}, it was written as {width}x{height}",
            hint="Paint on it without changing its size.",
        )
    samples, image = photo.samples, photo.rgb()
    if samples.shape[2] not in (2, 4):
        return image
    peak = np.float32(np.iinfo(samples.dtype).max)
    opaque = to_upright(samples[..., -1] / peak, photo.orientation)[..., None]
    return np.where(opaque > 0, before + opaque * (image - before), before).astype(np.float32)


def _check_folder(folder: Path, clip: Clip) -> None:
    if folder.exists() and not folder.is_dir():
        raise InvalidInput(f"{folder} is a file", hint="Name a folder.")
    if folder.is_dir() and any(folder.iterdir()):
        if not (folder / RECORD).is_file():
            raise InvalidInput(f"the folder {folder} is not empty", hint="Name a new one.")
        if _record(folder / RECORD)["source"]["sha256"] != clip.info.sha256:
            raise InvalidInput(
                f"{folder} holds canonical pictures of another clip", hint="Name a new folder."
            )


def _record(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_bytes())
        known = record["insitu_canonical"] == _FORM and isinstance(record["flags"], dict)
        if not known or not {"path", "sha256"} <= record["source"].keys():
            raise ValueError
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise IntegrityError(
            f"{path} is damaged, or of another version", hint="Write the pictures anew."
        ) from None
    return dict(record)


def _png(picture: Image) -> bytes:
    levels = np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)
    done, data = cv2.imencode(".png", levels[..., ::-1])
    assert done
    return data.tobytes()
