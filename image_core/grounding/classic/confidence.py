"""How sure a found region is: independent pieces of evidence, each in [0, 1], multiplied.

Every factor answers one question about a region and says it in a word or two, so that a refusal can
name its weakest reason. A factor of 1 means "no objection".
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from image_core.grounding.classic.colour_affinity import rise
from image_core.grounding.classic.regions import (
    BoolMap,
    border_share,
    outline,
    overlap,
    ring,
    solidity,
)
from image_core.grounding.classic.scene import Scene
from image_core.segmentation.edges import eroded


@dataclass(frozen=True, kw_only=True)
class Thing:
    """A region with the evidence for it.

    Attributes:
        mask: Where it is, at the scene's size.
        route: How it was found ("colour", "saliency", "sky" …).
        factors: The pieces of evidence by name.
        prominence: How much it stands for the phrase beside its rivals: area, fit, saliency.
        cap: No confidence above this.
    """

    mask: BoolMap
    route: str
    factors: Mapping[str, float] = field(default_factory=dict)
    prominence: float = 1.0
    cap: float = 1.0

    @property
    def confidence(self) -> float:
        """The product of the factors, capped."""
        return min(self.cap, math.prod(self.factors.values()))

    def in_words(self) -> str:
        """The route, and the objections, worst first."""
        weak = sorted((value, name) for name, value in self.factors.items() if value < 0.9)
        told = ", ".join(f"{name} {value:.2f}" for value, name in weak[:4])
        return f"{self.route}{': ' + told if told else ''}"


def soft(value: float, low: float, high: float, floor: float = 0.0) -> float:
    """Map a measurement to a factor: ``floor`` at ``low``, 1 at ``high``."""
    return floor + (1 - floor) * float(rise(np.asarray(value, dtype=np.float64), low, high))


def edge_contrast(scene: Scene, mask: BoolMap) -> float:
    """Return the share of the region's outline that lies on a visible colour step."""
    line = outline(mask)
    if not line.any():
        return 0.0
    return float(rise(scene.edges[line], 0.03, 0.10).mean())


def drop_across(values: Float[np.ndarray, "h w"], mask: BoolMap) -> float:
    """Return by how much a map falls from inside a region to just outside it."""
    reach = max(2, round(0.12 * np.sqrt(np.count_nonzero(mask))))
    outside = ring(mask, 2, reach)
    inside = eroded(mask, 1)
    if not outside.any() or not inside.any():
        return 0.0
    return float(values[inside].mean() - values[outside].mean())


def colour_contrast(scene: Scene, mask: BoolMap) -> float:
    """Return the OKLab distance between a region's mean colour and that of its surroundings."""
    around = ring(mask, 2, max(3, round(0.15 * np.sqrt(np.count_nonzero(mask)))))
    if not around.any() or not mask.any():
        return 0.0
    return float(np.linalg.norm(scene.lab[mask].mean(axis=0) - scene.lab[around].mean(axis=0)))


def geometry(mask: BoolMap, *, least_area: float = 0.0012) -> dict[str, float]:
    """Return the objections that size, shape and the picture's border raise.

    A thing is neither a speck nor most of the picture, does not line its border, and is not all
    holes and tendrils.
    """
    share = float(mask.mean())
    return {
        "size": soft(share, 0.2 * least_area, least_area)
        * soft(share, 0.75, 0.5)
        * soft(float(np.count_nonzero(mask)), 16, 80),
        "runs along the border": soft(border_share(mask), 0.42, 0.22),
        "shape": soft(solidity(mask), 0.18, 0.5, 0.2),
    }


def agreement(first: BoolMap, second: BoolMap | None) -> float:
    """Return a factor for two ways of finding the same region."""
    return 0.45 if second is None else soft(overlap(first, second), 0.25, 0.72, 0.2)
