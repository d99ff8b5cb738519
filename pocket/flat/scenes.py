"""Flat scenes as arrays of parameters: an edit of a scene is another scene.

Lengths are in half-widths of the picture: it reaches from -1 to 1 in x (to the right) and y
(downwards), whatever its size in pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, Int64

from pocket.flat.settings import FlatSettings, Split
from pocket.flat.words import COLOURS, GROUNDS, PATTERNS, SHAPES

_PER_BATCH = ("settings", "split", "seed")  # fields that are no arrays


@dataclass(frozen=True, kw_only=True)
class FlatThing:
    """One object of a scene, in words and numbers.

    Attributes:
        colour: One of ``COLOURS``.
        shape: One of ``SHAPES``.
        pattern: One of ``PATTERNS``.
        big: Or small.
        x: Of its centre, from -1 at the left to 1.
        y: Of its centre, from -1 at the top to 1.
        radius: In half-widths of the picture.
    """

    colour: str
    shape: str
    pattern: str
    big: bool
    x: float
    y: float
    radius: float


@dataclass(frozen=True, kw_only=True)
class Scenes:
    """A batch of n scenes with up to four objects each.

    Attributes:
        settings: What they were drawn from.
        split: The stream they are of.
        seed: Of the stream.
        index: Their numbers in it.
        present: Which of the four slots hold an object. An empty slot's other values mean nothing.
        colour: Index of ``COLOURS``.
        shape: Index of ``SHAPES``.
        pattern: Index of ``PATTERNS``.
        big: Size as a word.
        radius: Half-extent.
        x: Of the centre.
        y: Of the centre.
        turn: Radians, clockwise.
        tone: Factor of the colour's light.
        grain: Radians: which way the pattern runs.
        pitch: Cycles of the pattern in a half-width.
        phase: Radians of the pattern.
        ground: Index of ``GROUNDS``.
        first: The ground's sRGB.
        second: The sRGB that its pattern shows beside it.
        ground_pitch: Cycles of its pattern across the picture.
        ground_grain: Radians: which way it runs.
        ground_phase: Radians, along and across.
        wave_pitch: Cycles across the picture of a wavy ground's waves.
        light: Where the light comes from: a vector of length up to 1.
    """

    settings: FlatSettings
    split: Split
    seed: int
    index: Int64[np.ndarray, " n"]
    present: Bool[np.ndarray, "n 4"]
    colour: Int64[np.ndarray, "n 4"]
    shape: Int64[np.ndarray, "n 4"]
    pattern: Int64[np.ndarray, "n 4"]
    big: Bool[np.ndarray, "n 4"]
    radius: Float32[np.ndarray, "n 4"]
    x: Float32[np.ndarray, "n 4"]
    y: Float32[np.ndarray, "n 4"]
    turn: Float32[np.ndarray, "n 4"]
    tone: Float32[np.ndarray, "n 4"]
    grain: Float32[np.ndarray, "n 4"]
    pitch: Float32[np.ndarray, "n 4"]
    phase: Float32[np.ndarray, "n 4"]
    ground: Int64[np.ndarray, " n"]
    first: Float32[np.ndarray, "n 3"]
    second: Float32[np.ndarray, "n 3"]
    ground_pitch: Float32[np.ndarray, " n"]
    ground_grain: Float32[np.ndarray, " n"]
    ground_phase: Float32[np.ndarray, "n 2"]
    wave_pitch: Float32[np.ndarray, " n"]
    light: Float32[np.ndarray, "n 2"]

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, rows: slice | Int64[np.ndarray, " m"] | list[int]) -> Scenes:
        """Return some of the scenes, as a batch again."""
        arrays: dict[str, Any] = {
            field.name: getattr(self, field.name)[rows]
            for field in fields(self)
            if field.name not in _PER_BATCH
        }
        return replace(self, **arrays)

    def slots(self, row: int) -> list[int]:
        """Return the slots of a scene that hold an object."""
        return [int(slot) for slot in np.flatnonzero(self.present[row])]

    def thing(self, row: int, slot: int) -> FlatThing:
        """Return one object of a scene."""
        return FlatThing(
            colour=COLOURS[self.colour[row, slot]],
            shape=SHAPES[self.shape[row, slot]],
            pattern=PATTERNS[self.pattern[row, slot]],
            big=bool(self.big[row, slot]),
            x=float(self.x[row, slot]),
            y=float(self.y[row, slot]),
            radius=float(self.radius[row, slot]),
        )

    def things(self, row: int) -> tuple[FlatThing, ...]:
        """Return the objects of a scene, in the order of their slots."""
        return tuple(self.thing(row, slot) for slot in self.slots(row))

    def ground_name(self, row: int) -> str:
        """Return what kind of ground a scene has."""
        return GROUNDS[self.ground[row]]

    def changed(self, **arrays: np.ndarray) -> Scenes:
        """Return the scenes with some of their parameters exchanged."""
        changes: dict[str, Any] = dict(arrays)
        return replace(self, **changes)
