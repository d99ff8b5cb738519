"""The scene "table": five things of clear colours on a wooden table, in a dull-coloured room.

The colours of table and room are dull and their patterns strong: a reconstruction has something to
hold on to everywhere, and who looks for a thing by its colour finds nothing else.
"""

from __future__ import annotations

import zlib

import numpy as np

from pocket.cameras import Orbit
from pocket.patterns import Checks, Mottling, Pattern, Stripes, Wood
from pocket.scene import Lamp, Material, Scene, Thing, reflectance, scaled
from pocket.shapes import Ball, Block, Frustum, Room, Shape

TARGET = "red ball"
"""What the default edit changes."""
COLOUR = "blue"
"""What colour it gets."""
VIEWPOINTS = Orbit(centre=(0.0, -0.05, 0.12), radius=2.55, elevations=(36.0, 44.0, 53.0), arc=200.0)
"""From where the scene is looked at: the ball's side of the table."""

_BALL = 0.31
# of ball, box, cone, vase and cup; from the ball's side all others are seen apart from it
_SPOTS = ((0.0, -0.68), (-0.92, 0.42), (0.42, 0.82), (-0.3, 0.85), (0.95, 0.35))


def table_scene(seed: int = 0) -> Scene:
    """Make the scene.

    Args:
        seed: 0 is the tuned scene; another moves things a little and takes other clouds and grain.
    """
    generator = np.random.default_rng([seed, 1])
    stray = generator.uniform(-0.05, 0.05, (5, 2)) * (seed != 0)
    ball, box, cone, vase, cup = (
        (x + float(dx), y + float(dy)) for (x, y), (dx, dy) in zip(_SPOTS, stray, strict=True)
    )
    return Scene(
        name="table",
        things=(
            _thing(TARGET, "red", seed, Ball(centre=(*ball, _BALL), radius=_BALL)),
            _thing(
                "yellow box",
                "#e0bc18",
                seed,
                Block(centre=(*box, 0.22), half=(0.22, 0.18, 0.22), yaw=25),
            ),
            _thing(
                "green cone",
                "green",
                seed,
                Frustum(base=(*cone, 0.0), height=0.62, bottom=0.26, top=0.0),
            ),
            _thing(
                "purple vase",
                "purple",
                seed,
                Frustum(base=(*vase, 0.0), height=0.28, bottom=0.13, top=0.23),
                Frustum(base=(*vase, 0.28), height=0.24, bottom=0.23, top=0.1),
            ),
            _cup(cup),
            _table(seed),
            *_room(seed),
        ),
        lamp=Lamp(place=(-1.6, -3.4, 4.2), power=0.6, ambient=0.62, ambient_below=0.42),
    )


def _thing(name: str, colour: str, seed: int, *shapes: Shape) -> Thing:
    """Make a thing that is mottled, lighter and darker than its colour by up to a quarter."""
    return Thing(
        name=name, shapes=shapes, material=_about(colour, 0.25, _mottling(0.3, name, seed))
    )


def _cup(place: tuple[float, float]) -> Thing:
    cup = Frustum(base=(*place, 0.0), height=0.3, bottom=0.14, top=0.18)
    striped = _about("#d4d4d0", 0.38, Stripes(width=0.075))
    return Thing(name="white cup", shapes=(cup,), material=striped)


def _about(colour: str, spread: float, pattern: Pattern) -> Material:
    middle = reflectance(colour)
    return Material(
        colour=scaled(middle, 1 + spread), second=scaled(middle, 1 - spread), pattern=pattern
    )


def _mottling(size: float, name: str, seed: int) -> Mottling:
    return Mottling(size=size, seed=zlib.crc32(name.encode()) + seed)


def _table(seed: int) -> Thing:
    top = Frustum(base=(0.0, 0.0, -0.08), height=0.08, bottom=1.35, top=1.35)
    leg = Frustum(base=(0.0, 0.0, -1.2), height=1.12, bottom=0.3, top=0.14)
    wood = _of("#b9a894", "#75695c", Wood(ring=0.12, seed=seed))
    return Thing(name="table", shapes=(top, leg), material=wood)


def _room(seed: int) -> tuple[Thing, Thing]:
    paper = _of("#b4b3aa", "#5f6468", _mottling(1.1, "room", seed))
    tiles = _of("#a3a29c", "#6b6d6e", Checks(size=0.7))
    walls = Room(low=(-4.2, -4.4, -1.25), high=(4.2, 4.4, 4.6))
    floor = Block(centre=(0.0, 0.0, -1.22), half=(4.19, 4.39, 0.02))
    return (
        Thing(name="floor", shapes=(floor,), material=tiles),
        Thing(name="room", shapes=(walls,), material=paper, casts_shadow=False),
    )


def _of(first: str, second: str, pattern: Pattern) -> Material:
    return Material(colour=reflectance(first), second=reflectance(second), pattern=pattern)
