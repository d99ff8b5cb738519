"""Random numbers keyed by what they are for: a scene looks the same in whatever batch it is made.

The key is (split, seed, purpose, index), hashed by numpy's ``SeedSequence``; another split or seed
is another stream.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Float64, Int64

from pocket.flat.settings import SPLITS, Split

Purpose = Literal["scene", "layout", "caption", "edit", "wording"]
_PURPOSES: tuple[Purpose, ...] = ("scene", "layout", "caption", "edit", "wording")


def generator(
    split: Split, seed: int, purpose: Purpose, index: int, draw: int = 0
) -> np.random.Generator:
    """Return the generator of one purpose of one scene.

    Args:
        split: Which stream.
        seed: 0 or more.
        purpose: What is drawn.
        index: Number of the scene in its stream.
        draw: Another draw for the same scene, such as another wording.
    """
    key = [SPLITS.index(split), seed, _PURPOSES.index(purpose), index, draw]
    return np.random.default_rng(key)


def uniforms(
    split: Split, seed: int, purpose: Purpose, indices: Int64[np.ndarray, " n"], width: int
) -> Float64[np.ndarray, "n width"]:
    """Return a row of numbers in [0, 1) for each scene."""
    rows = [generator(split, seed, purpose, int(index)).random(width) for index in indices]
    return np.array(rows, dtype=np.float64).reshape(len(indices), width)
