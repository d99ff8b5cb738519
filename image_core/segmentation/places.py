"""Regions that are larger than the thing named: room for a replacement, a place for an addition."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool

from image_core.compositing import bounding_box, feather_inwards, support
from image_core.distances import distance_within
from image_core.types import Mask

_GROW = 0.08  # of the region's size: what replaces a thing seldom has its very outline
_LEAST = 16  # pixels along a side; a place smaller than this shows nothing
_FEATHER = 4
_SMALL_HOLE = 0.05  # of the region's area


def grown_for_replacement(alpha: Mask, grow: float = _GROW) -> Mask:
    """Grow a thing's region, so that what comes in its place may have another outline.

    Small holes, such as an emblem on a suit, go with the thing.

    Args:
        alpha: The thing's region.
        grow: Radius as a share of the region's size (the root of its box's area).
    """
    inside = support(alpha)
    box = bounding_box(inside)
    if box is None:
        return alpha
    radius = max(2, round(grow * _size(box)))
    inside = _without_small_holes(inside)
    wider = _within(inside, radius).astype(np.float32)
    # the feather lies in what was grown, or the thing would shine through at its own rim
    return np.maximum(feather_inwards(wider, min(_FEATHER, radius)), inside.astype(np.float32))


def _without_small_holes(inside: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """Fill what the region encloses and what is small against it."""
    outside = np.pad(~inside, 1, constant_values=True).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(outside, connectivity=4)
    small = stats[:, cv2.CC_STAT_AREA] < _SMALL_HOLE * np.count_nonzero(inside)
    small[[0, labels[0, 0]]] = False  # the region itself, and what lies around it
    return np.asarray(inside | small[labels][1:-1, 1:-1])


def place_beside(alpha: Mask, relation: str) -> Mask:
    """Return the place that lies to a host as a relation says.

    Args:
        alpha: The host's region.
        relation: "on", "above", "under", "next to", "to the left of", "in", "around", "behind",
            "between" …; an unknown one is read as "on".

    Returns:
        The place's alpha; where the picture's border leaves no room, the host's surroundings.
    """
    host = support(alpha)
    box = bounding_box(host)
    if box is None:
        return alpha
    height, width = host.shape
    place = np.zeros_like(host)
    word = _first(relation)
    if word not in (*_INSIDE, *_ROUND):
        x0, y0, x1, y1 = _rectangle(box, word, width)
        rows = slice(max(0, round(y0)), max(0, min(height, round(y1))))
        columns = slice(max(0, round(x0)), max(0, min(width, round(x1))))
        place[rows, columns] = True
    if word == "between":
        place[:, host.any(axis=0)] = False  # a single thing leaves no gap
    place |= _own_part(host, box, word)
    found = bounding_box(place)
    if found is None or min(found[2] - found[0], found[3] - found[1]) < min(_LEAST, *host.shape):
        place = host | _ring(host, box)
    return feather_inwards(place.astype(np.float32), _FEATHER)


_BESIDE = (
    *("next", "beside", "near", "by", "left", "right", "alongside"),
    *("close", "along", "against", "opposite", "adjacent"),
)
_ABOVE = ("above", "over")
_BELOW = ("under", "below", "beneath", "underneath")
_INSIDE = ("in", "into", "inside", "within")
_ROUND = ("around", "behind", "round", "outside")
_KNOWN = frozenset({*_BESIDE, *_ABOVE, *_BELOW, *_INSIDE, *_ROUND})


def _first(relation: str) -> str:
    """Return the word of a relation that says where; "to the left of" is left, plain "to" is in."""
    words = relation.lower().split()
    if "in front" in relation.lower():
        return "front"
    if "between" in words:
        return "between"
    return next((word for word in words if word in _KNOWN), "in" if "to" in words else "on")


def _rectangle(
    box: tuple[int, int, int, int], word: str, width: int
) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = box
    wide, tall = x1 - x0, y1 - y0
    # a shelf or a pole is a host as well: what stands by it is not as thin as it is
    across, along = max(wide, _size(box)), max(tall, _size(box))
    if word in _ABOVE:
        return x0 - 0.1 * wide, y0 - 0.8 * along, x1 + 0.1 * wide, y0
    if word in _BELOW:
        return x0 - 0.1 * wide, y1, x1 + 0.1 * wide, y1 + 0.8 * along
    if word == "front":
        return x0, y0 + 0.5 * tall, x1, y1 + 0.3 * along
    if word == "between":
        return box
    if word in _BESIDE:
        left = word == "left" or (word != "right" and x0 > width - x1)
        start = x0 - across if left else x1
        return start, y0, start + across, y1
    return x0, y0 - 0.5 * along, x1, y0 + 0.5 * tall


def _own_part(
    host: Bool[np.ndarray, "h w"], box: tuple[int, int, int, int], word: str
) -> Bool[np.ndarray, "h w"]:
    """Return the part of host and surroundings that belongs to the place."""
    if word in _INSIDE or word == "on":
        return host
    if word in _ROUND:
        return np.asarray(_ring(host, box) & ~host)
    return np.zeros_like(host)


def _ring(host: Bool[np.ndarray, "h w"], box: tuple[int, int, int, int]) -> Bool[np.ndarray, "h w"]:
    return _within(host, max(4, round(0.25 * _size(box))))


def _size(box: tuple[int, int, int, int]) -> float:
    return float(((box[2] - box[0]) * (box[3] - box[1])) ** 0.5)


def _within(inside: Bool[np.ndarray, "h w"], radius: int) -> Bool[np.ndarray, "h w"]:
    """Grow a region by a disc; by distances, since a disc of hundreds of pixels dilates slowly."""
    away = distance_within(~inside)
    return np.asarray(away <= radius)
