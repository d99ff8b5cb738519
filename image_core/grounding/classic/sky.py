"""The sky: what hangs from the picture's upper border, smooth and bluish.

A ceiling hangs there too, so that a sky without blue (overcast, sunset) is refused: the price of
never taking one for it.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from jaxtyping import Bool, Float

from image_core.grounding.classic.colour_affinity import rise
from image_core.grounding.classic.confidence import Thing, edge_contrast, soft
from image_core.grounding.classic.regions import BoolMap
from image_core.grounding.classic.scene import Scene
from image_core.segmentation.cut import (
    INSIDE,
    MAYBE_INSIDE,
    MAYBE_OUTSIDE,
    OUTSIDE,
    grab_cut,
    without_specks,
)
from image_core.segmentation.edges import dilated, eroded, touching
from image_core.segmentation.superpixels import Superpixels

_STEP = 0.07  # OKLab, between neighbouring superpixels of one sky
_DARKER = 0.09


def blueness(lch: Float[np.ndarray, "h w 3"]) -> Float[np.ndarray, "h w"]:
    """Return how much each pixel has a clear sky's hue, from cyan to violet blue."""
    hue = lch[..., 2]
    window = rise(hue, 190, 210) * rise(hue, 298, 285)
    return np.asarray(window * rise(lch[..., 1], 0.008, 0.022) * rise(lch[..., 0], 0.1, 0.2))


def _flooded(
    parts: Superpixels, seeds: Bool[np.ndarray, " n"], open_: Bool[np.ndarray, " n"]
) -> Bool[np.ndarray, " n"]:
    """Grow from the seeds over open neighbours of nearly the same colour.

    A sky gets lighter towards the horizon; what lies below it does not: no region may be much
    darker than the lightest on the way to it.
    """
    neighbours: list[list[int]] = [[] for _ in range(parts.count)]
    for (first, second), length in zip(parts.edges.tolist(), parts.step_lengths(), strict=True):
        if length < _STEP:
            neighbours[first].append(second)
            neighbours[second].append(first)
    lightness = parts.lab[:, 0]
    reached = seeds.copy()
    lightest = lightness.copy()
    queue = deque(np.flatnonzero(seeds).tolist())
    while queue:
        here = queue.popleft()
        for other in neighbours[here]:
            if open_[other] and not reached[other] and lightness[other] > lightest[here] - _DARKER:
                reached[other] = True
                lightest[other] = max(lightness[other], lightest[here])
                queue.append(other)
    return reached


def find_sky(scene: Scene) -> list[Thing]:
    """Return the sky if there is one to see."""
    parts = scene.parts
    blue = blueness(scene.lch)
    part_blue, rough = parts.mean_of(blue), parts.mean_of(scene.edges)
    lightness, chroma = parts.lab[:, 0], np.hypot(parts.lab[:, 1], parts.lab[:, 2])
    smooth = rough < 0.07
    top = np.zeros(parts.count, dtype=bool)
    top[np.unique(scene.parts.labels[0])] = True
    # towards the horizon haze takes the blue away
    hazy = (lightness > 0.75) & (chroma < 0.04)
    grown = _flooded(parts, top & smooth & (part_blue > 0.4), smooth & ((part_blue > 0.3) | hazy))
    region = parts.spread(grown.astype(np.float64)) > 0
    if region.mean() < 0.02:
        return []
    mask = _cut(scene, region)
    share = float(mask.mean())
    factors = {
        "blue": soft(float((blue[mask] > 0.5).mean()), 0.3, 0.6),
        "along the upper border": soft(float(mask[0].mean()), 0.15, 0.5, 0.2),
        "smooth": soft(float(np.median(scene.edges[mask])), 0.06, 0.025),
        "edge": soft(edge_contrast(scene, mask), 0.1, 0.4, 0.3),
        "size": soft(share, 0.02, 0.06),
        # a plain backdrop reaches down to the lower border all the way
        "reaches the lower border": soft(float(mask[-1].mean()), 0.6, 0.3),
    }
    return [Thing(mask=mask, route="sky", factors=factors, cap=0.95)]


def _cut(scene: Scene, region: BoolMap) -> BoolMap:
    side = max(scene.shape)
    labels = np.where(region, MAYBE_INSIDE, MAYBE_OUTSIDE).astype(np.uint8)
    labels[eroded(region, max(1, side // 64))] = INSIDE
    labels[~dilated(region, max(2, side // 24))] = OUTSIDE
    cut = grab_cut(scene.rgb, labels, rounds=2)
    if cut is None:
        return region
    tidy = touching(without_specks(cut, speck=0.001, hole=0.0005), region)
    return tidy if tidy.any() else region
