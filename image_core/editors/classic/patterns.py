"""Stripes, checks and dots: read from words, and drawn with smooth edges at any scale."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float32

from image_core.colour_names import NamedColour, parse_colour

Shape = Literal["stripes", "checks", "dots"]

_SHAPES: dict[str, Shape] = {
    "stripe": "stripes", "stripes": "stripes", "striped": "stripes", "stripy": "stripes",
    "pinstripe": "stripes", "pinstripes": "stripes", "zebra": "stripes",
    "check": "checks", "checks": "checks", "checked": "checks", "checkered": "checks",
    "chequered": "checks", "checkerboard": "checks", "chequerboard": "checks",
    "dot": "dots", "dots": "dots", "dotted": "dots", "spots": "dots", "spotted": "dots",
}  # fmt: skip
_SCALES = {
    "wide": 1.8, "broad": 1.8, "big": 1.8, "large": 1.8, "thick": 1.8, "bold": 1.6, "huge": 2.6,
    "narrow": 0.55, "thin": 0.55, "fine": 0.45, "small": 0.55, "tiny": 0.35, "pinstripe": 0.4,
    "pinstripes": 0.4,
}  # fmt: skip
_ANGLES = {"vertical": 0.0, "upright": 0.0, "horizontal": 90.0, "level": 90.0, "diagonal": 45.0}
_FILLERS = {
    ",", "a", "an", "the", "of", "with", "and", "or", "on", "in", "pattern", "patterns", "print",
    "background", "ground", "polka", "texture", "fabric", "cloth", "design", "coloured", "colored",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """A pattern in words.

    Attributes:
        shape: What is repeated.
        colours: Two or more; for dots the ground first, then the dots'.
        scale: Factor on the usual period.
        angle: Degrees by which it is turned; upright stripes at 0.
    """

    shape: Shape
    colours: tuple[NamedColour, ...]
    scale: float = 1.0
    angle: float = 0.0


def parse_pattern(text: str) -> Pattern | None:
    """Read "red and white stripes", "white dots on blue", "wide green stripes" and the like.

    Returns:
        The pattern, or None when the words name none, or hold a word that is not understood.
    """
    words = re.findall(r"#[0-9a-f]{6}|[a-z]+(?:-[a-z]+)*|,", text.lower())
    shape: Shape | None = None
    shape_at = len(words)
    scale, angle = 1.0, 0.0
    before: list[NamedColour] = []
    after: list[NamedColour] = []
    at = 0
    while at < len(words):
        colour, length = _colour_at(words, at)
        if colour is not None:
            (before if shape is None else after).append(colour)
            at += length
            continue
        word = words[at]
        if word in _SHAPES:
            if shape is not None and _SHAPES[word] != shape:
                return None
            shape, shape_at = _SHAPES[word], min(at, shape_at)
            if word == "zebra":
                before = before or [_named("black"), _named("white")]
        elif word not in _FILLERS and word not in _SCALES and word not in _ANGLES:
            return None
        scale *= _SCALES.get(word, 1.0)
        angle = _ANGLES.get(word, angle)
        at += 1
    if shape is None:
        return None
    if shape == "dots" and "with" in words[:shape_at] and len(before) > 1:
        before = [*before[1:], before[0]]  # "blue with white dots": the ground was said first
    colours = _ordered(shape, before + after)
    return Pattern(shape=shape, colours=colours, scale=scale, angle=angle)


def _ordered(shape: Shape, colours: list[NamedColour]) -> tuple[NamedColour, ...]:
    """Put the colours in drawing order, and find a second one where only one is named."""
    if not colours:
        colours = [_named("navy")]
    if len(colours) == 1:
        colours = [*colours, _named("navy" if colours[0].lch[0] > 0.9 else "white")]
    if shape == "dots":
        # "white dots on blue": the ground is said last, or not at all
        return (colours[-1], *colours[:-1])
    return tuple(colours)


def _named(word: str) -> NamedColour:
    colour = parse_colour(word)
    assert colour is not None
    return colour


def _colour_at(words: list[str], at: int) -> tuple[NamedColour | None, int]:
    """Return the longest colour phrase that starts at a word, and its length."""
    for length in (3, 2, 1):
        piece = words[at : at + length]
        if len(piece) < length or piece[0] in _FILLERS or piece[-1] in _FILLERS:
            continue
        if any(word in _FILLERS or word in _SHAPES for word in piece):
            continue
        colour = parse_colour(" ".join(piece))
        if colour is not None:
            return colour, length
    return None, 0


def draw(
    pattern: Pattern, x: Float32[np.ndarray, "h w"], y: Float32[np.ndarray, "h w"], period: float
) -> Float32[np.ndarray, "h w 3"]:
    """Return the pattern's linear-light colours at places given in pixels from its anchor.

    Args:
        pattern: What to draw.
        x: Places to the right of the anchor.
        y: Places below the anchor.
        period: Width of one repeat in pixels; edges are one pixel soft.
    """
    turn = np.radians(pattern.angle)
    u = (x * np.cos(turn) + y * np.sin(turn)).astype(np.float32) / np.float32(period)
    v = (y * np.cos(turn) - x * np.sin(turn)).astype(np.float32) / np.float32(period)
    colours = np.array([c.rgb for c in pattern.colours], np.float32)
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    linear = linear.astype(np.float32)
    soft = np.float32(1 / period)
    if pattern.shape == "stripes":
        return _stripes(u, linear, soft)
    if pattern.shape == "checks":
        a, b = _square_wave(u, soft), _square_wave(v, soft)
        odd = a * (1 - b) + b * (1 - a)
        return np.asarray(linear[0] + odd[..., None] * (linear[1] - linear[0]))
    # two dots a cell, like the five of a die without its corners: the usual polka print
    result = np.broadcast_to(linear[0], (*u.shape, 3)).astype(np.float32)
    for index, shift in enumerate((0.0, 0.5)):
        du = u + np.float32(shift) - np.round(u + np.float32(shift))
        dv = v + np.float32(shift) - np.round(v + np.float32(shift))
        cover = np.clip((0.2 - np.hypot(du, dv)) / soft + 0.5, 0, 1)[..., None]
        colour = linear[1 + index % (len(linear) - 1)]
        result = result + cover * (colour - result)
    return np.asarray(result, dtype=np.float32)


def _square_wave(u: np.ndarray, soft: np.float32) -> np.ndarray:
    """Return 1 on the inner half of each repeat, 0 on the rest, with soft edges."""
    distance = 0.25 - np.abs((u % 1) - 0.5)  # to the nearest edge; positive on the inner half
    return np.asarray(np.clip(distance / soft + 0.5, 0, 1), dtype=np.float32)


def _stripes(
    u: np.ndarray, colours: Float32[np.ndarray, "n 3"], soft: np.float32
) -> Float32[np.ndarray, "h w 3"]:
    """Lay equal bands of all colours side by side."""
    count = len(colours)
    place = (u % 1) * count
    band = np.minimum(place.astype(np.int64), count - 1)
    into = (place - band) / (count * soft)  # pixels since the band's start
    share = np.clip(0.5 + into, 0, 1)
    rest = np.clip(0.5 + (1 - (place - band)) / (count * soft), 0, 1)
    previous, following = colours[(band - 1) % count], colours[(band + 1) % count]
    here = colours[band]
    mixed = previous + share[..., None] * (here - previous)
    mixed = mixed + (1 - rest)[..., None] * (following - mixed)
    return np.asarray(mixed, dtype=np.float32)
