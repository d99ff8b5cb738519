"""From parameters to pictures and masks: objects one over the other on a ground, anti-aliased.

No object throws a shadow, so that an edit of one changes no pixel outside its own coverage.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from image_core.errors import InvalidInput
from pocket.flat.grounds import ground
from pocket.flat.layout import BIG, SPREAD
from pocket.flat.outlines import REACH, covered, signed_distance
from pocket.flat.scenes import Scenes
from pocket.flat.settings import SLOTS
from pocket.flat.words import PATTERNS, SHAPES, colour_table

SIZE = 64
"""Pixels of a side unless said otherwise."""
SMALLEST, LARGEST = 16, 1024

_CHUNK = 32  # scenes at a time: their temporaries stay in the processor's cache
_DARK = 0.45  # factor of the colour in a pattern's stripes and dots
_DOT = 0.45  # cos + cos above which a dot is
# shading of an object in its own coordinates: towards the light, and towards the rim
_BRIGHT, _TOWARDS, _RIM = 1.04, 0.14, 0.10

Pictures = Float32[np.ndarray, "n h w 3"]
Planes = Float32[np.ndarray, "m k k"]


def render(scenes: Scenes, *, size: int = SIZE) -> Pictures:
    """Render pictures, sRGB in [0, 1].

    Args:
        scenes: n scenes.
        size: Pixels of a side, 16 to 1024.

    Raises:
        InvalidInput: The size is out of range.
    """
    check_size(size)
    pictures = np.empty((len(scenes), size, size, 3), dtype=np.float32)
    for start in range(0, len(scenes), _CHUNK):
        part = scenes[start : start + _CHUNK]
        canvas = ground(part, size)
        for window in _windows(part, size):
            _lay_over(canvas, window, _colours(part, window, size))
        pictures[start : start + _CHUNK] = np.clip(canvas, 0, 1).transpose(0, 2, 3, 1)
    return pictures


def object_masks(scenes: Scenes, *, size: int = SIZE) -> Float32[np.ndarray, "n 4 h w"]:
    """Return the share of each pixel that each slot's object covers; 0 for an empty slot.

    Args:
        scenes: n scenes.
        size: Pixels of a side, 16 to 1024.

    Raises:
        InvalidInput: The size is out of range.
    """
    check_size(size)
    masks = np.zeros((len(scenes), SLOTS, size, size), dtype=np.float32)
    for start in range(0, len(scenes), _CHUNK):
        for window in _windows(scenes[start : start + _CHUNK], size):
            rows, columns = window.rows[:, :, None], window.columns[:, None, :]
            at = (window.scene[:, None, None] + start, window.slot[:, None, None], rows, columns)
            masks[at] = window.coverage
    return masks


def to_bytes(pictures: Float32[np.ndarray, "*n"]) -> UInt8[np.ndarray, "*n"]:
    """Return 8 bit samples of values in [0, 1]."""
    return np.asarray(np.rint(pictures * 255), dtype=np.uint8)


def check_size(size: int) -> None:
    """Refuse a size that pictures cannot have.

    Raises:
        InvalidInput: It is out of range.
    """
    if not SMALLEST <= size <= LARGEST:
        raise InvalidInput(
            f"scenes of {size} x {size} pixels", hint=f"Take {SMALLEST} to {LARGEST} a side."
        )


@dataclass(frozen=True, kw_only=True)
class _Window:
    """Objects of one shape, each in a window of the picture that holds all of it.

    Attributes:
        scene: Whose object.
        slot: Which.
        rows: Of the window.
        columns: Of the window.
        x: Of its pixels from the object's centre, in half-widths of the picture, to the right.
        y: The same, downwards.
        coverage: Share of each pixel that the object covers.
    """

    scene: Int64[np.ndarray, " m"]
    slot: Int64[np.ndarray, " m"]
    rows: Int64[np.ndarray, "m k"]
    columns: Int64[np.ndarray, "m k"]
    x: Float32[np.ndarray, "m 1 k"]
    y: Float32[np.ndarray, "m k 1"]
    coverage: Planes


def _windows(scenes: Scenes, size: int) -> Iterator[_Window]:
    """Yield the objects by shape. Objects don't overlap, so their order doesn't matter."""
    widest = math.ceil(BIG * (1 + SPREAD) * REACH * size) + 3
    side = min(size, widest)
    for number, shape in enumerate(SHAPES):
        scene, slot = np.nonzero(scenes.present & (scenes.shape == number))
        if not len(scene):
            continue
        rows = _span(scenes.y[scene, slot], side, size)
        columns = _span(scenes.x[scene, slot], side, size)
        y = _middles(rows, size)[:, :, None] - scenes.y[scene, slot][:, None, None]
        x = _middles(columns, size)[:, None, :] - scenes.x[scene, slot][:, None, None]
        radius = scenes.radius[scene, slot][:, None, None]
        cos = np.cos(scenes.turn[scene, slot])[:, None, None] / radius
        sin = np.sin(scenes.turn[scene, slot])[:, None, None] / radius
        distance = signed_distance(shape, cos * x + sin * y, cos * y - sin * x)
        yield _Window(
            scene=scene,
            slot=slot,
            rows=rows,
            columns=columns,
            x=x,
            y=y,
            coverage=covered(distance, radius * np.float32(size / 2)),
        )


def _span(centre: Float32[np.ndarray, " m"], side: int, size: int) -> Int64[np.ndarray, "m k"]:
    start = np.rint((centre + 1) * (size / 2) - side / 2).astype(np.int64)
    return np.asarray(np.clip(start, 0, size - side)[:, None] + np.arange(side))


def _middles(pixels: Int64[np.ndarray, "m k"], size: int) -> Float32[np.ndarray, "m k"]:
    return ((2 * pixels + 1) / size - 1).astype(np.float32)


def _colours(scenes: Scenes, window: _Window, size: int) -> Float32[np.ndarray, "m 3 k k"]:
    """Return what the objects look like over all of their windows."""
    at = (window.scene, window.slot)
    base = colour_table()[scenes.colour[at]] * scenes.tone[at][:, None]
    radius = scenes.radius[at][:, None, None]
    light = scenes.light[window.scene][:, :, None, None]
    towards = (light[:, 0] * window.x + light[:, 1] * window.y) / radius
    rim = (window.x**2 + window.y**2) / radius**2
    shade = np.float32(_BRIGHT) + np.float32(_TOWARDS) * towards - np.float32(_RIM) * rim
    shade *= 1 - np.float32(1 - _DARK) * _pattern(scenes, window, size)
    return np.asarray(np.clip(base[..., None, None] * shade[:, None], 0, 1))


def _pattern(scenes: Scenes, window: _Window, size: int) -> Planes:
    """Return where the dark stripes or dots are."""
    share = np.zeros_like(window.coverage)
    kinds = scenes.pattern[window.scene, window.slot]
    pixel = 4 * math.pi / size  # radians a pixel at one cycle a half-width
    for kind, name in enumerate(PATTERNS):
        chosen = np.flatnonzero(kinds == kind)
        if name == "solid" or not len(chosen):
            continue
        at = (window.scene[chosen], window.slot[chosen])
        pitch = 2 * np.float32(math.pi) * scenes.pitch[at][:, None, None]
        cos = np.cos(scenes.grain[at])[:, None, None] * pitch
        sin = np.sin(scenes.grain[at])[:, None, None] * pitch
        phase = scenes.phase[at][:, None, None]
        along = cos * window.x[chosen] + sin * window.y[chosen] + phase
        if name == "striped":
            wave = np.sin(along)
        else:
            across = cos * window.y[chosen] - sin * window.x[chosen] + phase
            wave = np.cos(along) + np.cos(across) - np.float32(_DOT)
        steep = 1 / (pixel * scenes.pitch[at][:, None, None])
        share[chosen] = np.clip(np.float32(0.5) + wave * steep.astype(np.float32), 0, 1)
    return share


def _lay_over(
    canvas: Float32[np.ndarray, "n 3 h w"],
    window: _Window,
    colours: Float32[np.ndarray, "m 3 k k"],
) -> None:
    # one after the other: windows of neighbours overlap
    for number, scene in enumerate(window.scene):
        rows = slice(window.rows[number, 0], window.rows[number, -1] + 1)
        columns = slice(window.columns[number, 0], window.columns[number, -1] + 1)
        at = (scene, slice(None), rows, columns)
        # in this form a pixel that is covered whole keeps nothing of what is below, to the last bit
        coverage = window.coverage[number]
        canvas[at] = (1 - coverage) * canvas[at] + coverage * colours[number]
