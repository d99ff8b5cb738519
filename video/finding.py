"""Where in each shot the target is, on the one frame that shows it best or that the user named."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from image_core.compositing import on_8_bit_grid, support
from image_core.errors import AmbiguousTarget, InsituError, TargetNotFound
from image_core.local_editor import LocalEditor
from image_core.types import EditPlan, Image, Location, Region, RegionHint, no_progress
from video.clip import Clip
from video.frame_edits import as_float
from video.frames import Span
from video.key_frame import best_key
from video.pointing import Pointing


@dataclass(frozen=True, kw_only=True)
class ShotKey:
    """The target as it was found in a shot.

    Attributes:
        span: The frames that are edited.
        index: The key frame, one of them.
        image: It, float32 in [0, 1].
        location: The regions there, one per step, on the 8-bit grid.
        given: Locations in other frames that the user gave masks for.
    """

    span: Span
    index: int
    image: Image
    location: Location
    given: Mapping[int, Location] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Sought:
    """What a search gave.

    Attributes:
        found: One for each shot in which the target is.
        missed: The others, with the reason.
    """

    found: tuple[ShotKey, ...]
    missed: tuple[tuple[Span, str], ...] = ()


def find_keys(
    editor: LocalEditor,
    plan: EditPlan,
    clip: Clip,
    spans: Sequence[Span],
    pointing: Pointing,
    *,
    progress: Callable[[str, float], None] = no_progress,
) -> Sought:
    """Find the target in each shot.

    Args:
        editor: Locates.
        plan: What is sought, a region per step.
        clip: The frames.
        spans: The parts of shots that may be edited.
        pointing: Box, points or masks; the words are not grounded then.
        progress: Told the stage "locate".

    Raises:
        TargetNotFound: It is in none of the shots.
        AmbiguousTarget: It is in none surely, and in some several things answer to the phrase.
        InvalidInput: A hint or a time does not fit the spans.
    """
    found: list[ShotKey] = []
    errors: list[InsituError] = []
    missed: list[tuple[Span, str]] = []
    whole = all(step.whole_image for step in plan.steps)
    for number, span in enumerate(spans):
        try:
            found.append(_in_span(editor, plan, clip, span, pointing, whole, number == 0))
        except (TargetNotFound, AmbiguousTarget) as error:
            errors.append(error)
            missed.append((span, str(error)))
        progress("locate", (number + 1) / len(spans))
    if not found:
        several = [error for error in errors if isinstance(error, AmbiguousTarget)]
        raise (several or errors)[0]
    return Sought(found=tuple(found), missed=tuple(missed))


def _in_span(
    editor: LocalEditor,
    plan: EditPlan,
    clip: Clip,
    span: Span,
    pointing: Pointing,
    whole: bool,
    first: bool,
) -> ShotKey:
    if pointing.masks:
        return _by_masks(editor, plan, clip, span, pointing)
    at = pointing.at
    if pointing.hint is not None:
        at = span.start if at is None and first else at
        if at is None or at not in span:
            raise TargetNotFound(
                "the region was pointed at in another shot",
                hint="Point at a frame of this one with --at, or name the thing instead.",
            )
        return _at(editor, plan, clip, span, at, pointing.hint)
    if whole:
        return _at(editor, plan, clip, span, span.start, None)
    if at is not None and at in span:
        return _at(editor, plan, clip, span, at, None)
    return _best(editor, plan, clip, span)


def _at(
    editor: LocalEditor,
    plan: EditPlan,
    clip: Clip,
    span: Span,
    index: int,
    hint: RegionHint | None,
) -> ShotKey:
    image = exact_image(clip, index)
    outcome = editor.locate([image], plan, [hint])[0]
    if isinstance(outcome, InsituError):
        raise type(outcome)(f"frame {index}: {outcome}", hint=outcome.hint) from outcome
    return ShotKey(span=span, index=index, image=image, location=_on_grid(outcome))


def _by_masks(
    editor: LocalEditor, plan: EditPlan, clip: Clip, span: Span, pointing: Pointing
) -> ShotKey:
    locations: dict[int, Location] = {}
    for index in sorted(pointing.masks):
        if index not in span:
            continue
        mask = pointing.mask(index, clip.size)
        if not mask.any():
            continue
        image = exact_image(clip, index)
        outcome = editor.locate([image], plan, [RegionHint(mask=mask)])[0]
        if isinstance(outcome, InsituError):
            raise outcome
        locations[index] = _on_grid(outcome)
    if not locations:
        raise TargetNotFound(
            f"no mask in the folder is of a frame from {span.start} to {span.stop - 1}",
            hint="The last number in a mask's name is its frame's, counted from 0.",
        )
    key = max(locations, key=lambda index: _area(locations[index]))
    return ShotKey(
        span=span,
        index=key,
        image=exact_image(clip, key),
        location=locations.pop(key),
        given=locations,
    )


def _best(editor: LocalEditor, plan: EditPlan, clip: Clip, span: Span) -> ShotKey:
    """Look for the phrase on a few frames, and take the one that shows the thing best."""
    best = best_key(clip, span, lambda images: editor.locate(images, plan))
    # decided again on the exact samples, which searching may differ from by a grey level
    return _at(editor, plan, clip, span, best.index, None)


def exact_image(clip: Clip, index: int) -> Image:
    """Return a frame of the clip's own decoded samples, float32 in [0, 1]."""
    return as_float(next(iter(clip.planes(index, index + 1))).rgb)


def _on_grid(location: Location) -> Location:
    regions = tuple(
        Region(
            alpha=on_8_bit_grid(region.alpha),
            confidence=region.confidence,
            evidence=region.evidence,
        )
        for region in location.regions
    )
    return Location(regions=regions, candidates=location.candidates)


def _area(location: Location) -> int:
    return sum(int(np.count_nonzero(support(region.alpha))) for region in location.regions)
