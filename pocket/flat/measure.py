"""Reading a picture back without learning: which objects it shows, and on what ground.

What is colourful enough is an object, for the grounds are muted. Each connected piece is read by
itself: its colour by the mean hue, its shape by overlap with templates of equal area, turned a
little either way.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32

from image_core.colour import srgb_to_oklab
from image_core.errors import InvalidInput
from pocket.flat.layout import BIG, SMALL
from pocket.flat.measure_ground import read_ground
from pocket.flat.measure_pattern import read_pattern
from pocket.flat.outlines import covered, signed_distance
from pocket.flat.words import COLOURS, SHAPES, colour_table

COLOURFUL = 0.06
"""OKLab chroma from which a pixel is of an object: grounds have up to 0.035."""
LEAST = 0.010
"""Share of the picture that a piece must have to be an object; the smallest cross has 0.05."""

_GRID = 32  # pixels of a side of the templates
_EXTENT = 1.75  # half the side of a template, in radii of a disc of the shape's area
_TURNS = np.linspace(-0.3, 0.3, 9)  # radians
_FINE = 400  # samples of a side by which a shape's area is measured

Picture = Float32[np.ndarray, "h w 3"]


@dataclass(frozen=True, kw_only=True)
class MeasuredThing:
    """An object that a picture shows.

    Attributes:
        colour: The nearest of ``COLOURS``.
        shape: The most similar of ``SHAPES``.
        pattern: Which of ``PATTERNS``.
        big: Or small.
        x: Of its centre of mass, from -1 at the left to 1.
        y: From -1 at the top to 1.
        radius: By its area, in half-widths of the picture.
        likeness: Overlap with the template, intersection over union.
    """

    colour: str
    shape: str
    pattern: str
    big: bool
    x: float
    y: float
    radius: float
    likeness: float


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a picture shows.

    Attributes:
        things: Its objects, in no particular order.
        ground: Which of ``GROUNDS``.
    """

    things: tuple[MeasuredThing, ...]
    ground: str


def measure(picture: Picture) -> Measured:
    """Read a picture.

    Args:
        picture: sRGB in [0, 1], square.

    Raises:
        InvalidInput: It isn't square, or smaller than 16 pixels.
    """
    height, width = picture.shape[:2]
    if height != width or height < 16:
        raise InvalidInput(
            f"a picture of {width} x {height} pixels", hint="Scenes are square, 16 or more."
        )
    lab = srgb_to_oklab(np.clip(picture, 0, 1))
    colourful = np.hypot(lab[..., 1], lab[..., 2]) > COLOURFUL
    count, labels, boxes, centres = cv2.connectedComponentsWithStats(
        colourful.astype(np.uint8), connectivity=4
    )
    things = [
        _read(lab, labels, number, boxes[number], centres[number])
        for number in range(1, count)
        if boxes[number, cv2.CC_STAT_AREA] >= LEAST * height * width
    ]
    return Measured(things=tuple(things), ground=read_ground(lab[..., 0], colourful))


def _read(
    lab: Float32[np.ndarray, "h w 3"],
    labels: Int32[np.ndarray, "h w"],
    number: int,
    box: Int32[np.ndarray, " 5"],
    centre: Float64[np.ndarray, " 2"],
) -> MeasuredThing:
    size = len(labels)
    left, top, width, height, area = (int(value) for value in box)
    around = (slice(top, top + height), slice(left, left + width))
    piece, own = labels[around] == number, lab[around]
    disc = math.sqrt(area / math.pi)  # radius in pixels of a disc of the same area
    shape, likeness = _shape(piece, (float(centre[0]) - left, float(centre[1]) - top), disc)
    radius = disc / _disc(shape) / (size / 2)
    return MeasuredThing(
        colour=_colour(own, piece),
        shape=shape,
        pattern=read_pattern(own[..., 0], piece),
        big=radius > math.sqrt(SMALL * BIG),
        x=(2 * float(centre[0]) + 1) / size - 1,
        y=(2 * float(centre[1]) + 1) / size - 1,
        radius=radius,
        likeness=likeness,
    )


def _colour(lab: Float32[np.ndarray, "h w 3"], piece: Bool[np.ndarray, "h w"]) -> str:
    """Return the colour whose hue is the nearest to the mean; stripes and shade keep the hue."""
    mean = lab[piece][:, 1:].mean(axis=0)
    return COLOURS[int((_hues() @ mean).argmax())]


@lru_cache(maxsize=1)
def _hues() -> Float32[np.ndarray, "colours 2"]:
    ab = srgb_to_oklab(colour_table())[:, 1:]
    return np.asarray(ab / np.linalg.norm(ab, axis=1, keepdims=True))


def _shape(
    piece: Bool[np.ndarray, "h w"], centre: tuple[float, float], disc: float
) -> tuple[str, float]:
    """Return the most similar shape, and the overlap with it."""
    step = 2 * _EXTENT * disc / _GRID  # pixels of the picture a pixel of the template
    to_picture = np.array(
        [
            [step, 0, centre[0] + step * (0.5 - _GRID / 2)],
            [0, step, centre[1] + step * (0.5 - _GRID / 2)],
        ],
        dtype=np.float32,
    )
    seen = cv2.warpAffine(
        piece.astype(np.float32),
        to_picture,
        (_GRID, _GRID),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
    ).ravel()
    templates = _templates()
    overlap = np.einsum("tp,p->t", templates, seen)
    union = templates.sum(axis=1) + seen.sum() - overlap
    likeness = overlap / np.maximum(union, 1e-6)
    best = int(likeness.argmax())
    return SHAPES[best // len(_TURNS)], float(likeness[best])


@lru_cache(maxsize=1)
def _templates() -> Float32[np.ndarray, "templates pixels"]:
    steps = ((2 * np.arange(_GRID) + 1) / _GRID - 1) * _EXTENT
    x, y = np.meshgrid(steps, steps)
    rows = []
    for shape in SHAPES:
        for turn in _TURNS:
            cos, sin = math.cos(turn) * _disc(shape), math.sin(turn) * _disc(shape)
            turned = (cos * x + sin * y, cos * y - sin * x)
            distance = signed_distance(shape, *(axis.astype(np.float32) for axis in turned))
            rows.append(covered(distance, _GRID / 2 / _EXTENT / _disc(shape)).ravel())
    return np.array(rows, dtype=np.float32)


@lru_cache(maxsize=len(SHAPES))
def _disc(shape: str) -> float:
    """Return the radius of a disc of the same area as a shape of radius 1."""
    steps = np.linspace(-1.25, 1.25, _FINE, dtype=np.float32)
    inside = signed_distance(shape, *np.meshgrid(steps, steps)) < 0
    return math.sqrt(float(inside.sum()) * (2.5 / (_FINE - 1)) ** 2 / math.pi)
