"""How much of the source's noise is used at each level."""

from __future__ import annotations

import math
from typing import Literal

Mixing = Literal["constant", "linear", "cosine", "exponential"]


def mixing_factors(
    steps: int, *, start: float, end: float, factor: float, mixing: Mixing
) -> tuple[float, ...]:
    """Return the interpolation factor at levels 0 … ``steps``.

    As in the published notebook, levels in (end, start] are mixed; ``constant`` takes the factor at
    all of them, the others let it fall from ``factor`` at the highest to 0 (``exponential``: to
    e^-5) at the lowest.

    Args:
        steps: How many levels there are above the clean one.
        start: Share of the levels, at and below which mixing is.
        end: Share of the levels, above which it is.
        factor: 1 is the source's noise alone.
        mixing: How it falls.
    """
    top, bottom = round(start * steps), round(end * steps)
    count = top - bottom
    factors = [0.0] * (steps + 1)
    for index, level in enumerate(range(top, bottom, -1)):
        along = index / (count - 1) if count > 1 else 0.0
        factors[level] = factor * _fallen(along, mixing)
    return tuple(factors)


def _fallen(along: float, mixing: Mixing) -> float:
    if mixing == "linear":
        return 1 - along
    if mixing == "cosine":
        return math.cos(along * math.pi / 2)
    if mixing == "exponential":
        return math.exp(-5 * along)
    return 1.0
