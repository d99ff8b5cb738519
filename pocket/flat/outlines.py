"""The outlines of the shapes, as signed distances, and how much of each pixel they cover.

A shape of radius 1 stands upright about the origin, its centre of mass; no part of it is further
away than ``REACH``. The distances are made of those to straight edges and circles: across every
edge their slope is 1, as anti-aliasing needs it, and about corners they are too small.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from jaxtyping import Float32

from pocket.flat.words import SHAPES

Plane = Float32[np.ndarray, "*n"]

REACH = 1.2
"""How far from its centre a shape of radius 1 extends at most."""

_SQUARE = 0.84  # half a side: the corners are at 1.19
_TRIANGLE = 0.6  # from the centre to a side: the corners are at 1.2
_STAR = 1.2  # to the points of a pentagram
_HOLE = 0.5  # radius of a ring's hole
_ARM, _ARM_WIDTH = 1.08, 0.38  # of a cross: half its length, half its width


def signed_distance(shape: str, x: Plane, y: Plane) -> Plane:
    """Return how far points lie outside a shape of radius 1, negative inside.

    Args:
        shape: One of ``SHAPES``.
        x: To the right.
        y: Downwards.
    """
    return np.asarray(_DISTANCES[shape](x, y), dtype=np.float32)


def covered(distance: Plane, pixels: Float32[np.ndarray, "*#n"] | float) -> Plane:
    """Return the share of a pixel that lies inside, in [0, 1].

    Args:
        distance: Of the pixel's middle, signed.
        pixels: How many pixels a distance of 1 is.
    """
    scale = np.asarray(pixels, dtype=np.float32)
    return np.asarray(np.clip(np.float32(0.5) - distance * scale, 0, 1))


def _circle(x: Plane, y: Plane) -> Plane:
    return np.asarray(np.sqrt(x * x + y * y) - np.float32(1))


def _square(x: Plane, y: Plane) -> Plane:
    return np.asarray(np.maximum(np.abs(x), np.abs(y)) - np.float32(_SQUARE))


def _beyond_side(x: Plane, y: Plane, degrees: float, away: float) -> Plane:
    """Return the distance beyond a straight line whose normal has an angle, 0 pointing up."""
    angle = math.radians(degrees)
    return np.float32(math.sin(angle)) * x - np.float32(math.cos(angle)) * y - np.float32(away)


def _triangle(x: Plane, y: Plane) -> Plane:
    sides = [_beyond_side(x, y, degrees, _TRIANGLE) for degrees in (60, 180, 300)]
    return np.asarray(np.maximum(np.maximum(sides[0], sides[1]), sides[2]))


def _star(x: Plane, y: Plane) -> Plane:
    # a pentagram is what lies beyond at most one of its five lines: the second-largest distance
    largest = second = None
    for number in range(5):
        side = _beyond_side(x, y, 72.0 * number, _STAR * math.cos(math.radians(72)))
        if largest is None:
            largest = side
        elif second is None:
            largest, second = np.maximum(largest, side), np.minimum(largest, side)
        else:
            second = np.maximum(second, np.minimum(largest, side))
            largest = np.maximum(largest, side)
    assert second is not None
    return np.asarray(second)


def _ring(x: Plane, y: Plane) -> Plane:
    away = np.sqrt(x * x + y * y)
    return np.asarray(np.maximum(away - np.float32(1), np.float32(_HOLE) - away))


def _cross(x: Plane, y: Plane) -> Plane:
    x, y = np.abs(x), np.abs(y)
    lying = np.maximum(x - np.float32(_ARM), y - np.float32(_ARM_WIDTH))
    standing = np.maximum(x - np.float32(_ARM_WIDTH), y - np.float32(_ARM))
    return np.asarray(np.minimum(lying, standing))


_DISTANCES: dict[str, Callable[[Plane, Plane], Plane]] = {
    "circle": _circle,
    "square": _square,
    "triangle": _triangle,
    "star": _star,
    "ring": _ring,
    "cross": _cross,
}
assert tuple(_DISTANCES) == SHAPES
