"""Which segments are meant by a rough region: those that cover it and keep to it.

ZONE (Li et al., CVPR 2024) takes the one segment with the largest intersection over union with the
region read off the attention maps ("Region-IoU"). Here several may join, evidence is weighed, and
where none fits the rough region stays: a network's bad day must not end an edit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool

from image_core.compositing import support, union
from image_core.errors import InvalidInput
from image_core.segmentation.edges import touching
from image_core.types import Mask

Inside = Bool[np.ndarray, "h w"]

LEAST_SCORE = 0.2
"""Below this a segment is no better than the rough region: two of equal area that share less than
45 % of it score so."""

MOST_JOINED = 4
"""Segments that may be joined; a thing seldom falls into more parts."""

LEAST_AREA = 64
"""Smallest part that is kept, in pixels of a picture of ``_USUAL_AREA``; larger pictures, larger
parts."""

_USUAL_AREA = 512 * 512
_GAIN = 0.02  # a segment that raises the score by less is not worth its outline
_HALF = 0.5  # a pixel belongs to a segment from this alpha on


@dataclass(frozen=True, kw_only=True)
class RegionChoice:
    """The region that an edit will change, and why it is that one.

    Attributes:
        alpha: The region; empty only where the rough region is.
        score: Coverage times precision (intersection over union in the released code's rule), in
            [0, 1]; 0 where no segment was taken.
        chosen: Numbers of the segments that were taken, the best first; empty where the rough
            region stays.
        reason: Why, one sentence.
    """

    alpha: Mask
    score: float
    chosen: tuple[int, ...]
    reason: str

    @property
    def fell_back(self) -> bool:
        """Whether the rough region stays."""
        return not self.chosen


def chosen_region(
    segments: Sequence[Mask], rough: Mask, *, least_score: float = LEAST_SCORE
) -> RegionChoice:
    """Choose the segments that a rough region means, joining up to a few.

    Args:
        segments: Alphas of the rough map's size; which of them is best is not known yet.
        rough: The rough region; its values say how sure each pixel is, 0 lies outside.
        least_score: A choice that scores lower falls back to the rough region.

    Returns:
        The union of the chosen segments' alphas, small parts dropped; or the rough region with
        full weight.

    Raises:
        InvalidInput: A segment has another size than the rough region.
    """
    check_sizes(segments, rough)
    certain = support(rough)
    if not certain.any():
        return RegionChoice(
            alpha=np.zeros_like(rough), score=0.0, chosen=(), reason="the rough region is empty"
        )
    hard = [segment >= _HALF for segment in segments]
    taken, score = _joined(hard, rough)
    if not taken or score < least_score:
        found = f"the best scores {score:.2f}, under {least_score:g}" if taken else "none overlaps"
        reason = f"the rough region stays: of {len(segments)} segments {found}"
        return RegionChoice(
            alpha=without_small_parts(certain).astype(np.float32), score=0.0, chosen=(),
            reason=reason,
        )  # fmt: skip
    alpha = union([segments[number] for number in taken])
    # a small part goes with its soft rim
    large = touching(support(alpha), without_small_parts(alpha >= _HALF))
    alpha = np.where(large, alpha, np.float32(0))
    covers, keeps = coverage_and_precision(
        np.logical_or.reduce([hard[number] for number in taken]), rough
    )
    reason = (
        f"{len(taken)} of {len(segments)} segments cover {covers:.0%} of the rough region's "
        f"weight, and {keeps:.0%} of them lies in it"
    )
    return RegionChoice(alpha=alpha, score=score, chosen=taken, reason=reason)


def coverage_and_precision(segment: Inside, rough: Mask) -> tuple[float, float]:
    """Return how much of a rough region a segment covers, and how much of the segment lies in it.

    Args:
        segment: A hard segment.
        rough: The rough region.

    Returns:
        The share of the rough region's summed weight that the segment covers, and the share of the
        segment's area that lies in the rough region's support; both 0 for an empty segment.
    """
    total, area = float(rough.sum(dtype=np.float64)), int(np.count_nonzero(segment))
    if not area or not total:
        return 0.0, 0.0
    covered = float(rough[segment].sum(dtype=np.float64)) / total
    return covered, int(np.count_nonzero(rough[segment] > 0)) / area


def without_small_parts(inside: Inside, least: int | None = None) -> Inside:
    """Drop connected parts whose own area is small; the largest always stays.

    Args:
        inside: A region.
        least: Pixels; by default ``LEAST_AREA`` in proportion to the picture's area.
    """
    if least is None:
        least = max(1, round(LEAST_AREA * inside.size / _USUAL_AREA))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        inside.astype(np.uint8), connectivity=4
    )
    areas = stats[1:, cv2.CC_STAT_AREA]
    if count < 2:
        return inside
    large = (areas >= least) | (np.arange(count - 1) == int(areas.argmax()))
    return np.asarray(np.concatenate([[False], large])[labels])


def check_sizes(segments: Sequence[Mask], rough: Mask) -> None:
    """Refuse segments that do not lie on the rough region.

    Raises:
        InvalidInput: It says which.
    """
    for number, segment in enumerate(segments):
        if segment.shape != rough.shape:
            raise InvalidInput(
                f"segment {number} is {segment.shape[1]}x{segment.shape[0]}, the rough region "
                f"{rough.shape[1]}x{rough.shape[0]}",
                hint="Segments are alphas of the picture that the rough region was read for.",
            )


def _joined(hard: Sequence[Inside], rough: Mask) -> tuple[tuple[int, ...], float]:
    """Join segments greedily, always the one that raises coverage times precision most."""
    taken: tuple[int, ...] = ()
    together = np.zeros(rough.shape, dtype=bool)
    best = 0.0
    while len(taken) < min(MOST_JOINED, len(hard)):
        scores = [
            0.0 if number in taken else _score(together | segment, rough)
            for number, segment in enumerate(hard)
        ]
        number = int(np.argmax(scores))
        # the first needs only overlap; a further one must be worth it
        if scores[number] <= best + (_GAIN if taken else 0.0):
            break
        taken, best = (*taken, number), scores[number]
        together = together | hard[number]
    return taken, best


def _score(segment: Inside, rough: Mask) -> float:
    covered, precision = coverage_and_precision(segment, rough)
    return covered * precision
