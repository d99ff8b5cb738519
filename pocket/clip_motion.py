"""How things move through a clip: where they are and how they are turned, frame by frame.

Motions are functions of the frame's number alone, so a longer clip begins like a shorter one. The
world's x points right, y up, z towards the camera, which looks straight down on it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, Float64

from pocket.shapes import Origins, Point3

_Columns = Float64[np.ndarray, "3 3"]


@dataclass(frozen=True, kw_only=True)
class Pose:
    """Where a thing is: its own frame (origin in its middle) set into the world.

    Attributes:
        place: Its middle in the world.
        rotation: From its own directions to the world's.
    """

    place: Point3
    rotation: _Columns

    def outwards(self, points: Origins) -> Origins:
        """Bring points of the thing's own frame into the world."""
        return np.asarray(self.turned_outwards(points) + _column(self.place))

    def inwards(self, points: Origins) -> Origins:
        """Bring points of the world into the thing's own frame."""
        return self.turned_inwards(points - _column(self.place))

    def turned_outwards(self, directions: Origins) -> Origins:
        """Bring directions of the thing's own frame into the world."""
        return _product(self.rotation, directions)

    def turned_inwards(self, directions: Origins) -> Origins:
        """Bring directions of the world into the thing's own frame."""
        return _product(self.rotation.T, directions)


@runtime_checkable
class Motion(Protocol):
    """A pose for each frame."""

    def pose(self, frame: int) -> Pose:
        """Return where the thing is in a frame."""
        ...


@dataclass(frozen=True)
class Swing:
    """A value that swings about 0.

    Attributes:
        reach: How far to either side.
        period: Frames from one turning point back to it.
        phase: Frames by which it is ahead.
    """

    reach: float
    period: float
    phase: float = 0.0

    def value(self, frame: int) -> float:
        """Return the value at a frame."""
        return self.reach * math.sin(2 * math.pi * (frame + self.phase) / self.period)


_STILL = Swing(0.0, 1.0)


@dataclass(frozen=True, kw_only=True)
class Floating:
    """Sways about a place and turns to and fro, or on and on about the line of sight.

    Attributes:
        place: About where.
        x: The swing to the right.
        y: The swing upwards.
        z: The swing towards the camera.
        tilt: The turn about x in degrees.
        roll: The turn about y in degrees.
        twist: The turn about z in degrees, on top of ``spin``.
        spin: Degrees about z that are added in each frame.
        start: Degrees about z in frame 0.
    """

    place: Point3
    x: Swing = _STILL
    y: Swing = _STILL
    z: Swing = _STILL
    tilt: Swing = _STILL
    roll: Swing = _STILL
    twist: Swing = _STILL
    spin: float = 0.0
    start: float = 0.0

    def pose(self, frame: int) -> Pose:
        """Add up the swings."""
        x, y, z = self.place
        moved = (x + self.x.value(frame), y + self.y.value(frame), z + self.z.value(frame))
        about_z = self.start + self.spin * frame + self.twist.value(frame)
        tilted = _turn(1, self.roll.value(frame)) @ _turn(0, self.tilt.value(frame))
        return Pose(place=moved, rotation=_turn(2, about_z) @ tilted)


@dataclass(frozen=True, kw_only=True)
class Passing:
    """Comes in at one side, crosses the picture evenly, leaves it, and comes again.

    Attributes:
        place: Where it is in frame ``at``.
        speed: To the right, in units a frame.
        at: A frame in which it is halfway.
        period: Frames from one crossing to the next; the way back is jumped, out of sight.
        lean: Its turn about z in degrees.
    """

    place: Point3
    speed: float
    at: float
    period: float
    lean: float = 0.0

    def pose(self, frame: int) -> Pose:
        """Count the frames since it was halfway, or until it will be."""
        since = (frame - self.at + self.period / 2) % self.period - self.period / 2
        x, y, z = self.place
        return Pose(place=(x + self.speed * since, y, z), rotation=_turn(2, self.lean))


def _turn(axis: int, degrees: float) -> _Columns:
    """Return the rotation about an axis, counter-clockwise seen from its end."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    one, two = (axis + 1) % 3, (axis + 2) % 3
    rotation = np.eye(3)
    rotation[one, one], rotation[one, two] = cos, -sin
    rotation[two, one], rotation[two, two] = sin, cos
    return rotation


def _product(rotation: _Columns, vectors: Origins) -> Origins:
    # by hand: a matrix product may round by how many threads share it
    x, y, z = vectors
    product = np.empty(vectors.shape, dtype=np.float32)
    for row, (a, b, c) in zip(product, rotation.astype(np.float32), strict=True):
        row[:] = a * x + b * y + c * z
    return product


def _column(point: Point3) -> Float32[np.ndarray, "3 1"]:
    return np.array(point, dtype=np.float32)[:, None]
