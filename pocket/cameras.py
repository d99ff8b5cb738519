"""Pinhole cameras and the paths they are set up along.

A pose is camera-to-world in the convention of nerfstudio and OpenGL: the camera's x points right,
its y up, and it looks along its -z. The world's z points up. Pixel (column, row) covers the square
from (column, row) to (column + 1, row + 1); rows count downwards.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32

from pocket.shapes import Point3

Pose = Float[np.ndarray, "4 4"]

_FOCAL = 1.2  # in shorter sides: 45 degrees across them


@dataclass(frozen=True, kw_only=True)
class Camera:
    """A camera without distortion.

    Attributes:
        pose: Camera-to-world.
        width: Of its picture in pixels.
        height: Of its picture in pixels.
        focal: Focal length in pixels; the optical axis meets the middle of the picture.
    """

    pose: Pose
    width: int
    height: int
    focal: float

    @property
    def place(self) -> Float32[np.ndarray, "3 1"]:
        """Where it stands."""
        return np.asarray(self.pose[:3, 3:4], dtype=np.float32)

    def directions(
        self, columns: Float[np.ndarray, " n"], rows: Float[np.ndarray, " n"]
    ) -> Float32[np.ndarray, "3 n"]:
        """Return the world directions of rays through points of the picture.

        Their length along the optical axis is 1, so that distances along them are depths.
        """
        x = (columns - self.width / 2) / self.focal
        y = (self.height / 2 - rows) / self.focal
        # by hand: a matrix product may round by how many threads share it
        world = [row[0] * x + row[1] * y - row[2] for row in self.pose[:3, :3]]
        return np.asarray(np.stack(world), dtype=np.float32)

    def project(self, point: Point3) -> tuple[float, float, float]:
        """Return where a point of the world is seen: (column, row, depth); depth < 0 is behind."""
        x, y, z = self.pose[:3, :3].T @ (np.array(point) - self.pose[:3, 3])
        depth = -float(z)
        column = self.width / 2 + self.focal * float(x) / depth
        return column, self.height / 2 - self.focal * float(y) / depth, depth


def look_at(place: Point3, target: Point3) -> Pose:
    """Return the pose of a camera at ``place`` that looks at ``target`` and stands upright."""
    back = np.array(place, dtype=np.float64) - np.array(target, dtype=np.float64)
    back /= np.linalg.norm(back)
    right = np.cross([0.0, 0.0, 1.0], back)
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([right, np.cross(back, right), back], axis=1)
    pose[:3, 3] = place
    return pose


@dataclass(frozen=True, kw_only=True)
class Orbit:
    """An arc around a point, walked once, zigzag over several heights.

    Attributes:
        centre: What the cameras look at.
        radius: How far they stand from it.
        elevations: Angles above the horizon in degrees, taken in turn.
        middle: The arc's middle: degrees counter-clockwise from +x, seen from above.
        arc: Its length in degrees; 360 goes all around.
        wobble: How far radius, angles and aim stray at random, as a share.
    """

    centre: Point3
    radius: float
    elevations: tuple[float, ...]
    middle: float = -90.0
    arc: float = 220.0
    wobble: float = 0.05

    def cameras(self, count: int, *, width: int, height: int, seed: int) -> list[Camera]:
        """Set up cameras along the arc.

        Args:
            count: How many.
            width: Of their pictures in pixels.
            height: Of their pictures in pixels.
            seed: Keys how they stray.
        """
        generator = np.random.default_rng(seed)
        step = self.arc / count
        cameras = []
        for number in range(count):
            stray = generator.uniform(-self.wobble, self.wobble, 6)
            azimuth = self.middle + (number + 0.5 + 4 * stray[0]) * step - self.arc / 2
            elevation = self.elevations[number % len(self.elevations)] * (1 + stray[1])
            away = self.radius * (1 + stray[2])
            flat = away * math.cos(math.radians(elevation))
            x, y, z = self.centre
            place = (
                x + flat * math.cos(math.radians(azimuth)),
                y + flat * math.sin(math.radians(azimuth)),
                z + away * math.sin(math.radians(elevation)),
            )
            aim = (x + float(stray[3]), y + float(stray[4]), z + float(stray[5]))
            pose = look_at(place, aim)
            focal = _FOCAL * min(width, height)
            cameras.append(Camera(pose=pose, width=width, height=height, focal=focal))
        return cameras
