"""A view's region from evidence of another source: lifted from a view, or rendered from 3-D.

Such evidence is right about where the thing is, and some pixels off about its outline, which the
picture itself shows better: the outline is cut anew on the picture's own edges.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float

from image_core.compositing import bounding_box, grown_box, on_8_bit_grid
from image_core.errors import InvalidInput
from image_core.segmentation.boxes import in_bytes, with_context
from image_core.segmentation.cut import (
    INSIDE,
    MAYBE_INSIDE,
    MAYBE_OUTSIDE,
    OUTSIDE,
    grab_cut,
    without_specks,
)
from image_core.segmentation.edges import dilated, edge_alpha, eroded, touching
from image_core.types import Image, Region

LEAST_SHARE = 0.0005
"""Of the picture; less evidence than this makes no region."""

LEAST_PIXELS = 12

_CONTEXT = 0.5  # of the thing's sides: what colours lie around it
_UNSEEN = 6.0  # of the size of what is seen: how far from it the unknown may belong to it
_REACH = 0.25  # of its size: how far from what is surely inside the unknown is first taken as it
_SLIVER = 0.005  # of the picture: so little, unless the picture completes it, is a mere rim
_GROWN = 2.0  # times what was seen: then the picture has completed it
_BAND = 1 / 14  # of its size: how far the outline may move
_WIDEST_BAND = 6
_LEAST_OVERLAP = 0.6  # of the cut and the evidence, where there is any: below, the cut has failed


def refine_from_seed(
    image: Image,
    inside: Bool[np.ndarray, "h w"],
    outside: Bool[np.ndarray, "h w"],
    *,
    evidence: str = "carried from another view, cut on this view's own edges",
) -> Region | None:
    """Cut a region on a picture's own edges, from what is known to be inside and outside.

    Args:
        image: The view.
        inside: Pixels that belong to it, up to some pixels at its outline.
        outside: Pixels that do not; what is neither is decided by the picture.
        evidence: Of the region.

    Returns:
        The region, its alpha on the 8-bit grid; None where too little of it is seen.

    Raises:
        InvalidInput: The maps are of another size than the picture, or contradict each other.
    """
    if not inside.shape == outside.shape == image.shape[:2]:
        raise InvalidInput("what is inside and outside is of another size than the view")
    if (inside & outside).any():
        raise InvalidInput("a pixel cannot be both inside and outside")
    bounds = bounding_box(inside)
    if bounds is None or np.count_nonzero(inside) < max(LEAST_PIXELS, LEAST_SHARE * inside.size):
        return None
    size = float(np.count_nonzero(inside)) ** 0.5
    window = _window(bounds, inside | outside, size)
    picture = np.clip(np.nan_to_num(image[window]), 0, 1)
    rough = _nearer_inside(inside[window], outside[window], _REACH * size)
    band = int(np.clip(round(_BAND * size), 1, _WIDEST_BAND))
    cut = _cut(picture, rough, inside[window], outside[window], band)
    known = inside[window] | outside[window]
    told, taken = inside[window], cut & known
    overlap = np.count_nonzero(taken & told) / np.count_nonzero(taken | told)
    if overlap < _LEAST_OVERLAP or _edge(picture, cut) <= _edge(picture, rough):
        cut = rough
    little = np.count_nonzero(inside) < _SLIVER * inside.size
    if little and _is_rim(cut, inside[window], outside[window]):
        return None
    alpha = np.zeros(inside.shape, np.float32)
    # the guided filter's windows and the alpha's reach fit a thing of this size
    alpha[window] = edge_alpha(picture, cut, radius=max(2, band), reach=min(3, band + 1))
    return Region(alpha=on_8_bit_grid(alpha), confidence=overlap, evidence=evidence)


def _is_rim(
    cut: Bool[np.ndarray, "h w"], inside: Bool[np.ndarray, "h w"], outside: Bool[np.ndarray, "h w"]
) -> bool:
    """Tell whether a cut stayed about as small as the evidence, with the unknown beside it."""
    ring = dilated(inside, 2) & ~inside
    unknown = np.count_nonzero(ring & ~outside) > 0.4 * np.count_nonzero(ring)
    return unknown and np.count_nonzero(cut) < _GROWN * np.count_nonzero(inside)


def _window(
    bounds: tuple[int, int, int, int], known: Bool[np.ndarray, "h w"], size: float
) -> tuple[slice, slice]:
    """Return rows and columns around what is seen, and around what of it may be unseen."""
    x0, y0, x1, y1 = bounds
    near = np.zeros_like(known)
    left, top, right, bottom = grown_box(bounds, round(_UNSEEN * size), *known.shape)
    near[top:bottom, left:right] = True
    unseen = bounding_box(near & ~known)
    if unseen is not None:
        x0, y0 = min(x0, unseen[0]), min(y0, unseen[1])
        x1, y1 = max(x1, unseen[2]), max(y1, unseen[3])
    left, top, right, bottom = with_context((x0, y0, x1, y1), _CONTEXT, *known.shape)
    return slice(top, bottom), slice(left, right)


def _nearer_inside(
    inside: Bool[np.ndarray, "h w"], outside: Bool[np.ndarray, "h w"], reach: float
) -> Bool[np.ndarray, "h w"]:
    """Add to the inside what is unknown, close to it and closer to it than to the outside."""
    to_inside = distance_to(inside)
    near = (to_inside <= reach) & (to_inside < distance_to(outside))
    return np.asarray(inside | (near & ~outside))


def distance_to(mask: Bool[np.ndarray, "h w"]) -> Float[np.ndarray, "h w"]:
    """Return each pixel's distance to a mask, in pixels; infinite where there is none."""
    if not mask.any():
        return np.full(mask.shape, np.inf)
    return np.asarray(cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5))


def _edge(picture: Image, mask: Bool[np.ndarray, "h w"]) -> float:
    """Return how strongly the colours change along a region's outline, on average."""
    block = np.ones((3, 3), np.uint8)
    change = cv2.morphologyEx(picture, cv2.MORPH_GRADIENT, block).max(axis=-1)
    # the picture's own border is no outline
    outline = mask & ~eroded(mask, 1)
    return float(change[outline].mean()) if outline.any() else 0.0


def _cut(
    picture: Image,
    rough: Bool[np.ndarray, "h w"],
    inside: Bool[np.ndarray, "h w"],
    outside: Bool[np.ndarray, "h w"],
    band: int,
) -> Bool[np.ndarray, "h w"]:
    """Move the outline by at most ``band`` pixels where it is known, freely where it is not."""
    far = max(4.0 * band, _UNSEEN * float(np.count_nonzero(inside)) ** 0.5)
    labels = np.where(rough, MAYBE_INSIDE, MAYBE_OUTSIDE).astype(np.uint8)
    labels[eroded(rough, band) & inside] = INSIDE
    labels[~dilated(rough, band) & (outside | (distance_to(inside) > far))] = OUTSIDE
    cut = grab_cut(in_bytes(picture), labels, rounds=5)
    if cut is None or not (cut & inside).any():
        return rough
    return without_specks(touching(cut, inside))
