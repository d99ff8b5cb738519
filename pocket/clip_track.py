"""Where each point of the target's surface lies in each frame, and whether it is seen there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64

from pocket.cameras import Camera
from pocket.clip_motion import Pose
from pocket.clip_render import middles
from pocket.clip_scene import Body, Coat, Shot
from pocket.shapes import Vectors

_HIDDEN_BY = 1e-3  # share of the way to a point at which something else stands before it
_FREE = 0.002  # share of the target that may be hidden where it counts as fully seen


@dataclass(frozen=True, kw_only=True)
class Sight:
    """How much of the target a frame shows.

    Attributes:
        shown: Pixels whose middles show it.
        hidden: Share of it that something stands before.
    """

    shown: int
    hidden: float


@dataclass(frozen=True, kw_only=True)
class Surface:
    """The part of the target's surface that the key frame shows.

    Attributes:
        left: Column of the rectangle's first pixel.
        top: Row of its first pixel.
        points: What the middle of each pixel shows, in the target's own frame; NaN: not the target.
    """

    left: int
    top: int
    points: Float32[np.ndarray, "h w 3"]

    @property
    def seen(self) -> Bool[np.ndarray, "h w"]:
        """Which pixels show the target."""
        return np.asarray(np.isfinite(self.points[..., 0]))


def sight(shot: Shot, camera: Camera, frame: int, *, target: str) -> Sight:
    """Count how much of the target a frame of a shot shows; none where the shot lacks it."""
    shown = whole = 0
    for window, scene, traced in middles(shot, camera, frame, target=target):
        thing = scene.thing(target)
        shown += int((traced.thing == scene.things.index(thing)).sum())
        view = window.of(camera)
        directions = view.directions(*_middles(view))
        reached = [np.isfinite(one.distance(view.place, directions)) for one in thing.shapes]
        whole += int(np.any(reached, axis=0).sum())
    return Sight(shown=shown, hidden=1 - shown / whole if whole else 1.0)


def key_frame(sights: Sequence[Sight]) -> int:
    """Choose among the frames of a shot the fully seen one nearest to its middle."""
    free = [number for number, one in enumerate(sights) if one.shown and one.hidden <= _FREE]
    if not free:
        return min(range(len(sights)), key=lambda number: sights[number].hidden)
    return min(free, key=lambda number: abs(number - (len(sights) - 1) / 2))


def surface(shot: Shot, camera: Camera, frame: int, *, target: str) -> Surface:
    """Find which points of the target's surface a frame shows."""
    points = np.full((camera.height, camera.width, 3), np.nan, dtype=np.float32)
    body = shot.body(target)
    if body is not None:
        pose = body.motion.pose(frame)
        for window, scene, traced in middles(shot, camera, frame, target=target):
            here = traced.thing == scene.names.index(target)
            own = np.moveaxis(pose.inwards(traced.points), 0, -1)
            own = np.where(here[:, None], own, np.float32(np.nan))
            points[window.place] = own.reshape(window.height, window.width, 3)
    seen = np.isfinite(points[..., 0])
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    if not len(rows):
        return Surface(left=0, top=0, points=points[:1, :1])
    top, left = int(rows[0]), int(columns[0])
    return Surface(left=left, top=top, points=points[top : rows[-1] + 1, left : columns[-1] + 1])


def coat_of(seen: Surface, pose: Pose, *, share: float) -> Coat:
    """Lay a patch around the middle of what is seen, so that it covers a share of it.

    Args:
        seen: What the key frame shows.
        pose: The target's pose there.
        share: Of the target's pixels in the key frame.
    """
    points = seen.points[seen.seen]
    rows, columns = np.nonzero(seen.seen)
    away = np.hypot(rows - rows.mean(), columns - columns.mean())
    centre = points[away.argmin()]
    reach = float(np.quantile(np.linalg.norm(points - centre, axis=1), share))
    x, y, z = centre.tolist()
    return Coat(centre=(x, y, z), reach=reach, pose=pose)


def visible(
    shot: Shot, body: Body, camera: Camera, frame: int, points: Vectors
) -> Bool[np.ndarray, " n"]:
    """Tell which points of a body's surface a frame shows.

    Args:
        shot: With the body and all that can stand before it.
        body: Whose points.
        camera: From where.
        frame: Counted from the shot's first.
        points: In the body's own frame.
    """
    world = body.motion.pose(frame).outwards(points)
    directions = world - camera.place
    nearest = np.full(world.shape[1], np.inf, dtype=np.float32)
    for other in shot.bodies:
        for shape in other.thing(frame).shapes:
            np.minimum(nearest, shape.distance(camera.place, directions), out=nearest)
    column = directions[0] / -directions[2] * camera.focal + camera.width / 2
    row = directions[1] / directions[2] * camera.focal + camera.height / 2
    within = (column >= 0) & (column <= camera.width) & (row >= 0) & (row <= camera.height)
    return np.asarray(within & (nearest > 1 - _HIDDEN_BY))


def seen_from(pose: Pose, camera: Camera) -> Float64[np.ndarray, "3 4"]:
    """Return the map from a thing's own frame to the camera's: x right, y down, z away."""
    to_camera = np.array([[1.0, 0, 0], [0, -1, 0], [0, 0, -1]]) @ camera.pose[:3, :3].T
    moved = to_camera @ (np.array(pose.place) - camera.pose[:3, 3])
    return np.column_stack([to_camera @ pose.rotation, moved])


def _middles(camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = np.mgrid[: camera.height, : camera.width]
    return columns.ravel() + 0.5, rows.ravel() + 0.5
