"""The world of the clip: a red ball, a yellow cross and a green box float over a photo.

A grey post passes in front of the ball and hides about half of it for some frames. Lengths are in
units of the scene: the picture's shorter side shows about 2.8 of them where the ball floats. Seed 0
is the tuned world; others stray a little from it.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Sequence

import numpy as np

from image_core.errors import InvalidInput
from pocket.cameras import Camera
from pocket.clip_backdrop import PHOTOS, Backdrop
from pocket.clip_motion import Floating, Passing, Swing
from pocket.clip_scene import Body, Shot
from pocket.clip_shapes import Sharpened
from pocket.patterns import Mottling, Pattern, Wood
from pocket.scene import Material, reflectance, scaled
from pocket.shapes import Ball, Block

TARGET = "red ball"
"""What the default edit changes."""
COLOUR = "blue"
"""What colour it gets."""
TARGETS = (TARGET, "yellow cross", "green box")
"""What an edit may change."""
HOW_IT_MOVES = (
    "the ball floats to and fro by up to 6 pixels a frame at 320 x 240, rolls, tilts and twists by "
    "up to 15 degrees to either side; the cross and the box turn on in the plane; a post passes in "
    "front about frame 21 and hides half of the ball; the photo drifts, zooms and turns slowly"
)

_AWAY = 4.0  # of the camera from the plane z = 0
_FOCAL = 1.2  # in shorter sides
_PASSES = 22.0  # frame in which the post is in the middle
_APART = 37  # frames by which the swings of a shot are ahead of those of the one before


def camera(width: int, height: int) -> Camera:
    """Return the camera: it looks straight down."""
    pose = np.eye(4)
    pose[2, 3] = _AWAY
    return Camera(pose=pose, width=width, height=height, focal=_FOCAL * min(width, height))


def world(*, frames: int, shots: int, seed: int, target: str) -> tuple[Shot, ...]:
    """Lay out the shots, of nearly equal lengths.

    Args:
        frames: Of all shots together.
        shots: How many; every second one lacks the target.
        seed: 0 is the tuned world.
        target: What is missing from every second shot.

    Raises:
        InvalidInput: There is no such target.
    """
    if target not in TARGETS:
        raise InvalidInput(
            f"the clip has no {target!r} to edit", hint=f"It has: {', '.join(TARGETS)}."
        )
    bounds = [frames * number // shots for number in range(shots + 1)]
    return tuple(
        Shot(
            start=start,
            length=stop - start,
            backdrop=_backdrop(number, seed),
            bodies=tuple(
                body for body in _bodies(number, seed) if number % 2 == 0 or body.name != target
            ),
        )
        for number, (start, stop) in enumerate(itertools.pairwise(bounds))
    )


def _backdrop(number: int, seed: int) -> Backdrop:
    ahead = 31.0 * number + 17.0 * seed
    return Backdrop(
        photo=PHOTOS[(number + seed) % len(PHOTOS)],
        x=Swing(0.11, 92, ahead),
        y=Swing(0.06, 74, 20 + ahead),
        zoom=Swing(0.04, 110, ahead),
        turn=Swing(2.5, 84, 8 + ahead),
    )


def _bodies(number: int, seed: int) -> Sequence[Body]:
    """Return all bodies of a shot; every second shot is mirrored."""
    side = 1 if number % 2 == 0 else -1
    stray = np.random.default_rng([seed, 2]).uniform(-1, 1, 8) * (seed != 0)
    # in frames; the ball's sideways swing must still meet the post
    early = [float(2 * value) + _APART * number for value in stray]
    ball = Floating(
        place=(-0.15 * side, 0.05 * side, 0.6),
        x=Swing(0.42 * side, 64, 10 + early[0] - _APART * number),
        y=Swing(0.17, 52, early[1]),
        z=Swing(0.14, 70, 9 + early[2]),
        tilt=Swing(13, 57, early[3]),
        roll=Swing(15, 64, 10 + early[4]),
        twist=Swing(14, 47, 5 + early[5]),
    )
    cross = Floating(
        place=(1.36 * side, 0.78, 0.15),
        x=Swing(0.1, 41, early[6]),
        y=Swing(0.12, 58, early[7]),
        spin=1.6 * side,
        start=20,
    )
    box = Floating(
        place=(-1.3 * side, -0.82, 0.1),
        x=Swing(0.14, 66, early[1]),
        y=Swing(0.08, 49, early[2]),
        spin=-1.1 * side,
        start=35,
    )
    post = Passing(
        place=(0.0, 0.0, 1.7), speed=0.044 * side, at=_PASSES, period=110, lean=7.0 * side
    )
    return (
        _body(
            TARGET, "red", 0.6, _clouds(0.2, TARGET, seed), ball,
            Ball(centre=(0, 0, 0), radius=0.56),
        ),
        _body(
            "yellow cross", "#d0ac14", 0.45, _clouds(0.2, "cross", seed), cross,
            Block(centre=(0, 0, 0), half=(0.44, 0.14, 0.1)),
            Block(centre=(0, 0, 0), half=(0.14, 0.44, 0.1)),
        ),
        _body(
            "green box", "green", 0.55, _clouds(0.2, "box", seed), box,
            Block(centre=(0, 0, 0), half=(0.36, 0.28, 0.2)),
        ),
        _body(
            "grey post", "#808386", 0.4, Wood(ring=0.1, seed=seed), post,
            Block(centre=(0, 0, 0), half=(0.165, 3.0, 0.06)),
        ),
    )  # fmt: skip


def _clouds(size: float, name: str, seed: int) -> Pattern:
    clouds = Mottling(size=size, octaves=2, seed=zlib.crc32(name.encode()) + seed)
    return Sharpened(pattern=clouds, gain=1.7)


def _body(
    name: str,
    colour: str,
    spread: float,
    pattern: Pattern,
    motion: Floating | Passing,
    *shapes: Ball | Block,
) -> Body:
    """Make a body that is lighter and darker than its colour by up to a share."""
    middle = reflectance(colour)
    material = Material(
        colour=scaled(middle, 1 + spread), second=scaled(middle, 1 - spread), pattern=pattern
    )
    return Body(name=name, shapes=shapes, material=material, motion=motion)
