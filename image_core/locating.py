"""From a phrase, or a box, mask or point in the user's hand, to the region in each image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from image_core.compositing import box_alpha, hole, on_8_bit_grid, union
from image_core.errors import AmbiguousTarget, InsituError, TargetNotFound
from image_core.region_hints import check_hint, region_of_hint
from image_core.seams import Grounder, Segmenter
from image_core.segmentation import grown_for_replacement, place_beside, with_supports
from image_core.types import (
    Detection,
    EditStep,
    Image,
    Location,
    Mask,
    Region,
    RegionHint,
    Target,
)

AMBIGUOUS_SHARE = 0.8
"""A second candidate with this share of the best one's score makes the phrase ambiguous."""

Found = tuple[Region, tuple[Detection, ...]]
"""A step's region in one image, and all that was considered."""

_HOW_TO_POINT = "Point at it: --box X0 Y0 X1 Y1, --mask FILE or --point X Y."


def locate_step(
    images: Sequence[Image],
    step: EditStep,
    hints: Sequence[RegionHint | None],
    *,
    grounder: Grounder,
    segmenter: Segmenter,
    min_confidence: float,
    anywhere: bool = False,
) -> list[Found | InsituError]:
    """Find the region of one step in each image; what is found by phrase is found in one batch.

    Args:
        images: The pictures, of any sizes.
        step: What is to be changed.
        hints: The user's own regions, one or None per image; then the phrase is not grounded.
        grounder: Finds what a phrase names.
        segmenter: Cuts it out.
        min_confidence: Regions found by phrase below this are refused.
        anywhere: The editor finds its own region, so a step that names nothing, or nothing that
            can be found, gets all of the picture.

    Returns:
        One outcome per image: its region and the candidates, or its error (``TargetNotFound``,
        ``AmbiguousTarget``, ``InvalidInput``).
    """
    outcomes: dict[int, Found | InsituError] = {}
    by_phrase = []
    for index, (image, hint) in enumerate(zip(images, hints, strict=True)):
        try:
            if hint is not None and hint.boxes and hint.mask is None and step.kind == "add":
                outcomes[index] = (_given_place(image, hint), ())
            elif hint is not None:
                outcomes[index] = (region_of_hint(image, hint, segmenter), ())
            elif step.whole_image or (anywhere and not step.target.phrase):
                whole = np.ones(image.shape[:2], np.float32)
                outcomes[index] = (Region(alpha=whole, evidence="the whole picture"), ())
            else:
                by_phrase.append(index)
        except InsituError as error:
            outcomes[index] = error
    found = _from_phrase(
        [images[index] for index in by_phrase], step, grounder, segmenter, min_confidence
    )
    for index, outcome in zip(by_phrase, found, strict=True):
        if anywhere and isinstance(outcome, TargetNotFound):
            whole = np.ones(images[index].shape[:2], np.float32)
            evidence = "not found by its name; the editor looks for it itself"
            outcome = Region(alpha=whole, confidence=0.0, evidence=evidence), ()
        outcomes[index] = outcome
    return [
        _finished(outcomes[index], step, image, hint)
        for index, (image, hint) in enumerate(zip(images, hints, strict=True))
    ]


def location_of(found: Sequence[Found | InsituError]) -> Location | InsituError:
    """Join one image's steps; the first error among them is the image's."""
    regions: list[Region] = []
    candidates: dict[int, Detection] = {}
    for outcome in found:
        if isinstance(outcome, InsituError):
            return outcome
        regions.append(outcome[0])
        candidates.update((id(candidate), candidate) for candidate in outcome[1])
    return Location(regions=tuple(regions), candidates=tuple(candidates.values()))


def _finished(
    outcome: Found | InsituError, step: EditStep, image: Image, hint: RegionHint | None
) -> Found | InsituError:
    """Give a region its final alpha, on the 8-bit grid.

    A removal takes a hard hole; a replacement gets room for another outline; an addition gets the
    place that lies to its host as the words say. A mask in the user's hand stays what it is.
    """
    if isinstance(outcome, InsituError):
        return outcome
    region, candidates = outcome
    alpha = region.alpha
    if step.kind == "remove" and hint is None:
        # a phrase's colour leaves out the legs that the thing stands on; they go with it
        alpha = np.maximum(alpha, with_supports(image, alpha > 0.5))
    given = hint is not None and hint.mask is not None
    if step.kind == "remove":
        alpha = hole(alpha, grow=not given)
    elif step.kind == "replace" and not given:
        alpha = np.maximum(alpha, _within(grown_for_replacement(alpha), hint))
    elif step.kind == "add" and not given and not step.whole_image and not (hint and hint.boxes):
        alpha = place_beside(alpha, step.relation)
    alpha = on_8_bit_grid(alpha)
    if not (alpha > 0).any():
        return TargetNotFound("the region is empty: there is nothing to change", hint=_HOW_TO_POINT)
    return replace(region, alpha=alpha), candidates


def _within(alpha: Mask, hint: RegionHint | None) -> Mask:
    """Keep what was grown inside the user's boxes."""
    if hint is None or not hint.boxes:
        return alpha
    height, width = alpha.shape
    return np.minimum(alpha, union([box_alpha(box, height, width, 0) for box in hint.boxes]))


def _given_place(image: Image, hint: RegionHint) -> Region:
    """Return the boxes themselves: for an addition they say where, and hold nothing to cut."""
    check_hint(hint, width=image.shape[1], height=image.shape[0])
    alpha = union([box_alpha(box, *image.shape[:2]) for box in hint.boxes])
    return Region(alpha=alpha, evidence="the given box as the place")


def _from_phrase(
    images: Sequence[Image],
    step: EditStep,
    grounder: Grounder,
    segmenter: Segmenter,
    min_confidence: float,
) -> list[Found | InsituError]:
    if not step.target.phrase:
        error = TargetNotFound(
            f"{step.instruction!r} does not name what to change", hint=_HOW_TO_POINT
        )
        return [error for _ in images]
    if not images:
        return []
    detections = grounder.ground(images, step)
    chosen = [_chosen(row, step.target, min_confidence) for row in detections]
    cut = segmenter.segment(images, [[] if isinstance(row, InsituError) else row for row in chosen])
    return [
        row if isinstance(row, InsituError) else _joined(row, regions, candidates, step.target)
        for row, regions, candidates in zip(chosen, cut, detections, strict=True)
    ]


def _chosen(
    detections: Sequence[Detection], target: Target, min_confidence: float
) -> list[Detection] | InsituError:
    """Choose among an image's detections what the phrase means, or say why none can be chosen."""
    sure = [found for found in detections if found.score >= min_confidence]
    if not sure:
        return TargetNotFound(
            f"{target.phrase!r} was not found in the picture{_best_guess(detections)}",
            hint=_HOW_TO_POINT,
        )
    if target.all:
        return sure
    rivals = [found for found in sure[1:] if found.score >= AMBIGUOUS_SHARE * sure[0].score]
    if rivals:
        return AmbiguousTarget(
            f"{target.phrase!r} could be any of {1 + len(rivals)} things",
            hint='Say which ("the left one", "the biggest", "all the …"), or point at it with '
            "--box; --candidates-out FILE draws them.",
            candidates=[sure[0], *rivals],
        )
    return sure[:1]


def _joined(
    chosen: Sequence[Detection],
    regions: Sequence[Region],
    candidates: Sequence[Detection],
    target: Target,
) -> Found | InsituError:
    """Join the regions of what was chosen, and turn them inside out where that is meant."""
    if not regions:
        return TargetNotFound(
            f"{target.phrase!r} seems to be there but could not be cut out", hint=_HOW_TO_POINT
        )
    alpha = union([region.alpha for region in regions])
    evidence = "; ".join(dict.fromkeys(found.evidence for found in chosen))
    if target.inverted:
        alpha, evidence = 1 - alpha, f"everything but: {evidence}"
    confidence = min(found.score for found in chosen)
    return Region(alpha=alpha, confidence=confidence, evidence=evidence), tuple(candidates)


def _best_guess(detections: Sequence[Detection]) -> str:
    if not detections:
        return ""
    best = detections[0]
    reason = f": {best.evidence}" if best.evidence else ""
    return f" surely enough (best guess {best.score:.2f}{reason})"
