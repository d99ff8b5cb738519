"""Graph cuts between inside and outside colours, made repeatable.

C. Rother, V. Kolmogorov, A. Blake, "GrabCut", SIGGRAPH 2004, as OpenCV has it.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

OUTSIDE, INSIDE = cv2.GC_BGD, cv2.GC_FGD
MAYBE_OUTSIDE, MAYBE_INSIDE = cv2.GC_PR_BGD, cv2.GC_PR_FGD
_LEAST_SAMPLES = 6  # OpenCV fits five Gaussians a side and fails on fewer samples


def grab_cut(
    picture: UInt8[np.ndarray, "h w 3"], labels: UInt8[np.ndarray, "h w"], *, rounds: int = 5
) -> Bool[np.ndarray, "h w"] | None:
    """Cut a picture given four labels a pixel; return what is inside.

    The random start of the colour models is seeded, so that the same input gives the same cut.

    Args:
        picture: Three channels of any one kind.
        labels: ``OUTSIDE``, ``INSIDE`` (fixed), ``MAYBE_OUTSIDE``, ``MAYBE_INSIDE`` (a guess).
        rounds: How often colour models and cut are renewed.

    Returns:
        None where one side has too few samples for a colour model.
    """
    inside = (labels == INSIDE) | (labels == MAYBE_INSIDE)
    count = int(np.count_nonzero(inside))
    if count < _LEAST_SAMPLES or labels.size - count < _LEAST_SAMPLES:
        return None
    work = labels.copy()
    background, foreground = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)
    cv2.grabCut(
        np.ascontiguousarray(picture),
        work,
        (0, 0, 1, 1),  # a rectangle, which this mode does not read
        background,
        foreground,
        rounds,
        cv2.GC_INIT_WITH_MASK,
    )
    return np.asarray((work == INSIDE) | (work == MAYBE_INSIDE))


def without_specks(
    mask: Bool[np.ndarray, "h w"], *, speck: float = 0.02, hole: float = 0.01
) -> Bool[np.ndarray, "h w"]:
    """Drop parts below ``speck`` of the largest one's area and fill holes below ``hole``."""
    kept = mask
    for share, value in ((speck, True), (hole, False)):
        count, labels, stats, _ = cv2.connectedComponentsWithStats(
            (kept == value).astype(np.uint8), connectivity=8 if value else 4
        )
        areas = stats[1:, cv2.CC_STAT_AREA]
        if count < 2:
            continue
        largest = int(areas.max()) if value else int(np.count_nonzero(kept))
        small = np.flatnonzero(areas < share * largest) + 1
        kept = np.where(np.isin(labels, small), not value, kept)
    return np.asarray(kept, dtype=bool)
