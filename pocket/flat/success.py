"""Whether a picture shows what an edit should have made of it, strictly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from pocket.flat.edits import EditCase
from pocket.flat.instructions import Task
from pocket.flat.layout import SIDE
from pocket.flat.measure import Measured, MeasuredThing, measure
from pocket.flat.scenes import FlatThing, Scenes

NEAR = 0.2
"""How far an object may lie from its place, in half-widths of the picture: 6 pixels of 64."""

_LENIENT = 0.5  # an added object is on its side when it is beyond this share of ``SIDE``


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """What a picture must show.

    Attributes:
        things: The objects; nothing else may be there.
        ground: The kind of ground.
        task: What was asked for: a ground or a pattern is only asked of the tasks that make one.
        free: Which of the things may lie anywhere, as an added one; -1 for none.
        side: On which side that one must be; empty for anywhere.
        patterned: Which of the things must have its pattern; -1 for none.
        anywhere: No object has a place, as in a picture that was made from a caption.
    """

    things: tuple[FlatThing, ...]
    ground: str
    task: Task | None = None
    free: int = -1
    side: str = ""
    patterned: int = -1
    anywhere: bool = False


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What of an expectation is met.

    Attributes:
        objects: Every object is at its place with its colour and its shape, and nothing else is
            there.
        colours: As many objects, each at its place with its colour.
        count: As many objects.
        pattern: The object whose pattern was asked for has it; true where none was.
        ground: The kind of ground is the expected one.
        right: All that the task asks for: ``objects`` and ``pattern``, and ``ground`` for a task
            that changes it.
    """

    objects: bool
    colours: bool
    count: bool
    pattern: bool
    ground: bool
    right: bool


def expectation(case: EditCase) -> Expectation:
    """Return what an edit must come to."""
    return Expectation(
        things=case.after,
        ground=case.ground,
        task=case.task,
        free=case.number if case.task == "add" else -1,
        side=case.side,
        patterned=case.number if case.task == "texture" else -1,
    )


def shows(scenes: Scenes, row: int, *, anywhere: bool = False) -> Expectation:
    """Return what a scene shows, to be asked of a picture of it.

    Args:
        scenes: A batch.
        row: Which of its scenes.
        anywhere: The objects may lie elsewhere, for a caption doesn't say where.
    """
    return Expectation(things=scenes.things(row), ground=scenes.ground_name(row), anywhere=anywhere)


def success(picture: Float32[np.ndarray, "h w 3"] | Measured, expected: Expectation) -> Verdict:
    """Judge a picture.

    Args:
        picture: sRGB in [0, 1], or what was measured in it.
        expected: What it must show.
    """
    measured = picture if isinstance(picture, Measured) else measure(picture)
    partners = _partners(measured.things, expected)
    met = [one for one in partners if one is not None]
    count = len(measured.things) == len(expected.things)
    placed = count and len(met) == len(expected.things)
    pairs = list(zip(partners, expected.things, strict=True))
    colours = placed and all(one is not None and one.colour == want.colour for one, want in pairs)
    objects = colours and all(one is not None and one.shape == want.shape for one, want in pairs)
    patterned = partners[expected.patterned] if expected.patterned >= 0 else None
    pattern = expected.patterned < 0 or (
        patterned is not None and patterned.pattern == expected.things[expected.patterned].pattern
    )
    ground = measured.ground == expected.ground
    return Verdict(
        objects=objects,
        colours=colours,
        count=count,
        pattern=pattern,
        ground=ground,
        right=objects and pattern and (ground or expected.task != "ground"),
    )


def _partners(
    measured: Sequence[MeasuredThing], expected: Expectation
) -> list[MeasuredThing | None]:
    """Find for each expected object the measured one that stands for it, each once."""
    partners: list[MeasuredThing | None] = [None] * len(expected.things)
    left = list(measured)
    # who has a place chooses first
    for free in (False, True):
        for number, want in enumerate(expected.things):
            if (expected.anywhere or number == expected.free) == free and left:
                ranks = [_rank(one, want, expected, free=free) for one in left]
                best = int(np.argmin(ranks))
                if np.isfinite(ranks[best]):
                    partners[number] = left.pop(best)
    return partners


def _rank(one: MeasuredThing, want: FlatThing, expected: Expectation, *, free: bool) -> float:
    """Return how badly a measured object stands for an expected one; infinite for not at all."""
    if not free:
        away = float(np.hypot(one.x - want.x, one.y - want.y))
        return away if away <= NEAR else np.inf
    if not expected.anywhere and expected.side and not _beyond(one, expected.side):
        return np.inf
    return 2.0 * (one.colour != want.colour) + (one.shape != want.shape)


def _beyond(one: MeasuredThing, side: str) -> bool:
    along = {"left": -one.x, "right": one.x, "top": -one.y, "bottom": one.y}[side]
    return along > _LENIENT * SIDE
