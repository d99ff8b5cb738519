"""From canonical places back to a frame: the inverse of a frame's deformation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32

from video.filling import pulled_and_pushed
from video.splat_sums import SplatSums
from video.warping import Field, grid, inside, sample

_SEEN = 0.25
"""Summed bilinear shares from which a canonical pixel counts as hit; 1 where scales are equal."""

_ROUNDS = 4
"""Corrections after the first guess."""

_LEAST_AREA = 0.1  # of a pixel's image, under which slopes tell nothing
_LONGEST = 2.0  # pixels that a correction moves a place at most

_CLOSE = 0.25
"""Pixels by which going there and back may miss: beyond, the map folds there or never arrives."""


@dataclass(frozen=True, kw_only=True)
class Inverse:
    """Where each canonical pixel lies in a frame.

    Attributes:
        places: In the frame's pixels.
        seen: Whether the frame shows it.
    """

    places: Field
    seen: Bool[np.ndarray, "_ _"]


def inverted(places: Field, size: tuple[int, int]) -> Inverse:
    """Invert a map from a frame to a canonical picture.

    The displacements are splatted to where they lead, filled, and then corrected by Newton's rounds
    q ← q + J⁻¹ (c - P(q)), J being P's slopes there; where P folds, by q ← q + (c - P(q)).

    Args:
        places: P, the canonical place of each pixel of the frame.
        size: Width and height of the canonical picture.
    """
    height, width = places.shape[:2]
    back = grid((width, height)) - places
    sums = SplatSums(size)
    # the sums are of three colours: the third is not needed
    colours = np.concatenate((back, np.zeros((height, width, 1), np.float32)), axis=-1)
    sums.add(colours, places, np.ones((height, width), np.float32))
    hit = np.minimum(1, sums.coverage)
    wanted = grid(size)
    found = wanted + pulled_and_pushed(sums.mean()[..., :2], hit, hold=1e-3)
    slopes = _slopes(places)
    for _ in range(_ROUNDS):
        found = found + _newton(wanted - sample(places, found), sample(slopes, found))
    missed = np.abs(wanted - sample(places, found)).max(axis=-1)
    seen = (hit > _SEEN) & inside(found, (width, height)) & (missed < _CLOSE)
    return Inverse(places=found, seen=np.asarray(seen))


def _slopes(places: Field) -> Float32[np.ndarray, "h w 4"]:
    """Return the slopes of x by x, x by y, y by x and y by y."""
    padded = np.pad(places, ((1, 1), (1, 1), (0, 0)), mode="reflect", reflect_type="odd")
    across = (padded[1:-1, 2:] - padded[1:-1, :-2]) / 2
    down = (padded[2:, 1:-1] - padded[:-2, 1:-1]) / 2
    return np.stack((across[..., 0], down[..., 0], across[..., 1], down[..., 1]), axis=-1)


def _newton(missing: Field, slopes: Float32[np.ndarray, "_ _ 4"]) -> Field:
    """Return the step that would make up for what is missing if the map were straight."""
    xx, xy, yx, yy = (slopes[..., k] for k in range(4))
    area = xx * yy - xy * yx
    usable = area > _LEAST_AREA
    area = np.where(usable, area, 1)
    x, y = missing[..., 0], missing[..., 1]
    straight = np.stack(((yy * x - xy * y) / area, (xx * y - yx * x) / area), axis=-1)
    step = np.where(usable[..., None], straight, missing)
    return np.asarray(np.clip(step, -_LONGEST, _LONGEST), np.float32)
