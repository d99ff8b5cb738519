"""How the detail of a deformation field opens while it is trained (Park et al., Nerfies, 2021).

Coarse motion is found before fine levels can explain a difference by noise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from image_core.errors import InvalidInput


@dataclass(frozen=True, kw_only=True)
class Annealing:
    """When the levels open, relative to the whole training.

    Attributes:
        first: Levels that are open from the start.
        start: Share of the training after which the next one begins to open.
        length: Share of the training during which the rest open, one after the other.
    """

    first: int = 0
    start: float = 0.4
    length: float = 0.4

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            InvalidInput: One is out of its range.
        """
        if self.first < 0 or self.start < 0 or self.length < 0 or self.start + self.length > 1:
            raise InvalidInput(
                f"annealing from {self.start} for {self.length} of a training does not end in it",
                hint="Give shares that are not negative and add up to 1 at most.",
            )

    def weights(self, step: int, steps: int, levels: int) -> list[float]:
        """Return how far each level is open, in [0, 1].

        Args:
            step: Steps done.
            steps: Of the whole training.
            levels: How many there are.
        """
        passed = step - self.start * steps
        length = self.length * steps
        open_share = passed / length if length > 0 else math.inf
        opened = self.first + (levels - self.first) * min(max(open_share, 0.0), 1.0)
        return [_eased(min(max(opened - level, 0.0), 1.0)) for level in range(levels)]


def _eased(share: float) -> float:
    return (1 - math.cos(math.pi * share)) / 2
