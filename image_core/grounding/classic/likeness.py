"""Things of one kind where no word tells the kind: the likes of what stands out most."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from image_core.grounding.classic.confidence import (
    Thing,
    drop_across,
    edge_contrast,
    geometry,
    soft,
)
from image_core.grounding.classic.regions import BoolMap, closed, components
from image_core.grounding.classic.scene import Scene

_MOST = 6  # of more than these the how-manieth cannot be told


def _colour_bins(scene: Scene) -> Int[np.ndarray, "h w"]:
    """Return which of 20³ coarse OKLab cells each pixel's colour falls into."""
    steps, shift = np.array([8.0, 25.0, 25.0]), np.array([0.0, 10.0, 10.0])
    cells = np.clip(np.floor(scene.lab * steps + shift), 0, 19).astype(np.int64)
    return np.asarray((cells[..., 0] * 20 + cells[..., 1]) * 20 + cells[..., 2])


def _histogram(bins: Int[np.ndarray, " k"]) -> Float[np.ndarray, " 8000"]:
    return np.asarray(np.bincount(bins, minlength=20**3) / max(1, bins.size))


def _likeness(first: Float[np.ndarray, " 8000"], second: Float[np.ndarray, " 8000"]) -> float:
    """Return the Bhattacharyya coefficient of two histograms: 1 for equal ones."""
    return float(np.sqrt(first * second).sum())


def alike_things(scene: Scene, salient: Sequence[BoolMap]) -> list[Thing]:
    """Return the thing that stands out most and others that have its colours.

    "The second one" means that there are several of a kind. With no noun to go by, the kind is what
    the most salient thing looks like: how much likelier each pixel's colour is in it than
    elsewhere.
    """
    if not salient:
        return []
    model = max(salient, key=lambda mask: float(scene.salient[mask].sum()))
    bins = _colour_bins(scene)
    among, beyond = _histogram(bins[model]), _histogram(bins[~model])
    likely = (among / (among + beyond + 1e-4))[bins]
    fits = 0.5 * likely + 0.5 * scene.parts.spread(scene.parts.mean_of(likely))
    regions = components(closed(fits > 0.5, 2), 0.004 * fits.size, _MOST + 1)
    if len(regions) > _MOST:
        return []
    return [
        Thing(
            mask=region,
            route="alike what stands out most",
            factors={
                "likeness": soft(_likeness(among, _histogram(bins[region])), 0.6, 0.76),
                "likeness ends at the edge": soft(drop_across(fits, region), 0.25, 0.55),
                "edge": soft(edge_contrast(scene, region), 0.2, 0.55, 0.15),
                **geometry(region, least_area=0.004),
            },
            prominence=float(np.sqrt(np.count_nonzero(region))),
            cap=0.9,
        )
        for region in regions
    ]
