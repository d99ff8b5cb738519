"""When which view is edited, with what key and what strength; nothing but arithmetic."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from image_core.disk_cache import content_key
from image_core.errors import InvalidInput


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """The numbers of the data-set update loop.

    A *round* visits each view that holds the target once, in an order of its own, some views at a
    time. Instruct-NeRF2NeRF (section 4.3) draws views in one fixed random order, one view every
    ten steps.

    Attributes:
        update_every: Training steps from one update to the next.
        views_per_update: Views edited at once.
        rounds: How often each view is edited; an edit that is pointwise takes one round.
        settle_steps: Training steps after the last update.
        strength: How much of the edit, in [0, 1]: one value for all rounds, or several that are
            spread evenly from the first round to the last; empty for the editor's own.
        seed: Keys the orders and the editor's random draws.

    Raises:
        InvalidInput: A number that no loop can have.
    """

    update_every: int = 10
    views_per_update: int = 1
    rounds: int = 1
    settle_steps: int = 0
    strength: tuple[float, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (
            ("update_every", 1),
            ("views_per_update", 1),
            ("rounds", 1),
            ("settle_steps", 0),
            ("seed", 0),
        ):
            if getattr(self, name) < least:
                flag = name.replace("_", "-")
                raise InvalidInput(f"--pipeline.{flag} {getattr(self, name)} is below {least}")
        for value in self.strength:
            if not (math.isfinite(value) and 0 <= value <= 1):
                raise InvalidInput(f"the strength {value:g} is not between 0 and 1")

    def order(self, number: int, views: Sequence[int]) -> list[int]:
        """Return the views in the order of a round: a permutation keyed by (seed, round)."""
        rng = np.random.default_rng([self.seed, number])
        return [views[place] for place in rng.permutation(len(views))]

    def strength_in(self, number: int) -> float | None:
        """Return a round's strength, linear between the values given; None for the editor's own."""
        if not self.strength:
            return None
        if self.rounds == 1:
            return float(self.strength[0])
        share = min(number, self.rounds - 1) / (self.rounds - 1)
        places = np.linspace(0, 1, len(self.strength))
        return float(np.interp(share, places, self.strength))

    def key(self, view: str, number: int) -> int:
        """Return what keys the editor's random draws: a hash of (seed, view, round), 63 bits."""
        return int(content_key(str(self.seed), view, str(number))[:16], 16) >> 1

    def updates_in_round(self, views: int) -> int:
        """Return how many updates a round over that many views takes."""
        return math.ceil(views / self.views_per_update)

    def length(self, views: int, *, pointwise: bool) -> int:
        """Return the training steps of the whole edit phase.

        Args:
            views: How many views hold the target.
            pointwise: The edit is done in one round, all at once.
        """
        if pointwise or views == 0:
            return self.settle_steps
        return self.rounds * self.updates_in_round(views) * self.update_every + self.settle_steps
