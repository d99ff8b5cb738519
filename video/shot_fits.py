"""The fits of a clip's shots, each made once and kept: what a canonical picture is carried by."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from image_core.types import Mask, no_progress
from video.canonical import Canonical, painted_upon
from video.chains import Regions, region_at
from video.clip import Clip
from video.fitted import FittedShot
from video.flow_fit import fit_flow
from video.flow_store import FlowStore
from video.frame_edits import Progress, as_float
from video.frames import ArrayFrames, Picture, ScaledFrames, Span, working_size
from video.layer import CarriedEdit, EditLayer, laid_over
from video.needs_torch import need_torch
from video.settings import VideoSettings
from video.visibility import enlarged, visibility
from video.workplace import measures_folder

_FIT = "fit.npz"
_TRAINING = "training.pt"  # of hash fields: what an interrupted fit goes on from


@dataclass(frozen=True, kw_only=True)
class ShotFit:
    """A stretch of frames and its canonical picture.

    Attributes:
        span: The frames.
        fit: How they lie in it.
        canonical: The picture that is painted on, at the frames' own size.
        regions: The target's masks at full size; None where the whole picture counts.
    """

    span: Span
    fit: FittedShot
    canonical: Canonical
    regions: Regions | None

    def carried(self, layer: EditLayer, index: int, picture: Picture) -> CarriedEdit:
        """Carry an edit of the canonical picture to a frame.

        It is seen where the frame shows the target, and nothing hides it there.

        Args:
            layer: The edit.
            index: The frame's number.
            picture: The frame.
        """
        size = (picture.shape[1], picture.shape[0])
        deformation = self.fit.deformation
        image = as_float(picture)
        shown = None
        if index != deformation.reference:
            shown = self._shown(index, picture)
        if self.regions is not None:
            mask = self.regions(index)
            mask = np.zeros(picture.shape[:2], np.float32) if mask is None else mask
            shown = mask if shown is None else np.minimum(mask, shown)
        return laid_over(layer, deformation.places(index, size), image, shown=shown)

    def _shown(self, index: int, picture: Picture) -> Mask:
        deformation = self.fit.deformation
        small = working_size((picture.shape[1], picture.shape[0]), max(deformation.window.frame))
        frame = as_float(ScaledFrames(ArrayFrames([picture]), small).rgb(0))
        seen = visibility(
            frame,
            self.fit.canonical,
            deformation.places(index),
            deformation.confidence(index),
            region=region_at(self.regions, index, small),
        )
        return enlarged(seen, (picture.shape[1], picture.shape[0]))


def fit_shot(
    clip: Clip,
    flows: FlowStore,
    span: Span,
    reference: int,
    settings: VideoSettings,
    *,
    regions: Regions | None = None,
    regions_name: str = "",
    progress: Progress = no_progress,
) -> ShotFit:
    """Fit a stretch of frames, or take the fit that was kept.

    Args:
        clip: The frames.
        flows: Between them.
        span: The stretch.
        reference: The frame that lies in the canonical picture as it is.
        settings: Which model, and how much is spent.
        regions: The target's masks.
        regions_name: What they depend on; part of what a kept fit must agree with.
        progress: Told the stage "fit".

    Raises:
        MissingWeights: The hash fields need torch, which is not installed.
    """
    folder = measures_folder(
        "fit",
        clip.info.sha256,
        flows.path(0).parent.name,
        repr((span, reference, settings.field, settings.fit)),
        regions_name,
    )
    fit = FittedShot.load(folder / _FIT)
    if fit is None:
        if settings.field == "hash":
            fit = _hash_fit(
                clip, flows, span, reference, settings, regions, folder / _TRAINING, progress
            )
        else:
            fit = fit_flow(
                clip,
                flows,
                span,
                reference=reference,
                settings=settings.fit,
                regions=regions,
                progress=progress,
            )
        fit.save(folder / _FIT)
        (folder / _TRAINING).unlink(missing_ok=True)
    canonical = painted_upon(clip, fit.deformation, fit.canonical, regions=regions)
    return ShotFit(span=span, fit=fit, canonical=canonical, regions=regions)


def _hash_fit(
    clip: Clip,
    flows: FlowStore,
    span: Span,
    reference: int,
    settings: VideoSettings,
    regions: Regions | None,
    checkpoint: Path,
    progress: Progress,
) -> FittedShot:
    """Fit CoDeF's hash fields; with regions, what is kept is the target's group."""
    need_torch("the hash field")
    from video.hash_fit import fit_hash

    small = ScaledFrames(clip, working_size(clip.size, settings.fit.side), kept=len(span))
    found = fit_hash(
        small,
        flows,
        span,
        reference=reference,
        regions=regions,
        checkpoint=checkpoint,
        progress=lambda done, steps: progress("fit", done / steps),
    )
    target = found.groups[0]
    return FittedShot(
        deformation=target.deformation.dense(),
        canonical=target.canonical,
        held_out_psnr=found.held_out_psnr,
    )
