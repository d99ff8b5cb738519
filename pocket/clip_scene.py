"""A shot: bodies that move in front of a photo, and what each of them is made of.

The target carries a coat: a patch of its surface that is a thing of its own. In the source it has
the target's own material and cannot be seen; in the painted clip it has paint on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32

from pocket.clip_backdrop import Backdrop
from pocket.clip_motion import Motion, Pose
from pocket.clip_shapes import Behind, Carried, CarriedPattern, Even, Painted, Patch, corners
from pocket.scene import Lamp, Material, Scene, Thing, reflectance
from pocket.shapes import Ball, Block, Point3

COAT = "coat"
"""The name of the patch on the target."""
PHOTO = "photo"
"""The name of the nothing through which the photo shows."""

_LAMP = Lamp(place=(-2.2, 2.6, 6.0), power=0.45, ambient=0.58, ambient_below=0.3)
_BEHIND = Thing(
    name=PHOTO,
    shapes=(Behind(z=-0.6),),
    material=Material(colour=(0.0,) * 3, second=(0.0,) * 3, pattern=Even()),
    casts_shadow=False,
)
_PAINTS = "#f4f4f2", "#2a3f9e"
_CHECKS_ACROSS = 2.2  # checks from the patch's middle to its rim
_LEAN = 24.0  # of the checks, in degrees: along no axis of the picture


@dataclass(frozen=True, kw_only=True)
class Coat:
    """Where the target's patch lies.

    Attributes:
        centre: A point of the target's surface, in its own frame.
        reach: How far the patch reaches from there.
        pose: The target's pose in the key frame, in which the patch is painted.
    """

    centre: Point3
    reach: float
    pose: Pose


@dataclass(frozen=True, kw_only=True)
class Body:
    """A thing that moves.

    Attributes:
        name: Colour and noun.
        shapes: In its own frame.
        material: With its pattern in its own frame.
        motion: Where that frame is.
    """

    name: str
    shapes: tuple[Ball | Block, ...]
    material: Material
    motion: Motion

    def thing(self, frame: int) -> Thing:
        """Return it as it stands in a frame."""
        pose = self.motion.pose(frame)
        shapes = tuple(Carried(shape=shape, pose=pose) for shape in self.shapes)
        return Thing(
            name=self.name,
            shapes=shapes,
            material=_carried(self.material, pose),
            casts_shadow=False,
        )

    def coat(self, coat: Coat, frame: int) -> Thing:
        """Return its patch, made of what it is made of itself."""
        thing = self.thing(frame)
        pose = self.motion.pose(frame)
        patches = (Patch(shape=one, centre=coat.centre, reach=coat.reach) for one in self.shapes)
        shapes = tuple(Carried(shape=patch, pose=pose) for patch in patches)
        return replace(thing, name=COAT, shapes=shapes)

    def paint(self, coat: Coat, frame: int) -> Material:
        """Return the paint of its patch in a frame."""
        first, second = (reflectance(colour) for colour in _PAINTS)
        size = coat.reach / _CHECKS_ACROSS
        checks = Painted(pose=coat.pose, centre=coat.centre, size=size, lean=_LEAN)
        paint = Material(colour=first, second=second, pattern=checks)
        return _carried(paint, self.motion.pose(frame))

    def corners(self, frame: int) -> Float32[np.ndarray, "3 n"]:
        """Return points in the world whose hull holds it."""
        pose = self.motion.pose(frame)
        around = np.concatenate([corners(shape) for shape in self.shapes], axis=1)
        return pose.outwards(around)


@dataclass(frozen=True, kw_only=True)
class Shot:
    """What one shot shows; its frames count from its own first.

    Attributes:
        start: Number in the clip of its first frame.
        length: How many frames.
        backdrop: The photo behind.
        bodies: The things in front.
    """

    start: int
    length: int
    backdrop: Backdrop
    bodies: tuple[Body, ...]

    def body(self, name: str) -> Body | None:
        """Return the body of a name, if it is in the shot."""
        return next((body for body in self.bodies if body.name == name), None)


def scene_of(things: Sequence[Thing]) -> Scene:
    """Put things in front of nothing, which is black where the photo will show."""
    return Scene(name="clip", things=(*things, _BEHIND), lamp=_LAMP)


def _carried(material: Material, pose: Pose) -> Material:
    return replace(material, pattern=CarriedPattern(pattern=material.pattern, pose=pose))
