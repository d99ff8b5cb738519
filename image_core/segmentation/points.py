"""Growing a region from points inside it, held back by points outside.

A point does not say how much of a thing is meant. So many regions that hold the points are listed,
each is judged by what can be measured, and one is trusted only as far as it is clear by itself and
beside its rivals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice, product

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from image_core.compositing import bounding_box
from image_core.segmentation.boxes import resized_mask, with_context
from image_core.segmentation.cut import (
    INSIDE,
    MAYBE_INSIDE,
    MAYBE_OUTSIDE,
    OUTSIDE,
    grab_cut,
    without_specks,
)
from image_core.segmentation.edges import dilated, eroded
from image_core.segmentation.merge_tree import MergeTree
from image_core.segmentation.point_regions import (
    BoolMap,
    PointView,
    alike_regions,
    measured_view,
    nested_regions,
    pixel_of,
    tree_of,
)
from image_core.types import Point

_CUT_SIDE = 144
_MOST = 7  # regions cut, the dear step
_MOST_OF_EACH = 3
_MOST_JOINED = 27
_LARGEST = 0.65
_APART = 0.6  # regions that overlap less are rivals
_SAME_TONE = 0.06  # between medians without shading
_SEAM = 0.03  # of the longer side
_FEW = 4  # with more points, each alone would take too long to look at
_NEVER_SURE = 0.9  # a point alone never tells how much of a thing is meant


@dataclass(frozen=True, kw_only=True)
class _Candidate:
    """A region and how clear it is by itself, in [0, 1]."""

    region: BoolMap
    clear: float
    lasts: float
    agreed: float

    @property
    def rank(self) -> float:
        """Clearness; of what is equally clear the larger is meant."""
        return float(self.clear * np.count_nonzero(self.region) ** 0.25)


def grown_from_points(
    picture: UInt8[np.ndarray, "h w 3"], inside: Sequence[Point], outside: Sequence[Point]
) -> tuple[Bool[np.ndarray, "h w"], float] | None:
    """Find the thing that the points lie on.

    Regions come from merge trees over colours, with and without their shading, and from the
    points' own colour. The clearest few are cut to their edges and judged again.

    Args:
        picture: A small picture.
        inside: At least one point, in its pixels.
        outside: Points that must not belong.

    Returns:
        The region, which holds all points inside and none outside, and how far it can be trusted,
        in [0, 1]. None when there is none.
    """
    if not inside or min(picture.shape[:2]) < 4:
        return None
    view = measured_view(picture)
    if view.parts.count < 4 or not view.parts.edges.size:
        return None
    trees = tree_of(view, view.lab), tree_of(view, view.shadeless)
    listed = _candidates(view, trees, inside, outside)
    if 1 < len(inside) <= _FEW:
        listed += _joined(view, trees, inside, outside)
    cut = [
        settled
        for candidate in _clearest(listed)
        if (settled := _settled(view, candidate, inside, outside)) is not None
    ]
    if not cut:
        return None
    best = max(cut, key=_rank)
    rivals = [c.rank for c in cut if _is_rival(view, c, best)]
    share = max(rivals, default=0.0) / max(best.rank, 1e-9)
    # each further point says more about how much is meant
    alone = _soft(share, 1.0, 0.6, 0.4) ** (1 / len(inside))
    return best.region, _NEVER_SURE * best.clear * alone


def _rank(candidate: _Candidate) -> float:
    return candidate.rank


def _is_rival(view: PointView, other: _Candidate, best: _Candidate) -> bool:
    """Tell whether another region could as well be meant.

    A part of the best one in its colour is none where the whole is about as clear as the part.
    """
    if _overlap(other.region, best.region) >= _APART:
        return False
    beyond = np.count_nonzero(other.region & ~best.region)
    if best.clear < 0.9 * other.clear or beyond > 0.1 * np.count_nonzero(other.region):
        return True
    rest = best.region & ~other.region
    tones = [np.median(view.shadeless[mask], axis=0)[1:] for mask in (other.region, rest)]
    return float(np.linalg.norm(tones[0] - tones[1])) > _SAME_TONE


def _joined(
    view: PointView,
    trees: Sequence[MergeTree],
    inside: Sequence[Point],
    outside: Sequence[Point],
) -> list[_Candidate]:
    """Return what the points alone would mean, joined: a thing of several colours, a point on each.

    Where one of these has all points on it or at its edge (in a seam, on a fold), that one as well.
    """
    each: list[list[_Candidate]] = []
    for point in inside:
        if any(max(own, key=_rank).region[pixel_of(point, view.rgb.shape)] for own in each if own):
            continue
        listed = _clearest(_candidates(view, trees, [point], outside))[:_MOST_OF_EACH]
        cut = [_settled(view, candidate, [point], outside) for candidate in listed]
        own = [candidate for candidate in cut if candidate is not None]
        each.append(own)
    near = round(_SEAM * max(view.lab.shape))
    seams = np.zeros(view.lab.shape[:2], dtype=np.uint8)
    for point in inside:
        cv2.circle(seams, pixel_of(point, seams.shape)[::-1], near, (1,), -1)
    found = []
    for candidate in [max(own, key=_rank) for own in each if own]:
        grown = dilated(candidate.region, near)
        if all(grown[pixel_of(point, grown.shape)] for point in inside):
            found.append(replace(candidate, region=candidate.region | (seams > 0)))
    for chosen in islice(product(*each), _MOST_JOINED):
        region = np.logical_or.reduce([candidate.region for candidate in chosen])
        lasts = min(candidate.lasts for candidate in chosen)
        agreed = min(candidate.agreed for candidate in chosen)
        clear = _clearness(view, region) * _steadiness(lasts, agreed)
        found.append(_Candidate(region=region, clear=clear, lasts=lasts, agreed=agreed))
    return found


def _candidates(
    view: PointView,
    trees: Sequence[MergeTree],
    inside: Sequence[Point],
    outside: Sequence[Point],
) -> list[_Candidate]:
    families = [
        *[nested_regions(view, tree, inside, outside) for tree in trees],
        alike_regions(view, inside, outside),
    ]
    found = []
    for k, family in enumerate(families):
        others = [[region for region, _ in other] for j, other in enumerate(families) if j != k]
        for region, lasts in family:
            tidy = without_specks(region, hole=0.03)
            if not 0 < tidy.mean() < _LARGEST:
                continue
            agreed = float(
                np.mean([max((_overlap(tidy, o) for o in other), default=0.0) for other in others])
            )
            clear = _clearness(view, tidy) * _steadiness(lasts, agreed)
            found.append(_Candidate(region=tidy, clear=clear, lasts=lasts, agreed=agreed))
    return found


def _clearest(candidates: Sequence[_Candidate]) -> list[_Candidate]:
    """Return the clearest candidates that are not nearly the same."""
    chosen: list[_Candidate] = []
    for candidate in sorted(candidates, key=lambda candidate: -candidate.rank):
        if candidate.clear < 0.05 or len(chosen) >= _MOST:
            break
        if all(_overlap(candidate.region, other.region) < 0.8 for other in chosen):
            chosen.append(candidate)
    return chosen


def _settled(
    view: PointView, candidate: _Candidate, inside: Sequence[Point], outside: Sequence[Point]
) -> _Candidate | None:
    """Cut a candidate to its edge and judge what comes out."""
    cut = _cut(view, candidate.region, inside, outside)
    if cut is None or any(cut[pixel_of(point, cut.shape)] for point in outside):
        return None
    cut = _holding(cut, inside)
    if not all(cut[pixel_of(point, cut.shape)] for point in inside):
        return None
    clear = _clearness(view, cut) * _steadiness(candidate.lasts, candidate.agreed)
    clear *= _soft(_overlap(cut, candidate.region), 0.5, 0.9, 0.3)
    return _Candidate(region=cut, clear=clear, lasts=candidate.lasts, agreed=candidate.agreed)


def _clearness(view: PointView, region: BoolMap) -> float:
    """Judge a region: its outline on colour steps, other colours around it, a thing's shape."""
    size = float(np.sqrt(np.count_nonzero(region)))
    core = eroded(region, 1)
    line = region & ~core
    away = cv2.distanceTransform((~region).astype(np.uint8), cv2.DIST_L2, 3)
    around = (away > 1.5) & (away < 2.5 + max(2.0, 0.12 * size))
    if not line.any() or not around.any() or np.count_nonzero(core) < 6:
        return 0.0
    among, beyond = (
        np.bincount(view.bins[mask], minlength=20**3) / np.count_nonzero(mask)
        for mask in (core, around)
    )
    steps = np.clip((view.steps[line] - 0.03) / 0.07, 0, 1)
    rim = np.concatenate([region[0], region[-1], region[1:-1, 0], region[1:-1, -1]])
    return (
        _soft(float((steps * steps * (3 - 2 * steps)).mean()), 0.3, 0.85)
        * _soft(1 - float(np.sqrt(among * beyond).sum()), 0.2, 1.0)
        * _soft(float(rim.mean()), 0.35, 0.12)
        * _soft(size, 5, 12)
        * _soft(float(region.mean()), 0.6, 0.35)
        * _soft(_solidity(region, line), 0.35, 0.75, 0.3)
    )


def _steadiness(lasts: float, agreed: float) -> float:
    return _soft(lasts, 0, 0.35, 0.6) * _soft(agreed, 0.3, 0.85, 0.9)


def _cut(
    view: PointView, region: BoolMap, inside: Sequence[Point], outside: Sequence[Point]
) -> BoolMap | None:
    """Move a region's outline onto the picture's edges, by a tenth of its size at most."""
    bounds = bounding_box(region)
    if bounds is None:
        return None
    left, top, right, bottom = with_context(bounds, 0.25, *region.shape)
    near = region[top:bottom, left:right]
    band = max(2, round(0.1 * float(np.sqrt(np.count_nonzero(region)))))
    labels = np.where(near, MAYBE_INSIDE, MAYBE_OUTSIDE).astype(np.uint8)
    labels[eroded(near, band)] = INSIDE
    labels[~dilated(near, band)] = OUTSIDE
    for points, label in ((inside, INSIDE), (outside, OUTSIDE)):
        for point in points:
            cv2.circle(labels, (int(point[0]) - left, int(point[1]) - top), 2, (label,), -1)
    height, width = labels.shape
    scale = min(1.0, _CUT_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(view.rgb[top:bottom, left:right], size, interpolation=cv2.INTER_AREA)
    few = cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST)
    cut = grab_cut(np.asarray(small, np.uint8), np.asarray(few, np.uint8), rounds=2)
    if cut is None or not cut.any():
        return None
    found = np.zeros(region.shape, dtype=bool)
    found[top:bottom, left:right] = resized_mask(without_specks(cut), height, width)
    return found


def _holding(mask: BoolMap, points: Sequence[Point]) -> BoolMap:
    """Keep only the parts of a mask on which one of the points lies."""
    _, labels = cv2.connectedComponents(mask.astype(np.uint8))
    held = {int(labels[pixel_of(point, mask.shape)]) for point in points} - {0}
    return np.asarray(np.isin(labels, sorted(held)))


def _overlap(first: BoolMap, second: BoolMap) -> float:
    union = np.count_nonzero(first | second)
    return float(np.count_nonzero(first & second) / union) if union else 0.0


def _solidity(region: BoolMap, line: BoolMap) -> float:
    hull = np.zeros(region.shape, dtype=np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(cv2.findNonZero(line.astype(np.uint8))), (1,))
    return float(np.count_nonzero(region) / max(1, np.count_nonzero(hull)))


def _soft(value: float, low: float, high: float, floor: float = 0.0) -> float:
    """Map a measurement to a factor: ``floor`` at ``low``, 1 at ``high``."""
    t = min(1.0, max(0.0, (value - low) / (high - low)))
    return floor + (1 - floor) * t * t * (3 - 2 * t)
