"""Choosing among detections by the words that say which: where, how big, the how-manieth.

Pure functions over detections, shared by every grounder. A chooser changes scores, never boxes:
what the words rule out keeps its place in the list with a lower score, so that a caller can show
it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from image_core.types import Detection, Place, Target

_RULED_OUT = 0.25  # what remains of the score of a detection that the words do not mean
_CANDIDATE = 0.3  # a score below this is no candidate that an ordinal would count
_SPECK = 0.04  # nor is one below this share of the largest one's area
_TELLABLE = 0.08  # centres nearer than this share of the picture lie at the same place
_EQUAL = 0.9  # areas within this ratio are equally big


def has_choosing_words(target: Target) -> bool:
    """Tell whether the target says where, how big or the how-manieth."""
    return bool(target.places or target.size or target.ordinal)


def resolve(
    detections: Sequence[Detection],
    target: Target,
    height: int,
    width: int,
    *,
    same_kind: bool = True,
) -> list[Detection]:
    """Weigh detections by the target's size, place and ordinal words; best first.

    Places are meant relative to the other candidates ("the left chair" of two on the right) but
    never against the picture (a single chair far right is not "the chair on the left"). An ordinal
    beside a place is read both ways: the k-th of those at the place, and the k-th of all if that
    one lies there.

    Args:
        detections: Candidates; those without a box are left as they are.
        target: The parsed phrase, of which size, places and ordinal are read.
        height: Of the picture.
        width: Of the picture.
        same_kind: All candidates answer to the noun, so their places compare; otherwise a place is
            judged by the picture alone.

    Returns:
        The same detections with scores multiplied by factors in [0, 1], sorted by score (stable).
    """
    boxed = [k for k, detection in enumerate(detections) if detection.box is not None]
    counted = _candidates(detections, boxed, small=target.size in ("small", "smallest"))
    factors = [1.0] * len(detections)
    if counted and has_choosing_words(target):
        for k in boxed:
            factors[k] = 1.0 if k in counted else _RULED_OUT
        centres = {k: _centre(detections[k], height, width) for k in counted}
        placed = {k: _place_factor(k, centres, target.places, same_kind) for k in counted}
        sized = _size_factors({k: _area(detections[k]) for k in counted}, target)
        ordered = _ordinal_factors(centres, placed, target)
        for k in counted:
            factors[k] = placed[k] * sized[k] * ordered[k]
    weighed = [
        replace(detection, score=float(detection.score * factor))
        for detection, factor in zip(detections, factors, strict=True)
    ]
    return sorted(weighed, key=lambda detection: -detection.score)


def place_share(centre: tuple[float, float], place: Place) -> float:
    """Return how far a centre (x, y in [0, 1]) lies at a place: 1 at its border, 0 opposite."""
    x, y = centre
    if place == "middle":
        return max(0.0, 1 - 2 * max(abs(x - 0.5), abs(y - 0.5)))
    return {"left": 1 - x, "right": x, "top": 1 - y, "bottom": y}[place]


def _centre(detection: Detection, height: int, width: int) -> tuple[float, float]:
    assert detection.box is not None
    x0, y0, x1, y1 = detection.box
    return (x0 + x1) / 2 / max(width, 1), (y0 + y1) / 2 / max(height, 1)


def _area(detection: Detection) -> float:
    if detection.mask is not None:
        return float(detection.mask.sum())
    assert detection.box is not None
    x0, y0, x1, y1 = detection.box
    return max(0.0, x1 - x0) * max(0.0, y1 - y0)


def _candidates(detections: Sequence[Detection], boxed: Sequence[int], *, small: bool) -> list[int]:
    scored = [k for k in boxed if detections[k].score >= _CANDIDATE]
    largest = max((_area(detections[k]) for k in scored), default=0.0)
    return [k for k in scored if small or _area(detections[k]) >= _SPECK * largest]


def _ramp(value: float, low: float, high: float) -> float:
    return min(1.0, max(0.0, (value - low) / (high - low)))


def _place_factor(
    index: int, centres: dict[int, tuple[float, float]], places: Sequence[Place], same_kind: bool
) -> float:
    factor = 1.0
    for place in places:
        shares = {k: place_share(centre, place) for k, centre in centres.items()}
        low, high = min(shares.values()), max(shares.values())
        own = shares[index]
        if same_kind and high - low > _TELLABLE:
            # compared with its like; in the picture it need only not lie at the far side
            relative = _ramp((own - low) / (high - low), 0.4, 0.75)
            fits = relative * _ramp(own, 0.15, 0.4)
        else:
            fits = _ramp(own, 0.42, 0.56) if place != "middle" else _ramp(own, 0.3, 0.6)
        factor *= max(_RULED_OUT, fits) if fits < 1 else 1.0
    return factor


def _size_factors(areas: dict[int, float], target: Target) -> dict[int, float]:
    if target.size is None:
        return dict.fromkeys(areas, 1.0)
    big = target.size in ("big", "biggest")
    extreme = max(areas.values()) if big else min(areas.values())
    factors = {}
    for k, area in areas.items():
        ratio = area / extreme if big else extreme / area if area else 1.0
        if target.size in ("biggest", "smallest"):
            factors[k] = 1.0 if ratio >= _EQUAL else _RULED_OUT
        else:
            factors[k] = max(_RULED_OUT, _ramp(ratio, 0.4, 0.85))
    return factors


def _along(centre: tuple[float, float], side: Place) -> float:
    """Return the distance from the side that an ordinal counts from."""
    return 1 - place_share(centre, "left" if side == "middle" else side)


def _ordinal_factors(
    centres: dict[int, tuple[float, float]], placed: dict[int, float], target: Target
) -> dict[int, float]:
    if not target.ordinal:
        return dict.fromkeys(centres, 1.0)

    def counted(candidates: list[int]) -> list[int]:
        ranked = sorted(candidates, key=lambda k: (_along(centres[k], target.ordinal_from), k))
        return ranked[-1:] if target.ordinal < 0 else ranked[target.ordinal - 1 : target.ordinal]

    meant = counted(list(centres))
    if target.places:
        there = [k for k in centres if placed[k] > 0.5]
        meant = [k for k in meant if k in there] + counted(there)
    return {k: 1.0 if k in meant else _RULED_OUT for k in centres}
