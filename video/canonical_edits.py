"""The route for edits that are painted or generated: once a shot, on its canonical picture.

Each shot (or part of one that a single picture can hold) has a reference frame; around it, the
canonical picture is put together from the other frames. All of them are edited as one batch with
one plan and one seed, and the change is carried to the frames as a layer.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from image_core.applying import value_of
from image_core.compositing import on_8_bit_grid, union
from image_core.local_editor import LocalEditor
from image_core.photo import write_atomically
from image_core.types import (
    EditPlan,
    EditResult,
    Image,
    Location,
    Mask,
    Region,
    Strength,
    no_progress,
)
from video.chains import Regions
from video.clip import Clip
from video.finding import ShotKey
from video.fit_report import fit_quality
from video.flow_store import FlowStore
from video.frame_edits import FrameResult, Progress, frame_key
from video.frames import Picture, Span
from video.layer import EditLayer
from video.regions import StepRegion
from video.settings import VideoSettings
from video.shot_fits import ShotFit, fit_shot
from video.spans import best_reference, split
from video.writing import Made


@dataclass(frozen=True, kw_only=True)
class CanonicalEdits:
    """An edited canonical picture and the frames that it is carried to.

    Attributes:
        span: The frames.
        fit: How they lie in the picture.
        layer: What was changed on it.
    """

    span: Span
    fit: ShotFit
    layer: EditLayer

    def edited(self, index: int, picture: Picture) -> FrameResult | None:
        """See ``FrameEdits.edited``."""
        carried = self.fit.carried(self.layer, index, picture)
        if not carried.alpha.any():
            return None
        return FrameResult(image=carried.image, alpha=carried.alpha)


def union_of(regions: Sequence[StepRegion]) -> Regions | None:
    """Return where any step applies in each frame; None where one of them means all of it."""
    if any(region.alphas is None for region in regions):
        return None

    def at(index: int) -> Mask | None:
        alpha = union([region.at(index).alpha for region in regions])
        return alpha if alpha.any() else None

    return at


def fit_parts(
    clip: Clip,
    flows: FlowStore,
    key: ShotKey,
    regions: Regions | None,
    settings: VideoSettings,
    *,
    name: str,
    progress: Progress = no_progress,
) -> tuple[list[ShotFit], Made]:
    """Fit a shot, in as many parts as it takes; tell how well, and where a fit is too poor.

    Args:
        clip: The frames.
        flows: Between them.
        key: The shot; each of its parts has the reference frame that ``split`` judged it by.
        regions: The target's masks; None where the whole picture counts.
        settings: How much is spent.
        name: What the masks depend on.
        progress: Told the stage "fit".
    """
    fits: list[ShotFit] = []
    made = Made()
    for part in split(flows, key.span, regions=regions):
        reference = best_reference(part, regions)
        fit = fit_shot(
            clip,
            flows,
            part,
            reference,
            settings,
            regions=regions,
            regions_name=name,
            progress=progress,
        )
        fits.append(fit)
        quality = fit_quality(fit.fit, clip, flows, regions=regions)
        warning = quality.warning()
        row = {
            "frames": [part.start, part.stop],
            "reference": reference,
            "psnr": _rounded(quality.mean("psnr")),
            "worst_psnr": _rounded(quality.worst_psnr),
            "folds": _rounded(quality.mean("folds")),
            "followed": _rounded(quality.mean("followed")),
            "coverage": _rounded(quality.coverage),
        }
        made = made.joined(Made(fits=(row,), warnings=(warning,) if warning else ()))
    if len(fits) > 1:
        made = made.joined(Made(warnings=(_changes(key.span, fits),)))
    return fits, made


def _changes(span: Span, fits: Sequence[ShotFit]) -> str:
    """Return a warning of the places where one canonical picture takes over from another."""
    places = ", ".join(str(fit.span.start) for fit in fits[1:])
    return (
        f"frames {span.start} to {span.stop - 1}: one canonical picture cannot hold them, so there"
        f" are {len(fits)}; a pattern may jump at frame {places}"
    )


def _rounded(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None


def edit_canonicals(
    editor: LocalEditor,
    plan: EditPlan,
    fits: Sequence[ShotFit],
    regions: Sequence[Sequence[StepRegion]],
    folder: Path,
    *,
    seed: int,
    strength: Strength | None,
    progress: Progress = no_progress,
) -> tuple[list[CanonicalEdits], list[EditResult]]:
    """Edit the canonical pictures as one batch; those that lie in the folder are not done again.

    Args:
        editor: Edits pictures.
        plan: What is to be done.
        fits: The parts.
        regions: For each part the steps' regions in its frames.
        folder: Where edited canonical pictures are kept.
        seed: Keys random draws, with the reference frame's number.
        strength: In [0, 1]; the editor's own measure unless given.
        progress: Told the editor's stages.

    Raises:
        InsituError: The editor failed.
    """
    images = [fit.canonical.picture for fit in fits]
    locations = [_location(fit, steps) for fit, steps in zip(fits, regions, strict=True)]
    keys = [frame_key(seed, fit.fit.deformation.reference) for fit in fits]
    results: list[EditResult | None] = [_kept(_place(folder, fit)) for fit in fits]
    missing = [number for number, result in enumerate(results) if result is None]
    if missing:
        prepared = editor.prepare(plan, images, locations, keys=keys)
        outcomes = editor.apply(
            prepared,
            [images[number] for number in missing],
            [locations[number] for number in missing],
            keys=[keys[number] for number in missing],
            strength=strength,
            progress=progress,
        )
        for number, outcome in zip(missing, outcomes, strict=True):
            results[number] = value_of(outcome)
            _keep(_place(folder, fits[number]), value_of(outcome))
    made = [result for result in results if result is not None]
    edits = [
        CanonicalEdits(
            span=fit.span,
            fit=fit,
            layer=EditLayer.between(fit.canonical, result.image, alpha=result.alpha),
        )
        for fit, result in zip(fits, made, strict=True)
    ]
    return edits, made


def _location(fit: ShotFit, steps: Sequence[StepRegion]) -> Location:
    """Return the steps' regions in a part's canonical picture: those of its reference frame."""
    window = fit.canonical.window
    reference = fit.fit.deformation.reference
    made = []
    for step in steps:
        width, height = window.size
        alpha = np.zeros((height, width), np.float32)
        region = step.at(reference)
        if step.alphas is None:
            alpha[...] = 1
        else:
            window.crop(alpha)[...] = on_8_bit_grid(region.alpha)
        made.append(Region(alpha=alpha, confidence=region.confidence, evidence=region.evidence))
    return Location(regions=tuple(made))


def _place(folder: Path, fit: ShotFit) -> Path:
    return folder / f"{fit.span.start:06d}.npz"


def _keep(path: Path, result: EditResult) -> None:
    buffer = io.BytesIO()
    np.savez(
        buffer,
        image=result.image,
        alpha=result.alpha,
        evaluations=np.array(result.evaluations),
        notes=np.array(result.notes, dtype=str),
        warnings=np.array(result.warnings, dtype=str),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, buffer.getvalue())


def _kept(path: Path) -> EditResult | None:
    try:
        with np.load(path) as kept:
            image: Image = kept["image"]
            return EditResult(
                image=image,
                alpha=kept["alpha"],
                regions=(),
                evaluations=int(kept["evaluations"]),
                notes=tuple(map(str, kept["notes"])),
                warnings=tuple(map(str, kept["warnings"])),
            )
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile):
        return None
