"""The frames of a shot, and the same frames edited and painted, with the target's exact mask.

The things in front are ray-cast, tile by tile and only where there are any, over black; what they
leave free shows the photo. Source, edited and painted frames share one trace and one noise: where
the target isn't seen they are equal to the last bit.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32, UInt8

from image_core.colour import linear_to_srgb
from image_core.types import Mask
from pocket.cameras import Camera
from pocket.clip_scene import COAT, PHOTO, Body, Coat, Shot, scene_of
from pocket.patterns import Shares
from pocket.render import Trace, trace
from pocket.scene import Material, Rgb, Scene, reflectance
from pocket.shapes import Vectors

Pixels = UInt8[np.ndarray, "h w 3"]

_TILE = 40  # pixels along a tile's side
_NOISE = 0.006  # standard deviation of the sensor's noise, in sRGB: 1.5 of 255


@dataclass(frozen=True, kw_only=True)
class Frame:
    """A frame and the truth about it.

    Attributes:
        source: As it is.
        edited: As it is once the target has its new colour.
        painted: As it is once the target's patch is painted.
        mask: The share of each pixel that shows the target, 255 = all of it.
    """

    source: Pixels
    edited: Pixels
    painted: Pixels
    mask: UInt8[np.ndarray, "h w"]


@dataclass(frozen=True, kw_only=True)
class Window:
    """A rectangle of the picture, in pixels."""

    left: int
    top: int
    width: int
    height: int

    @property
    def place(self) -> tuple[slice, slice]:
        """Its rows and columns."""
        return (
            slice(self.top, self.top + self.height),
            slice(self.left, self.left + self.width),
        )

    def of(self, camera: Camera) -> Camera:
        """Return the camera that takes this part of a camera's picture.

        Its lens is shifted: its third axis leans so that the middle of the window lies on it.
        """
        right = (self.left + self.width / 2 - camera.width / 2) / camera.focal
        up = (camera.height / 2 - self.top - self.height / 2) / camera.focal
        pose = camera.pose.copy()
        pose[:3, 2] -= right * pose[:3, 0] + up * pose[:3, 1]
        return replace(camera, pose=pose, width=self.width, height=self.height)


def render_frame(
    shot: Shot,
    camera: Camera,
    frame: int,
    *,
    target: str,
    colour: str,
    coat: Coat,
    noise: Sequence[int],
) -> Frame:
    """Render a frame of a shot with its truth.

    Args:
        shot: Which.
        camera: From where.
        frame: Counted from the shot's first.
        target: What the edit changes, if the shot has it.
        colour: The target's new colour.
        coat: Its patch.
        noise: Keys the sensor's noise.
    """
    size = (camera.height, camera.width)
    photo = shot.backdrop.light(frame, width=camera.width, height=camera.height)
    lights = [photo, photo.copy(), photo.copy()]
    mask = np.zeros(size, dtype=np.float32)
    body = shot.body(target)
    paint = body.paint(coat, frame) if body is not None else None
    for window, scene in _tiles(shot, camera, frame, target=target, coat=coat):
        traced = trace(scene, window.of(camera))
        if COAT in scene.names:
            mask[window.place] = _share(scene, traced, {target, COAT})
        free = _share(scene, traced, {PHOTO})[..., None]
        fronts = _fronts(scene, traced, {target, COAT}, reflectance(colour), paint)
        for light, front in zip(lights, fronts, strict=True):
            light[window.place] = front + free * light[window.place]
    grain = np.random.default_rng(noise).standard_normal((*size, 3), dtype=np.float32)
    source, edited, painted = (_exposed(light, grain) for light in lights)
    return Frame(source=source, edited=edited, painted=painted, mask=_bytes_of(mask))


def middles(
    shot: Shot, camera: Camera, frame: int, *, target: str
) -> Iterator[tuple[Window, Scene, Trace]]:
    """Trace the middles of the pixels of all tiles that can show the target."""
    for window, scene in _tiles(shot, camera, frame, target=target, coat=None):
        if target in scene.names:
            yield window, scene, trace(scene, window.of(camera), samples=1)


def _tiles(
    shot: Shot, camera: Camera, frame: int, *, target: str, coat: Coat | None
) -> Iterator[tuple[Window, Scene]]:
    """Return the tiles in which there are things, with these; the coat before what it covers."""
    placed = []
    for body in shot.bodies:
        coats = (body.coat(coat, frame),) if coat is not None and body.name == target else ()
        placed.append(((*coats, body.thing(frame)), _reach(body, camera, frame)))
    for top in range(0, camera.height, _TILE):
        for left in range(0, camera.width, _TILE):
            bottom, right = min(top + _TILE, camera.height), min(left + _TILE, camera.width)
            things = [
                thing
                for both, (first, high, last, low) in placed
                if first < right and last > left and high < bottom and low > top
                for thing in both
            ]
            if things:
                window = Window(left=left, top=top, width=right - left, height=bottom - top)
                yield window, scene_of(things)


def _reach(body: Body, camera: Camera, frame: int) -> tuple[int, int, int, int]:
    """Return a rectangle that holds what can be seen of a body: left, top, right, bottom."""
    seen = [camera.project((x, y, z)) for x, y, z in body.corners(frame).T.tolist()]
    columns, rows = [one[0] for one in seen], [one[1] for one in seen]
    return (
        math.floor(min(columns)), math.floor(min(rows)),
        math.ceil(max(columns)), math.ceil(max(rows)),
    )  # fmt: skip


def _fronts(
    scene: Scene, traced: Trace, changed: Container[str], colour: Rgb, paint: Material | None
) -> list[np.ndarray]:
    """Return the light of a tile's things over black: as they are, recoloured, and painted."""
    source = np.zeros_like(traced.points)
    anew: list[tuple[np.ndarray, Vectors, Vectors]] = []
    for number, thing in enumerate(scene.things):
        if thing.name == PHOTO:
            continue  # it sends no light of its own
        here = np.flatnonzero(traced.thing == number)
        points, light = traced.points[:, here], traced.light[here]
        share = thing.material.pattern.share(points)
        source[:, here] = shown = _mixed(thing.material, share) * light
        if thing.name in changed:
            recoloured = _mixed(thing.material.recoloured(colour), share) * light
            brushed = shown
            if paint is not None and thing.name == COAT:
                brushed = paint.reflectance(points) * light
            anew.append((here, recoloured, brushed))
    if not anew:
        return [np.moveaxis(_mean(source, traced), 0, -1)] * 3
    edited, painted = source.copy(), source.copy()
    for here, recoloured, brushed in anew:
        edited[:, here], painted[:, here] = recoloured, brushed
    return [np.moveaxis(_mean(linear, traced), 0, -1) for linear in (source, edited, painted)]


def _share(scene: Scene, traced: Trace, names: Container[str]) -> Mask:
    """Return the share of each pixel that shows one of some things."""
    chosen = np.array([name in names for name in scene.names])[traced.thing]
    return _mean(chosen.astype(np.float32), traced)


def _mean(samples: Float32[np.ndarray, "*c n"], traced: Trace) -> Float32[np.ndarray, "*c h w"]:
    """Average the samples of each pixel."""
    shape = (*samples.shape[:-1], traced.camera.height, traced.camera.width, -1)
    parts = samples.reshape(shape)
    total = parts[..., 0].copy()
    for number in range(1, parts.shape[-1]):  # far quicker than a mean over a short axis
        total += parts[..., number]
    return np.asarray(total / np.float32(parts.shape[-1]))


def _mixed(material: Material, share: Shares) -> Vectors:
    """Return linear RGB reflectance where the share of the second colour is known."""
    first = np.array(material.colour, dtype=np.float32)[:, None]
    second = np.array(material.second, dtype=np.float32)[:, None]
    return np.asarray(first + share * (second - first))


def _exposed(light: np.ndarray, grain: np.ndarray) -> Pixels:
    """Develop linear light, and let the sensor add its noise."""
    return _bytes_of(linear_to_srgb(np.clip(light, 0, 1)) + np.float32(_NOISE) * grain)


def _bytes_of(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.rint(np.clip(values, 0, 1) * 255), dtype=np.uint8)
