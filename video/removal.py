"""Removing a thing from a clip: what other frames show behind it, the rest made up once.

The background is put together in one sharp picture a stretch; what no frame shows is filled there,
once, so that it moves with the background and is the same in all frames. Shadows that the thing
casts on something else stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool

from image_core.applying import value_of
from image_core.compositing import bounding_box, composite, grown_box, hole, on_8_bit_grid
from image_core.errors import EditFailed
from image_core.local_editor import LocalEditor
from image_core.photo import write_atomically
from image_core.types import EditPlan, Location, Mask, Region, Strength, no_progress
from video.backdrop_picture import BackdropPicture, lightness_left, put_together
from video.background import Holes, background
from video.background_fit import fit_background
from video.canonical_edits import union_of
from video.chains import resized_mask
from video.clip import Clip
from video.deformation import Deformation
from video.fitted import FittedShot
from video.flow_store import FlowStore
from video.frame_edits import FrameResult, Progress, as_float, frame_key
from video.frames import Picture, ScaledFrames, Span
from video.regions import StepRegion, regions_name
from video.removal_alpha import removal_alpha
from video.spans import best_reference, split
from video.warping import sample
from video.workplace import measures_folder

INVENTED = 0.2
"""Share of what is removed, over all frames, from which the user is told that it was made up."""

UNMET = 0.06
"""Difference of colours around a hole from which the background was not followed well."""

_RING = 10  # px around a hole in which the filling is compared with the frame
_FEW = 16  # pixels under which that says nothing
_AROUND = 0.35  # of a picture's size: what a hole is filled from, where it is made up
_FIT = "background.npz"


@dataclass(frozen=True, kw_only=True)
class RemovalEdits:
    """What lies behind a thing, in the frames of a stretch.

    Attributes:
        span: The frames.
        deformation: How they lie in the picture.
        backdrop: The picture, without gaps where it is needed.
        shown: Where each frame shows the background, at the size of the flows.
        regions: The thing, soft at its rim.
        grow: Whether the hole may be larger than the thing.
    """

    span: Span
    deformation: Deformation
    backdrop: BackdropPicture
    shown: Holes
    regions: Holes
    grow: bool

    def edited(self, index: int, picture: Picture) -> FrameResult | None:
        """See ``FrameEdits.edited``."""
        region = self.regions(index)
        if region is None:
            return None
        shown = self.shown(index)
        assert shown is not None
        size = (picture.shape[1], picture.shape[0])
        free = resized_mask(shown, size) > 0.5
        alpha = removal_alpha(region, free, grow=self.grow)
        image = as_float(picture)
        places = self.deformation.places(index, size)
        filling = np.asarray(sample(self.backdrop.picture, places, filter="cubic"))
        known = sample(self.backdrop.known.astype(np.float32), places, border="zero") > 0.99
        ring = _ring(alpha > 0) & free & known
        light = lightness_left(image - filling, ring)
        filling = np.clip(filling + light, 0, 1).astype(np.float32)
        apart = np.abs(image - filling).mean(axis=-1)[ring]
        warnings = () if apart.size < _FEW or np.median(apart) < UNMET else (_POOR,)
        alpha = on_8_bit_grid(alpha)
        return FrameResult(image=composite(image, filling, alpha), alpha=alpha, warnings=warnings)


_POOR = (
    "the background's motion could not be followed well behind the removed thing: look at the "
    "filling, or remove it in shorter stretches (--start, --end)"
)


def remove_from(
    editor: LocalEditor,
    plan: EditPlan,
    clip: Clip,
    flows: FlowStore,
    span: Span,
    steps: Sequence[StepRegion],
    folder: Path,
    *,
    grow: bool,
    seed: int,
    strength: Strength | None,
    progress: Progress = no_progress,
) -> tuple[list[RemovalEdits], list[str], int]:
    """Find out what lies behind the things that a plan removes from a stretch.

    Args:
        editor: Makes up what no frame shows.
        plan: Removals only.
        clip: The frames.
        flows: Between them.
        span: The stretch.
        steps: The things.
        folder: Where what was made up is kept for a run that goes on.
        grow: Whether holes may be larger than the regions; not where the user gave masks.
        seed: Keys random draws.
        strength: In [0, 1]; the editor's own measure unless given.
        progress: Told the stage "fit".

    Returns:
        The edits of each part, what the user should know, and the network rows it took.

    Raises:
        EditFailed: Nothing is left to fill from.
        InsituError: The editor failed.
    """
    regions = union_of(steps)
    if regions is None:
        raise EditFailed(
            "all of the picture is to be removed", hint="Name or mark a thing in the picture."
        )

    def holes(index: int) -> Mask | None:
        alpha = regions(index)
        return None if alpha is None else hole(alpha, grow=True)

    small = ScaledFrames(clip, flows.size)
    masks = {index: background(small, flows, span, holes, index) for index in span}
    edits, warnings, rows, gap, total = [], [], 0, 0.0, 0.0
    for part in split(flows, span, regions=masks.__getitem__):
        if all(regions(index) is None for index in part):
            continue
        reference = best_reference(part, masks.__getitem__)
        place = measures_folder(
            "background",
            clip.info.sha256,
            flows.path(0).parent.name,
            repr((span, part, reference)),
            regions_name(steps),
        )
        fit = FittedShot.load(place / _FIT)
        if fit is None:
            fit = fit_background(
                clip, flows, part, reference, masks.__getitem__, holes, progress=progress
            )
            fit.save(place / _FIT)
        made = put_together(clip, fit.deformation, masks.__getitem__, list(part), holes)
        missing, all_of_it = _made_up(made, fit.deformation, part, holes, clip.size)
        gap, total = gap + missing, total + all_of_it
        if missing:
            made, said, took = _completed(
                editor, plan, made, fit.deformation, part, holes, clip.size,
                folder / f"{part.start:06d}.png", seed=frame_key(seed, reference),
                strength=strength,
            )  # fmt: skip
            # about gaps that hardly show there is nothing to say
            warnings += said if missing > INVENTED * all_of_it else []
            rows += took
        edits.append(
            RemovalEdits(
                span=part,
                deformation=fit.deformation,
                backdrop=made,
                shown=masks.__getitem__,
                regions=regions,
                grow=grow,
            )
        )
    if total and gap / total > INVENTED:
        warnings.insert(
            0,
            f"{gap / total:.0%} of what lies behind the removed thing is seen in no frame, and was "
            "made up from its surroundings",
        )
    return edits, warnings, rows


def _ring(inside: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """Return the surroundings of a hole."""
    side = 2 * _RING + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return np.asarray((cv2.dilate(inside.astype(np.uint8), disc) > 0) & ~inside)


def _made_up(
    made: BackdropPicture,
    deformation: Deformation,
    part: Span,
    holes: Holes,
    size: tuple[int, int],
) -> tuple[float, float]:
    """Count the holes' pixels that no frame shows, and all of them."""
    missing = total = 0.0
    known = made.known.astype(np.float32)
    for index in part:
        gone = holes(index)
        if gone is not None:
            seen = sample(known, deformation.places(index, size), border="zero")
            missing += float(((seen < 1) & (gone > 0)).sum())
            total += float((gone > 0).sum())
    return missing, total


def _completed(
    editor: LocalEditor,
    plan: EditPlan,
    made: BackdropPicture,
    deformation: Deformation,
    part: Span,
    holes: Holes,
    size: tuple[int, int],
    kept: Path,
    *,
    seed: int,
    strength: Strength | None,
) -> tuple[BackdropPicture, list[str], int]:
    """Make up what no frame shows of a picture of the background, where holes need it."""
    window = _window_to_fill(made, deformation, part, holes, size)
    crop = np.ascontiguousarray(made.picture[window])
    gap = ~made.known[window]
    if not made.known[window].any():
        raise EditFailed(
            f"the frames {part.start} to {part.stop - 1} show nothing but what is to be removed",
            hint="Mark a part of the picture, so that something is left to fill it from.",
        )
    filled, said, took = _read(kept, crop.shape), [], 0
    if filled is None:
        # all gaps are one hole, whichever step's thing they lie behind
        alone = replace(plan, steps=plan.steps[:1])
        where = Location(regions=(Region(alpha=gap.astype(np.float32)),))
        prepared = editor.prepare(alone, [crop], [where], keys=[seed])
        result = value_of(
            editor.apply(prepared, [crop], [where], keys=[seed], strength=strength)[0]
        )
        said, took = list(result.warnings), result.evaluations
        filled = np.asarray(np.rint(np.clip(result.image, 0, 1) * 255), np.uint8)
        _, data = cv2.imencode(".png", filled[..., ::-1])
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(kept, data.tobytes())
    picture = made.picture.copy()
    picture[window] = as_float(filled)
    return replace(made, picture=picture), said, took


def _window_to_fill(
    made: BackdropPicture,
    deformation: Deformation,
    part: Span,
    holes: Holes,
    size: tuple[int, int],
) -> tuple[slice, slice]:
    """Return the rows and columns of the needed gaps, and of what they are filled from."""
    width, height = made.window.size
    gaps = np.zeros((height, width), bool)
    for index in part:
        gone = holes(index)
        if gone is not None:
            places = np.rint(deformation.places(index, size)[gone > 0]).astype(int)
            columns, rows = places[:, 0].clip(0, width - 1), places[:, 1].clip(0, height - 1)
            gaps[rows, columns] = True
    box = bounding_box(gaps & ~made.known) or (0, 0, width, height)
    margin = max(48, round(_AROUND * (width * height) ** 0.5))
    left, top, right, bottom = grown_box(box, margin, height, width)
    return slice(top, bottom), slice(left, right)


def _read(path: Path, shape: tuple[int, ...]) -> Picture | None:
    seen = cv2.imread(str(path), cv2.IMREAD_COLOR) if path.is_file() else None
    if seen is None or seen.shape != shape:
        return None
    return np.ascontiguousarray(seen[..., ::-1])
