"""A scene: things made of shapes and a material, and one lamp. An edit of it is another scene."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32

from image_core.colour import srgb_to_linear
from image_core.colour_names import parse_colour
from image_core.errors import InvalidInput
from pocket.patterns import Pattern
from pocket.shapes import Point3, Shape, Vectors

Rgb = tuple[float, float, float]

_LUMINANCE = (0.2126, 0.7152, 0.0722)  # of linear sRGB (ITU-R BT.709)


@dataclass(frozen=True, kw_only=True)
class Material:
    """A matt surface of two colours.

    Attributes:
        colour: Linear RGB reflectance in [0, 1] where the pattern is 0.
        second: The same where the pattern is 1; between, the two are mixed.
        pattern: Where which of them shows.
    """

    colour: Rgb
    second: Rgb
    pattern: Pattern

    def reflectance(self, points: Vectors) -> Float32[np.ndarray, "3 n"]:
        """Return the linear RGB reflectance at points."""
        share = self.pattern.share(points)
        first, second = _column(self.colour), _column(self.second)
        return np.asarray(first + share * (second - first))

    def recoloured(self, colour: Rgb) -> Material:
        """Return the same surface in another colour.

        Both colours take its hue, and each stays as much lighter or darker than their mean as it
        was: what was texture stays texture.

        Args:
            colour: Linear RGB reflectance midway between the two colours from now on.
        """
        own = _luminance(self.colour), _luminance(self.second)
        middle = max(sum(own) / 2, 1e-6)
        return replace(
            self, colour=scaled(colour, own[0] / middle), second=scaled(colour, own[1] / middle)
        )


@dataclass(frozen=True, kw_only=True)
class Thing:
    """What has a name and a mask of its own.

    Attributes:
        name: Colour and noun, as an instruction would say it ("red ball").
        shapes: Their union is its form.
        material: Of all of them.
        casts_shadow: Whether it can stand between the lamp and something else; a room can't.
    """

    name: str
    shapes: tuple[Shape, ...]
    material: Material
    casts_shadow: bool = True


@dataclass(frozen=True, kw_only=True)
class Lamp:
    """A small lamp and the even light of the room.

    Light is what a white matt surface sends back, 1 being as white as a picture can show. It does
    not weaken with distance and is not thrown from thing to thing, so that recolouring one thing
    changes no pixel of another.

    Attributes:
        place: Where the lamp hangs.
        power: Its light on a surface that faces it.
        ambient: The room's light on a surface that faces up.
        ambient_below: The same on one that faces down.
    """

    place: Point3
    power: float
    ambient: float
    ambient_below: float


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Things under a lamp.

    Attributes:
        name: What the scene is called.
        things: All of them, the room included; names differ.
        lamp: Its light.
    """

    name: str
    things: tuple[Thing, ...]
    lamp: Lamp

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its things, in order."""
        return tuple(thing.name for thing in self.things)

    def thing(self, name: str) -> Thing:
        """Return the thing of a name.

        Raises:
            InvalidInput: There is none.
        """
        for thing in self.things:
            if thing.name == name:
                return thing
        raise InvalidInput(
            f"the scene {self.name!r} has no {name!r}", hint=f"It has: {', '.join(self.names)}."
        )

    def with_material(self, name: str, material: Material) -> Scene:
        """Return the scene in which one thing is made of something else.

        Raises:
            InvalidInput: There is no such thing.
        """
        changed = replace(self.thing(name), material=material)
        things = tuple(changed if thing.name == name else thing for thing in self.things)
        return replace(self, things=things)

    def recoloured(self, name: str, colour: str) -> Scene:
        """Return the scene in which one thing has the colour that words name, its texture kept.

        Raises:
            InvalidInput: There is no such thing, or the words name no colour.
        """
        return self.with_material(name, self.thing(name).material.recoloured(reflectance(colour)))


def reflectance(colour: str) -> Rgb:
    """Return the linear RGB reflectance of a thing that has the colour which words name.

    Raises:
        InvalidInput: They name none.
    """
    named = parse_colour(colour)
    if named is None:
        raise InvalidInput(
            f"{colour!r} is no colour", hint='Name one ("navy blue", "green", "#1a2a5c").'
        )
    red, green, blue = srgb_to_linear(np.array(named.rgb)).tolist()
    return red, green, blue


def scaled(colour: Rgb, factor: float) -> Rgb:
    """Return a colour made lighter or darker; no surface sends back more than all light."""
    red, green, blue = (min(1.0, factor * part) for part in colour)
    return red, green, blue


def _luminance(colour: Sequence[float]) -> float:
    return sum(weight * part for weight, part in zip(_LUMINANCE, colour, strict=True))


def _column(colour: Rgb) -> Float32[np.ndarray, "3 1"]:
    return np.array(colour, dtype=np.float32)[:, None]
