"""Where a plan applies in each view of a capture: by phrase, by the user's masks, or in one view.

Regions are found once, on the original pictures. A view in which the target is not seen has no
region (None) and keeps its pixels; too few views with one is an error before any training.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool

from image_core.applying import value_of
from image_core.errors import AmbiguousTarget, InsituError, InvalidInput, TargetNotFound
from image_core.local_editor import LocalEditor
from image_core.types import EditPlan, Image, Location, Mask, RegionHint, no_progress
from nerf.mask_folder import find_by_masks
from nerf.seeded_cut import refine_from_seed

__all__ = [
    "Agreement",
    "ViewRegions",
    "agreement",
    "find_by_masks",
    "find_by_phrase",
    "find_in_one_view",
    "iou",
    "refine_from_seed",
]

logger = logging.getLogger("insitu.nerf")

ViewRegions = tuple[Mask, ...] | None
"""One alpha per step of the plan, on the 8-bit grid; None where the target is not seen."""

_Hard = Bool[np.ndarray, "_ _"]
_MOSTLY = 0.8  # of the misses: then the phrase is ambiguous, and not its thing missing
_HOW_TO_POINT = (
    "Point at it in one view, --pipeline.box X0 Y0 X1 Y1 --pipeline.box-view NAME, or give a mask "
    "for each view, --pipeline.mask-dir DIR, or use a grounder with weights (see `insitu doctor`)."
)


@dataclass(kw_only=True)
class _Misses:
    """Why views have no region."""

    not_found: list[tuple[str, TargetNotFound]] = field(default_factory=list)
    ambiguous: list[tuple[str, AmbiguousTarget]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.not_found) + len(self.ambiguous)

    def add(self, name: str, error: InsituError) -> None:
        """Count a miss; raise what is none."""
        if isinstance(error, TargetNotFound):
            self.not_found.append((name, error))
        elif isinstance(error, AmbiguousTarget):
            self.ambiguous.append((name, error))
        else:
            raise type(error)(f"view {name}: {error}", hint=error.hint) from error


def find_by_phrase(
    editor: LocalEditor,
    plan: EditPlan,
    images: Sequence[Image],
    names: Sequence[str],
    *,
    min_share: float,
    batch: int = 8,
    progress: Callable[[str, float], None] = no_progress,
) -> list[Location | None]:
    """Find each step's region in each original view by the plan's own words.

    Args:
        editor: Grounds and segments.
        plan: What is to be edited.
        images: The original views.
        names: One per view, for messages.
        min_share: Least share of the views, in [0, 1], in which the target must be found; one
            view at least.
        batch: Views located at a time.
        progress: Told "locate" and the done share.

    Returns:
        One location per view; None where the target is not seen or several things answer to it.

    Raises:
        InvalidInput: No view, a bad share or batch, or a picture that cannot be used.
        TargetNotFound: Found in too few views.
        AmbiguousTarget: Found in too few views, mostly because several things answer to it.
    """
    if not images or len(images) != len(names):
        raise InvalidInput(f"{len(images)} views with {len(names)} names cannot be searched")
    if not 0 <= min_share <= 1 or batch < 1:
        raise InvalidInput(
            f"a share of {min_share:g} or a batch of {batch} is out of range",
            hint="The least share of views lies between 0 and 1, a batch is 1 or more.",
        )
    misses = _Misses()
    locations: list[Location | None] = []
    for start in range(0, len(images), batch):
        progress("locate", start / len(images))
        outcomes = editor.locate(images[start : start + batch], plan)
        for name, outcome in zip(names[start : start + batch], outcomes, strict=True):
            if isinstance(outcome, InsituError):
                misses.add(name, outcome)
            locations.append(None if isinstance(outcome, InsituError) else outcome)
    progress("locate", 1.0)
    found = len(images) - len(misses)
    logger.info(
        "found in %d of %d views, ambiguous in %d", found, len(images), len(misses.ambiguous)
    )
    if found < max(1, math.ceil(min_share * len(images) - 1e-9)):
        raise _too_few(plan, misses, found, len(images), min_share)
    return locations


def find_in_one_view(
    editor: LocalEditor, plan: EditPlan, image: Image, hint: RegionHint
) -> Location:
    """Find each step's region in one view from the user's box, points or mask there.

    Raises:
        InvalidInput: The hint does not fit the view.
        TargetNotFound: Nothing can be cut out there.
    """
    return value_of(editor.locate([image], plan, [hint])[0])


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How far the regions found in single views agree with one region seen from all of them.

    Attributes:
        mean_iou: Mean intersection over union, over the views; a view without a region counts as an
            empty one.
        areas: Of each view's own region, as a share of the view.
        fused_areas: Of the one region in each view.
    """

    mean_iou: float
    areas: tuple[float, ...]
    fused_areas: tuple[float, ...]


def iou(first: Mask | _Hard, second: Mask | _Hard) -> float:
    """Return the intersection over union of two regions, each where its alpha is above 0.5.

    Two empty regions agree: 1.
    """
    a, b = first > 0.5, second > 0.5
    either = int(np.count_nonzero(a | b))
    return int(np.count_nonzero(a & b)) / either if either else 1.0


def agreement(regions: Sequence[Mask | None], fused: Sequence[Mask]) -> Agreement:
    """Compare the regions found in single views with one region rendered in each.

    Raises:
        InvalidInput: There are none, or not as many of each.
    """
    if not fused or len(regions) != len(fused):
        raise InvalidInput(f"{len(regions)} regions cannot be compared with {len(fused)}")
    own = [
        np.zeros_like(one) if region is None else region
        for region, one in zip(regions, fused, strict=True)
    ]
    return Agreement(
        mean_iou=float(np.mean([iou(a, b) for a, b in zip(own, fused, strict=True)])),
        areas=tuple(float(np.mean(region > 0.5)) for region in own),
        fused_areas=tuple(float(np.mean(region > 0.5)) for region in fused),
    )


def _too_few(
    plan: EditPlan, misses: _Misses, found: int, views: int, min_share: float
) -> InsituError:
    phrases = dict.fromkeys(step.target.phrase for step in plan.steps if step.target.phrase)
    what = " and ".join(repr(phrase) for phrase in phrases) or repr(plan.instruction)
    needed = max(1, math.ceil(min_share * views - 1e-9))
    count = f"{what} was found in {found or 'none'} of the {views} views, {needed} are needed"
    if len(misses.ambiguous) >= _MOSTLY * len(misses):
        name, ambiguous = misses.ambiguous[0]
        return AmbiguousTarget(
            f"{count}: in {len(misses.ambiguous)} several things answer to it ({name}: "
            f"{ambiguous})",
            hint=f'Say which ("the left one", "the biggest", "all the …"). {_HOW_TO_POINT}',
            candidates=ambiguous.candidates,
        )
    name, missing = misses.not_found[0]
    also = f", ambiguous in {len(misses.ambiguous)}" if misses.ambiguous else ""
    return TargetNotFound(f"{count}{also} ({name}: {missing})", hint=_HOW_TO_POINT)
