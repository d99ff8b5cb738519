"""One edit of one photo as the command line asks for it, and doing it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from image_core.compositing import FEATHER, union
from image_core.errors import AmbiguousTarget, InvalidInput, UnsupportedEdit
from image_core.local_editor import LocalEditor
from image_core.mask_file import read_mask
from image_core.photo import Photo, write_atomically
from image_core.photo_result import PartRecord, check_output, region_record
from image_core.receipt import receipt_path
from image_core.region_hints import check_hint
from image_core.types import (
    Detection,
    EditPlan,
    Image,
    Location,
    Mask,
    Region,
    RegionHint,
    Strength,
)
from insitu.asked_parts import check_values, editor_of
from insitu.overlay import (
    candidates_picture,
    check_picture_suffix,
    encode_picture,
    region_overlay,
)

Progress = Callable[[str, float], None]


@dataclass(frozen=True, kw_only=True)
class EditRequest:
    """All that decides one edit; plain values, so that it travels to a worker process.

    The fields are the command line's options; ``None`` for an output means the default.
    """

    source: Path
    instruction: str
    output: Path
    then: tuple[str, ...] = ()
    mask: Path | None = None
    mask_is_alpha: bool = False
    boxes: tuple[tuple[float, float, float, float], ...] = ()
    points: tuple[tuple[float, float], ...] = ()
    not_points: tuple[tuple[float, float], ...] = ()
    refine: bool = False
    dry_run: bool = False
    mask_out: Path | None = None
    candidates_out: Path | None = None
    editor: str = "auto"
    editor_options: tuple[str, ...] = ()
    language: str = "auto"
    grounder: str = "auto"
    segmenter: str = "auto"
    models: str | None = None
    plan: EditPlan | None = None
    seed: int = 0
    strength: Strength | None = None
    lossy: bool = False
    device: str = "auto"


def perform(
    request: EditRequest,
    progress: Progress | None = None,
    editor: LocalEditor | None = None,
) -> dict[str, Any]:
    """Do one request.

    Args:
        request: What is asked for.
        progress: Told a stage's name and its done share.
        editor: The one that ``editor_of`` made for this request or one with the same parts, so that
            a batch loads its networks once.

    Returns:
        The outcome to report, with ``status`` ``done`` or ``dry_run``.

    Raises:
        InsituError: One of its children; nothing new lies at the output then.
    """
    photo = Photo.open(request.source)
    _check_paths(request, photo)
    hint = _hint(request)
    if hint is not None:
        width, height = photo.size
        check_hint(hint, width=width, height=height)
    check_values(request)
    editor = editor or editor_of(request)
    if request.dry_run:
        return _dry_run(request, photo, hint, editor)
    try:
        result = editor.edit(
            photo,
            request.instruction,
            then=request.then,
            hint=hint,
            seed=request.seed,
            plan=request.plan,
            strength=request.strength,
            progress=progress,
        )
    except AmbiguousTarget as error:
        _write_candidates(request, photo.rgb, error.candidates)
        raise
    _write_candidates(request, photo.rgb, result.location.candidates)
    with _mask_out(request, result.result.alpha):
        saved = result.save(request.output, lossy=request.lossy)
    return {
        "status": "done",
        "exit_code": 0,
        "input": str(request.source),
        "output": str(request.output),
        "receipt": str(saved.receipt),
        "region": region_summary(result.result.regions),
        "editor": "+".join(dict.fromkeys(result.parts.editors)),
        "evaluations": sum(sum(networks.values()) for networks in result.rows.values()),
        "notes": list(result.result.notes),
        "warnings": [*saved.warnings, *_device_warning(request, result.parts)],
        "seconds": round(sum(result.seconds.values()), 3),
    }


def _dry_run(
    request: EditRequest, photo: Photo, hint: RegionHint | None, editor: LocalEditor
) -> dict[str, Any]:
    image = photo.rgb()
    looked_at = image if hint is None else None
    plan = editor.plan(request.instruction, then=request.then, image=looked_at)
    outcome = editor.locate([image], plan, [hint])[0]
    if isinstance(outcome, AmbiguousTarget):
        _write_candidates(request, lambda: image, outcome.candidates)
    if not isinstance(outcome, Location):
        raise outcome
    _write_candidates(request, lambda: image, outcome.candidates)
    names = []
    for step in plan.steps:
        try:
            names.append(editor.editor_for(step)[0])
        except UnsupportedEdit as error:
            names.append(f"none ({error})")
    alpha = union([region.alpha for region in outcome.regions])
    summary = region_summary(outcome.regions)
    caption = f"{summary['confidence']:.2f}: {summary['evidence']}"
    overlay = region_overlay(image, alpha, caption)
    with _mask_out(request, alpha):
        write_atomically(request.output, encode_picture(overlay, request.output))
    return {
        "status": "dry_run",
        "exit_code": 0,
        "input": str(request.source),
        "output": str(request.output),
        "receipt": None,
        "region": summary,
        "editor": "+".join(dict.fromkeys(names)),
        "warnings": list(photo.warnings),
    }


def _check_paths(request: EditRequest, photo: Photo) -> None:
    check_output(request.output, request.source)
    if request.dry_run:
        check_picture_suffix(request.output)
    else:
        photo.check_container(request.output, lossy=request.lossy)
    taken = [request.output, receipt_path(request.output)]
    for extra in (request.mask_out, request.candidates_out):
        if extra is None:
            continue
        check_output(extra, request.source)
        check_picture_suffix(extra)
        if extra in taken:
            raise InvalidInput(f"{extra} is written twice", hint="Give each output its own name.")
        taken.append(extra)


def region_hint(request: EditRequest) -> RegionHint:
    """Return the region in the user's hand, its mask read; an empty hint when there is none.

    Raises:
        InvalidInput: The mask cannot be read.
    """
    return RegionHint(
        mask=read_mask(request.mask) if request.mask else None,
        boxes=request.boxes,
        points=request.points,
        not_points=request.not_points,
        refine=request.refine,
        feather=0 if request.mask_is_alpha else FEATHER,
    )


def _hint(request: EditRequest) -> RegionHint | None:
    if request.mask is not None or request.boxes or request.points or request.not_points:
        return region_hint(request)
    if request.refine:
        raise InvalidInput("--refine needs a --mask")
    return None


def _device_warning(request: EditRequest, parts: PartRecord) -> list[str]:
    if request.device.startswith(("cuda", "mps")) and not parts.models:
        return [f"the parts that did this edit run on the CPU, not on {request.device}"]
    return []


def _write_candidates(
    request: EditRequest, image: Callable[[], Image], candidates: tuple[Detection, ...]
) -> None:
    if request.candidates_out:
        picture = candidates_picture(image(), candidates)
        write_atomically(request.candidates_out, encode_picture(picture, request.candidates_out))


@contextmanager
def _mask_out(request: EditRequest, alpha: Mask) -> Iterator[None]:
    """Write the region where it is asked for; take it back if what follows fails."""
    if request.mask_out is None:
        yield
        return
    data = encode_picture(np.rint(alpha * 255).astype(np.uint8), request.mask_out)
    new = not request.mask_out.exists()
    write_atomically(request.mask_out, data)
    try:
        yield
    except BaseException:
        if new:
            request.mask_out.unlink(missing_ok=True)
        raise


def region_summary(regions: Sequence[Region]) -> dict[str, Any]:
    """Return the record of all steps' regions together, and with several steps of each."""
    joined = Region(
        alpha=union([region.alpha for region in regions]),
        confidence=min(region.confidence for region in regions),
        evidence="; ".join(dict.fromkeys(region.evidence for region in regions)),
    )
    steps = [region_record(region) for region in regions]
    return {**region_record(joined), **({"steps": steps} if len(steps) > 1 else {})}
