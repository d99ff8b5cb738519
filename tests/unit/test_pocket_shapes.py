"""Shapes: the closed forms agree with walking along the ray; normals stand on the surface."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from pocket.shapes import Ball, Block, Frustum, Room, Shape

STEP = 0.004


def in_ball(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    return (x - 0.1) ** 2 + (y + 0.2) ** 2 + (z - 0.3) ** 2 < 0.5**2


def in_block(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    cos, sin = math.cos(math.radians(30)), math.sin(math.radians(30))
    x, y = x - 0.1, y + 0.1
    along, across = cos * x + sin * y, -sin * x + cos * y
    return (np.abs(along) < 0.5) & (np.abs(across) < 0.3) & (np.abs(z - 0.2) < 0.4)


def in_frustum(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    up = (z + 0.3) / 0.9
    return (up > 0) & (up < 1) & (np.hypot(x - 0.1, y) < 0.5 + up * (0.2 - 0.5))


def in_cone(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    up = (z + 0.3) / 0.9
    return (up > 0) & (up < 1) & (np.hypot(x, y) < 0.5 * (1 - up))


def outside_room(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    return (np.abs(x) > 2.5) | (np.abs(y) > 2.4) | (z > 2.3) | (z < -2.6)


SHAPES: dict[str, tuple[Shape, Callable[..., np.ndarray]]] = {
    "ball": (Ball(centre=(0.1, -0.2, 0.3), radius=0.5), in_ball),
    "block": (Block(centre=(0.1, -0.1, 0.2), half=(0.5, 0.3, 0.4), yaw=30), in_block),
    "frustum": (Frustum(base=(0.1, 0.0, -0.3), height=0.9, bottom=0.5, top=0.2), in_frustum),
    "cone": (Frustum(base=(0.0, 0.0, -0.3), height=0.9, bottom=0.5, top=0.0), in_cone),
    "room": (Room(low=(-2.5, -2.4, -2.6), high=(2.5, 2.4, 2.3)), outside_room),
}


def rays(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return rays from around the shapes towards and past them; some are level or upright."""
    generator = np.random.default_rng(seed)
    origins = generator.normal(size=(3, 400))
    origins *= 2 / np.linalg.norm(origins, axis=0)
    aims = generator.uniform(-0.7, 0.7, (3, 400))
    directions = aims - origins
    directions[2, :40] = 0
    directions[:2, 40:60] = 0
    origins[:2, 40:60] = aims[:2, 40:60]
    directions *= generator.uniform(0.5, 2, 400) / np.linalg.norm(directions, axis=0)
    return origins.astype(np.float32), directions.astype(np.float32)


@pytest.mark.parametrize("name", SHAPES)
def test_the_first_hit_is_where_walking_along_the_ray_crosses_the_surface(name: str) -> None:
    shape, inside = SHAPES[name]
    origins, directions = rays()
    distance = shape.distance(origins, directions)
    walked = np.arange(1, 3000)[:, None] * STEP
    places = [origins[axis] + walked * directions[axis] for axis in range(3)]
    crossed = inside(*places) != inside(*origins)
    entered = np.where(crossed.any(axis=0), walked[crossed.argmax(axis=0), 0], np.inf)
    # a walk may step over a corner that the ray only grazes
    missed = np.isfinite(distance) & ~np.isfinite(entered)
    assert missed.mean() < 0.02
    assert not (np.isfinite(entered) & ~np.isfinite(distance)).any()
    hit = np.isfinite(entered)
    assert hit.sum() > 100
    late = entered[hit] - distance[hit]
    assert np.quantile(np.abs(late), 0.98) <= STEP * 1.01
    assert late.min() > -1e-3


@pytest.mark.parametrize("name", SHAPES)
def test_normals_have_length_1_and_point_out_of_the_solid_to_where_the_ray_came_from(
    name: str,
) -> None:
    shape, inside = SHAPES[name]
    origins, directions = rays(1)
    distance = shape.distance(origins, directions)
    hit = np.isfinite(distance) & ~inside(*origins)
    points = origins[:, hit] + distance[hit] * directions[:, hit]
    normals = shape.normal(points)
    assert np.allclose(np.linalg.norm(normals, axis=0), 1, atol=1e-5)
    assert not inside(*(points + 5e-3 * normals)).any()
    # two or three points may lie so near an edge that a step inwards leaves the other face
    assert inside(*(points - 5e-3 * normals)).mean() > 0.95
    assert ((normals * directions[:, hit]).sum(axis=0) < 1e-3).mean() > 0.99


def test_rays_that_lead_away_meet_nothing() -> None:
    origins = np.array([[3.0], [0.0], [0.2]], np.float32)
    directions = np.array([[1.0], [0.0], [0.0]], np.float32)
    for name in ("ball", "block", "frustum", "cone"):
        assert np.isinf(SHAPES[name][0].distance(origins, directions)).all()
