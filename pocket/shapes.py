"""Solid shapes that rays meet in closed form: ball, block, frustum, and the room around them.

Rays and points are stored components first, ``(3, n)``, so that each component is contiguous. A
distance is counted in lengths of the ray's direction, which need not be 1; a miss is infinite.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32

Point3 = tuple[float, float, float]
Vectors = Float32[np.ndarray, "3 n"]
Origins = Float32[np.ndarray, "3 #n"]
Distances = Float32[np.ndarray, " n"]

NEAREST = 1e-4
"""Hits nearer than this lie at the ray's own origin and do not count."""
_TINY = np.float32(1e-9)


@runtime_checkable
class Shape(Protocol):
    """What a scene can be built of."""

    def distance(self, origins: Origins, directions: Vectors) -> Distances:
        """Return how far along each ray the shape's surface is first met."""
        ...

    def normal(self, points: Vectors) -> Vectors:
        """Return the unit normals at points on the surface, towards its free side."""
        ...


@dataclass(frozen=True, kw_only=True)
class Ball:
    """A ball.

    Attributes:
        centre: Its middle.
        radius: Its radius.
    """

    centre: Point3
    radius: float

    def distance(self, origins: Origins, directions: Vectors) -> Distances:
        """Solve the quadratic equation of a ray and a sphere."""
        offset = origins - _column(self.centre)
        a = _dot(directions, directions)
        b = _dot(offset, directions)
        c = _dot(offset, offset) - np.float32(self.radius**2)
        inner = b * b - a * c
        root = np.sqrt(np.maximum(inner, 0))
        near, far = _from_origin((-b - root) / a), _from_origin((-b + root) / a)
        return np.where(inner >= 0, np.minimum(near, far), np.float32(np.inf))

    def normal(self, points: Vectors) -> Vectors:
        """Point away from the middle."""
        return _unit(points - _column(self.centre))


@dataclass(frozen=True, kw_only=True)
class Block:
    """A box that stands upright.

    Attributes:
        centre: Its middle.
        half: Half its size along its own x, y and z.
        yaw: Its turn about z in degrees, counter-clockwise seen from above.
    """

    centre: Point3
    half: Point3
    yaw: float = 0.0

    def distance(self, origins: Origins, directions: Vectors) -> Distances:
        """Cut the ray with the three slabs whose intersection the box is."""
        offset = _turned(origins - _column(self.centre), -self.yaw)
        along = _nonzero(_turned(directions, -self.yaw))
        half = _column(self.half)
        one, two = (-half - offset) / along, (half - offset) / along
        enter = np.minimum(one, two).max(axis=0)
        leave = np.maximum(one, two).min(axis=0)
        first = np.where(enter > NEAREST, enter, leave)
        return np.where(enter <= leave, _from_origin(first), np.float32(np.inf))

    def normal(self, points: Vectors) -> Vectors:
        """Point along the axis of the face that the point lies on."""
        local = _turned(points - _column(self.centre), -self.yaw)
        reach = local / _column(self.half)
        axis = np.abs(reach).argmax(axis=0)
        facing = np.where(np.arange(3)[:, None] == axis, np.sign(reach), 0).astype(np.float32)
        return _turned(facing, self.yaw)


@dataclass(frozen=True, kw_only=True)
class Frustum:
    """A cylinder, a cone, or what lies between: round, upright, closed by two discs.

    Attributes:
        base: The middle of its lower disc.
        height: From the lower disc to the upper.
        bottom: Radius of the lower disc.
        top: Radius of the upper disc; 0 makes a cone.
    """

    base: Point3
    height: float
    bottom: float
    top: float

    def distance(self, origins: Origins, directions: Vectors) -> Distances:
        """Take the nearest of the two cuts with the mantle and the two with the discs."""
        x, y, z = origins - _column(self.base)
        dx, dy, dz = directions
        slope = np.float32((self.top - self.bottom) / self.height)
        radius = np.float32(self.bottom) + slope * z
        a = _nonzero(dx * dx + dy * dy - slope * slope * dz * dz)
        b = x * dx + y * dy - slope * dz * radius
        c = x * x + y * y - radius * radius
        inner = b * b - a * c
        root = np.sqrt(np.maximum(inner, 0))
        first = np.full_like(dz, np.inf)
        for distance in ((-b - root) / a, (-b + root) / a):
            up = z + distance * dz
            meets = (inner >= 0) & (up >= 0) & (up <= np.float32(self.height))
            first = np.where(meets, np.minimum(first, _from_origin(distance)), first)
        for level, reach in ((0.0, self.bottom), (self.height, self.top)):
            distance = (np.float32(level) - z) / _nonzero(dz)
            across = (x + distance * dx) ** 2 + (y + distance * dy) ** 2
            meets = across <= np.float32(reach**2)
            first = np.where(meets, np.minimum(first, _from_origin(distance)), first)
        return np.asarray(first, dtype=np.float32)

    def normal(self, points: Vectors) -> Vectors:
        """Point up or down on a disc, outwards on the mantle."""
        x, y, z = points - _column(self.base)
        slope = (self.top - self.bottom) / self.height
        away = np.hypot(x, y)
        off_mantle = np.abs(away - (self.bottom + slope * z)) / math.hypot(1, slope)
        off_disc = np.minimum(np.abs(z), np.abs(z - self.height))
        mantle = _unit(np.stack([x, y, np.float32(-slope) * away]).astype(np.float32))
        disc = np.zeros_like(points)
        disc[2] = np.where(z > self.height / 2, 1, -1)
        return np.where(off_disc < off_mantle, disc, mantle).astype(np.float32)


@dataclass(frozen=True, kw_only=True)
class Room:
    """The inside of an upright box: wherever one stands in it, every ray ends on a wall.

    Attributes:
        low: Its corner with the least x, y and z.
        high: Its corner with the greatest.
    """

    low: Point3
    high: Point3

    def distance(self, origins: Origins, directions: Vectors) -> Distances:
        """Find where the ray leaves the box."""
        along = _nonzero(directions)
        one, two = (_column(self.low) - origins) / along, (_column(self.high) - origins) / along
        return _from_origin(np.maximum(one, two).min(axis=0))

    def normal(self, points: Vectors) -> Vectors:
        """Point into the room."""
        gaps = np.concatenate([points - _column(self.low), _column(self.high) - points])
        face = np.abs(gaps).argmin(axis=0)
        inwards = np.where(face < 3, 1, -1)
        return np.where(np.arange(3)[:, None] == face % 3, inwards, 0).astype(np.float32)


def _column(point: Point3) -> Float32[np.ndarray, "3 1"]:
    return np.array(point, dtype=np.float32)[:, None]


def _dot(one: Origins, two: Origins) -> Distances:
    # summed by hand: a matrix product may round by how many threads share it
    return np.asarray(one[0] * two[0] + one[1] * two[1] + one[2] * two[2])


def _unit(vectors: Vectors) -> Vectors:
    return np.asarray(vectors / np.maximum(np.sqrt(_dot(vectors, vectors)), _TINY))


def _nonzero(values: Float32[np.ndarray, "*n"]) -> Float32[np.ndarray, "*n"]:
    return np.where(np.abs(values) < _TINY, _TINY, values)


def _from_origin(distances: Distances) -> Distances:
    return np.where(distances > np.float32(NEAREST), distances, np.float32(np.inf))


def _turned(vectors: Origins, degrees: float) -> Origins:
    cos = np.float32(math.cos(math.radians(degrees)))
    sin = np.float32(math.sin(math.radians(degrees)))
    x, y, z = vectors
    return np.stack([cos * x - sin * y, sin * x + cos * y, z])
