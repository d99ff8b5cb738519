"""Pictures of a scene, with the exact mask of each thing and the depth.

A picture is made in two steps: ``trace`` finds what each sample of a pixel sees and how much light
falls on it, ``develop`` gives it colour. Scenes that differ in their materials only share a trace,
so their pictures differ where a changed thing is seen, and are equal to the last bit elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int

from image_core.colour import linear_to_srgb
from image_core.errors import InvalidInput
from image_core.types import Image, Mask
from pocket.cameras import Camera
from pocket.scene import Lamp, Scene, Thing
from pocket.shapes import Origins, Vectors

_LIFT = np.float32(1e-3)
"""How far above a surface a shadow ray starts, so that it does not meet the surface itself."""
_BAND = 40_000  # rays at a time: their arrays stay in the processor's cache


@dataclass(frozen=True, kw_only=True)
class Trace:
    """What the samples of a picture's pixels see.

    Attributes:
        camera: Whose picture it is.
        samples: Samples along a pixel's side.
        thing: Index of the thing that each sample sees; row by row, a pixel's samples together.
        points: Where in the world it sees it.
        light: How much light falls there: 1 shows the thing in its own colour.
        depth: Depth along the optical axis at the middle of each pixel, in units of the scene.
    """

    camera: Camera
    samples: int
    thing: Int[np.ndarray, " n"]
    points: Float32[np.ndarray, "3 n"]
    light: Float32[np.ndarray, " n"]
    depth: Float32[np.ndarray, "h w"]


@dataclass(frozen=True, kw_only=True)
class Rendering:
    """A picture of a scene and the truth about it.

    Attributes:
        image: sRGB in [0, 1].
        coverage: For each thing's name the share of each pixel that shows it; together they are 1.
        depth: Depth along the optical axis at the middle of each pixel, in units of the scene.
    """

    image: Image
    coverage: Mapping[str, Mask]
    depth: Mask


def render(scene: Scene, camera: Camera, *, samples: int = 3) -> Rendering:
    """Take a picture.

    Args:
        scene: Of what.
        camera: From where; inside the room.
        samples: Samples along a pixel's side, an odd number: one lies in the pixel's middle.

    Raises:
        InvalidInput: ``samples`` is not odd, or a ray leaves the scene.
    """
    traced = trace(scene, camera, samples=samples)
    return Rendering(
        image=develop(scene, traced), coverage=coverage(scene, traced), depth=traced.depth
    )


def trace(scene: Scene, camera: Camera, *, samples: int = 3) -> Trace:
    """Find what each sample sees, and the light there.

    Raises:
        InvalidInput: ``samples`` is not odd, or a ray leaves the scene.
    """
    if samples < 1 or samples % 2 == 0:
        raise InvalidInput(f"{samples} samples along a pixel's side", hint="Take an odd number.")
    rows = max(1, _BAND // (camera.width * samples * samples))
    bands = [
        _trace_rows(scene, camera, samples, start, min(start + rows, camera.height))
        for start in range(0, camera.height, rows)
    ]
    thing, points, light, distance = (
        np.concatenate(parts, axis=-1) for parts in zip(*bands, strict=True)
    )
    middles = distance.reshape(camera.height, camera.width, -1)[..., samples * samples // 2]
    return Trace(
        camera=camera,
        samples=samples,
        thing=thing,
        points=points,
        light=light,
        depth=np.ascontiguousarray(middles),
    )


def develop(scene: Scene, traced: Trace) -> Image:
    """Give a trace the colours of a scene's materials.

    Args:
        scene: The one that was traced, or one that differs from it in materials only.
        traced: From ``trace``.

    Returns:
        sRGB in [0, 1]; samples are averaged as light.
    """
    linear = np.empty_like(traced.points)
    for number, thing in enumerate(scene.things):
        here = np.flatnonzero(traced.thing == number)
        linear[:, here] = thing.material.reflectance(traced.points[:, here])
    linear *= traced.light
    size = (3, traced.camera.height, traced.camera.width, -1)
    mean = np.clip(linear.reshape(size).mean(axis=-1), 0, 1)
    return np.ascontiguousarray(np.moveaxis(linear_to_srgb(mean), 0, -1))


def coverage(scene: Scene, traced: Trace) -> dict[str, Mask]:
    """Return for each thing's name the share of each pixel that shows it, in [0, 1]."""
    seen = traced.thing.reshape(traced.camera.height, traced.camera.width, -1)
    return {
        name: (seen == number).mean(axis=-1, dtype=np.float32)
        for number, name in enumerate(scene.names)
    }


def _trace_rows(
    scene: Scene, camera: Camera, samples: int, start: int, stop: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return thing, point, light and distance of the samples in some rows of pixels."""
    directions = camera.directions(*_sample_places(camera, samples, start, stop))
    distance, shape = _nearest(scene.things, camera.place, directions)
    if not np.isfinite(distance).all():
        raise InvalidInput(
            "a ray of the camera meets nothing", hint="Put the camera inside the scene's room."
        )
    points = camera.place + distance * directions
    normals = _normals(scene.things, shape, points)
    owner = [number for number, thing in enumerate(scene.things) for _ in thing.shapes]
    thing = np.array(owner, dtype=np.int16)[shape]
    return thing, points, _light(scene, points, normals), distance


def _sample_places(
    camera: Camera, samples: int, start: int, stop: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the columns and rows of a regular grid of samples in each pixel of some rows."""
    inner = (np.arange(samples) + 0.5) / samples
    rows = np.arange(start, stop)[:, None, None, None] + inner[:, None]
    columns = np.arange(camera.width)[:, None, None] + inner
    shape = (stop - start, camera.width, samples, samples)
    return np.broadcast_to(columns, shape).ravel(), np.broadcast_to(rows, shape).ravel()


def _nearest(
    things: tuple[Thing, ...], origins: Origins, directions: Vectors
) -> tuple[Float32[np.ndarray, " n"], Int[np.ndarray, " n"]]:
    """Return each ray's distance to the first surface, and the number of the shape it is of."""
    nearest = np.full(directions.shape[1], np.inf, dtype=np.float32)
    first = np.zeros(directions.shape[1], dtype=np.int64)
    for number, shape in enumerate(shape for thing in things for shape in thing.shapes):
        distance = shape.distance(origins, directions)
        closer = distance < nearest
        nearest[closer] = distance[closer]
        first[closer] = number
    return nearest, first


def _normals(things: tuple[Thing, ...], shape: Int[np.ndarray, " n"], points: Vectors) -> Vectors:
    normals = np.empty_like(points)
    for number, one in enumerate(shape for thing in things for shape in thing.shapes):
        here = np.flatnonzero(shape == number)
        normals[:, here] = one.normal(points[:, here])
    return normals


def _light(scene: Scene, points: Vectors, normals: Vectors) -> Float32[np.ndarray, " n"]:
    """Return the light on each point: even light by how far it faces up, and the lamp's."""
    lamp = scene.lamp
    up = np.float32(0.5) + np.float32(0.5) * normals[2]
    span = np.float32(lamp.ambient - lamp.ambient_below)
    light = np.asarray(np.float32(lamp.ambient_below) + up * span)
    towards = np.array(lamp.place, dtype=np.float32)[:, None] - points
    facing = (normals * towards).sum(axis=0) / np.sqrt((towards * towards).sum(axis=0))
    lit = np.flatnonzero(facing > 0)
    open_way = ~_shadowed(scene, points[:, lit] + _LIFT * normals[:, lit], lamp)
    light[lit] += np.float32(lamp.power) * facing[lit] * open_way
    return light


def _shadowed(scene: Scene, points: Vectors, lamp: Lamp) -> np.ndarray:
    """Tell which points have something between them and the lamp."""
    towards = np.array(lamp.place, dtype=np.float32)[:, None] - points
    things = tuple(thing for thing in scene.things if thing.casts_shadow)
    distance, _ = _nearest(things, points, towards)
    return np.asarray(distance < 1)
