"""What a moving scene needs beyond a still one: carried shapes and patterns, paint, nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from pocket.clip_motion import Pose
from pocket.patterns import Pattern, Shares
from pocket.shapes import Ball, Block, Distances, Origins, Point3, Shape, Vectors


@dataclass(frozen=True, kw_only=True)
class Carried:
    """A shape that is set into the world by a pose.

    Attributes:
        shape: In its own frame.
        pose: Where that frame is.
    """

    shape: Shape
    pose: Pose

    def distance(self, origins: Origins, directions: Vectors) -> Distances:
        """Meet the shape in its own frame; distances are the same there."""
        return self.shape.distance(self.pose.inwards(origins), self.pose.turned_inwards(directions))

    def normal(self, points: Vectors) -> Vectors:
        """Turn the normal of the own frame with the thing."""
        return self.pose.turned_outwards(self.shape.normal(self.pose.inwards(points)))


@dataclass(frozen=True, kw_only=True)
class CarriedPattern:
    """A pattern that moves with its thing.

    Attributes:
        pattern: In the thing's own frame.
        pose: Where that frame is.
    """

    pattern: Pattern
    pose: Pose

    def share(self, points: Vectors) -> Shares:
        """Look the pattern up in the own frame."""
        return self.pattern.share(self.pose.inwards(points))


@dataclass(frozen=True, kw_only=True)
class Sharpened:
    """A pattern with more contrast: blots with soft edges instead of clouds.

    Attributes:
        pattern: What is sharpened.
        gain: How much steeper it becomes about its middle.
    """

    pattern: Pattern
    gain: float

    def share(self, points: Vectors) -> Shares:
        """Stretch the shares about 1/2 and cut off what leaves [0, 1]."""
        stretched = np.float32(self.gain) * (self.pattern.share(points) - np.float32(0.5))
        return np.asarray(np.clip(stretched + np.float32(0.5), 0, 1))


@dataclass(frozen=True, kw_only=True)
class Patch:
    """A piece of a shape's surface: what lies within a ball about one of its points.

    Put before the whole shape it wins every ray that meets both, so that it is a coat of paint
    without thickness.

    Attributes:
        shape: Whose surface.
        centre: A point of it.
        reach: How far the patch reaches from there.
    """

    shape: Shape
    centre: Point3
    reach: float

    def distance(self, origins: Origins, directions: Vectors) -> Distances:
        """Keep the hits that lie on the patch."""
        distance = self.shape.distance(origins, directions)
        hit = np.isfinite(distance)
        points = origins + np.where(hit, distance, np.float32(0)) * directions
        x, y, z = points - np.array(self.centre, dtype=np.float32)[:, None]
        on = hit & (x * x + y * y + z * z <= np.float32(self.reach**2))
        return np.where(on, distance, np.float32(np.inf))

    def normal(self, points: Vectors) -> Vectors:
        """Point where the shape's normals do."""
        return self.shape.normal(points)


@dataclass(frozen=True, kw_only=True)
class Painted:
    """Checks as a brush would paint them on a thing that is looked at in one of its poses.

    Attributes:
        pose: The pose in which they are painted, along the line of sight.
        centre: Where on the thing a corner of four checks lies, in its own frame.
        size: Edge of a check.
        lean: Degrees by which the checks are turned.
    """

    pose: Pose
    centre: Point3
    size: float
    lean: float

    def share(self, points: Vectors) -> Shares:
        """Count the checks passed to the right and upwards: odd or even."""
        middle = np.array(self.centre, dtype=np.float32)[:, None]
        x, y, _ = self.pose.turned_outwards(points - middle)
        cos, sin = math.cos(math.radians(self.lean)), math.sin(math.radians(self.lean))
        along = np.floor((np.float32(cos) * x + np.float32(sin) * y) / np.float32(self.size))
        across = np.floor((np.float32(cos) * y - np.float32(sin) * x) / np.float32(self.size))
        return np.asarray((along + across) % 2, dtype=np.float32)


@dataclass(frozen=True)
class Even:
    """No pattern: the first colour everywhere."""

    def share(self, points: Vectors) -> Shares:
        """Show none of the second colour."""
        return np.zeros(points.shape[1], dtype=np.float32)


@dataclass(frozen=True, kw_only=True)
class Behind:
    """The plane behind everything, which every ray that goes down ends on.

    It faces away, so that no light falls on it and it costs no shadow rays.

    Attributes:
        z: Its height.
    """

    z: float

    def distance(self, origins: Origins, directions: Vectors) -> Distances:
        """Go down to its height."""
        return np.asarray((np.float32(self.z) - origins[2]) / directions[2], dtype=np.float32)

    def normal(self, points: Vectors) -> Vectors:
        """Point down."""
        normals = np.zeros_like(points)
        normals[2] = -1
        return normals


def corners(shape: Ball | Block) -> Float32[np.ndarray, "3 8"]:
    """Return the corners of an upright box around a shape."""
    if isinstance(shape, Ball):
        shape = Block(centre=shape.centre, half=(shape.radius,) * 3)
    signs = np.stack(np.meshgrid([-1, 1], [-1, 1], [-1, 1])).reshape(3, 8)
    x, y, z = signs * np.array(shape.half)[:, None]
    cos, sin = math.cos(math.radians(shape.yaw)), math.sin(math.radians(shape.yaw))
    turned = np.stack([cos * x - sin * y, sin * x + cos * y, z])
    return np.asarray(turned + np.array(shape.centre)[:, None], dtype=np.float32)
