"""Patterns that fill space: how much of a material's second colour shows at each point.

They are functions of the place in the scene, so a surface that is cut out of them shows the same
pattern from every camera and needs no unwrapping.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32
from scipy.ndimage import map_coordinates

from pocket.shapes import Vectors

Shares = Float32[np.ndarray, " n"]

_LATTICE = 32
# no lattice plane may lie in a surface at a round coordinate, where rounding would choose the side
_SHIFT = 0.371


@runtime_checkable
class Pattern(Protocol):
    """A share in [0, 1] at every point of space."""

    def share(self, points: Vectors) -> Shares:
        """Return the share of the second colour at each point."""
        ...


@dataclass(frozen=True, kw_only=True)
class Mottling:
    """Clouds: value noise of several octaves, each half as wide and half as strong as the last.

    Attributes:
        size: Width of the widest clouds.
        octaves: How many widths are mixed.
        seed: Which clouds.
    """

    size: float
    octaves: int = 2
    seed: int = 0

    def share(self, points: Vectors) -> Shares:
        """Mix the octaves, and spread them over [0, 1]."""
        total = np.zeros(points.shape[1], dtype=np.float32)
        weights = 0.5 ** np.arange(self.octaves)
        for octave, weight in enumerate(weights / weights.sum()):
            wide = self.size / 2**octave
            total += np.float32(weight) * _value_noise(points, wide, self.seed + octave)
        # a mean of several values keeps to the middle; the contrast is given back
        spread = np.float32(0.5) + np.float32(1.6) * (total - np.float32(0.5))
        return np.asarray(np.clip(spread, 0, 1))


@dataclass(frozen=True, kw_only=True)
class Checks:
    """Cubes of two colours, piled up alternately.

    Attributes:
        size: Edge of a cube.
    """

    size: float

    def share(self, points: Vectors) -> Shares:
        """Count the cubes passed in all three directions: odd or even."""
        cell = np.floor(points / np.float32(self.size) + np.float32(_SHIFT)).astype(np.int64)
        return np.asarray(cell.sum(axis=0) % 2, dtype=np.float32)


@dataclass(frozen=True, kw_only=True)
class Stripes:
    """Layers of two colours.

    Attributes:
        width: Thickness of a layer.
        axis: Across which axis they lie.
    """

    width: float
    axis: Literal["x", "y", "z"] = "z"

    def share(self, points: Vectors) -> Shares:
        """Count the layers passed: odd or even."""
        along = points["xyz".index(self.axis)]
        layer = np.floor(along / np.float32(self.width) + np.float32(_SHIFT))
        return np.asarray(layer % 2, dtype=np.float32)


@dataclass(frozen=True, kw_only=True)
class Wood:
    """Grain along x: the rings of a trunk, bent and blurred by noise.

    Attributes:
        ring: From one ring to the next.
        seed: Which trunk.
    """

    ring: float
    seed: int = 0

    def share(self, points: Vectors) -> Shares:
        """Let a saw-tooth rise over each ring and fall where the next begins."""
        # stretched along the grain, as fibres are
        stretched = points * np.array([[0.25], [1.0], [1.0]], dtype=np.float32)
        bent = np.float32(2.0) * _value_noise(stretched, 5 * self.ring, self.seed)
        away = np.hypot(points[1], points[2] + np.float32(8 * self.ring)) / np.float32(self.ring)
        turn = (away + bent) % 1
        rings = np.where(turn < 0.8, turn / np.float32(0.8), (1 - turn) / np.float32(0.2))
        fibre = _value_noise(stretched, 0.6 * self.ring, self.seed + 1)
        return (np.float32(0.7) * rings + np.float32(0.3) * fibre).astype(np.float32)


def _value_noise(points: Vectors, size: float, seed: int) -> Shares:
    """Return random values on a lattice of step ``size``, linear between its nodes."""
    places = points / np.float32(size) + np.float32(_SHIFT)
    return np.asarray(
        map_coordinates(_lattice(seed), places, order=1, mode="grid-wrap"), dtype=np.float32
    )


@lru_cache(maxsize=64)
def _lattice(seed: int) -> Float32[np.ndarray, "a a a"]:
    values = np.random.default_rng(seed).random((_LATTICE,) * 3, dtype=np.float32)
    values.setflags(write=False)
    return values
