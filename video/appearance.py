"""The colours of a target and of what lies around it, and what a pixel's colour tells."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, Int32
from scipy.ndimage import gaussian_filter

from image_core.distances import distance_within
from image_core.types import Mask
from video.frames import Picture

Density = Float32[np.ndarray, "bins bins bins"]
"""The share of a region's pixels in each bin of CIELAB; it sums to 1."""

Bins = Int32[np.ndarray, "_ _"]
"""The number of each pixel's bin."""

_BINS = 32
_CHROMA_GAIN = 2  # a and b of photos fill less than half of their range
_SPREAD = 1.0  # bins by which noise and shading may shift a colour
_FLOOR = 1 / _BINS**3  # of a uniform density: what no pixel has shown is unknown, not impossible
_RARE = 0.01  # of a region's pixels; rarer errors of its colours are not told apart
_FAINT = 0.1  # of an alpha; what has less counts as surroundings
_RIM = 2  # px around a target that belong to neither side
_LEAST_RING = 8  # px


def bins_of(picture: Picture) -> Bins:
    """Return the number of each pixel's bin."""
    lab = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2LAB), np.int32)
    chroma = np.clip((lab[..., 1:] - 128) * _CHROMA_GAIN + 128, 0, 255)
    step = 256 // _BINS
    flat = (lab[..., 0] // step * _BINS + chroma[..., 0] // step) * _BINS + chroma[..., 1] // step
    return np.asarray(flat, np.int32)


def density(bins: Bins, weight: Mask) -> Density:
    """Return the colours of a part of a picture; where it has no weight, nothing is known.

    Args:
        bins: Of the picture.
        weight: Of each pixel.
    """
    counts = np.bincount(bins.ravel(), weight.ravel(), minlength=_BINS**3)
    total = float(counts.sum())
    shares = (counts / max(total, 1e-9)).reshape(_BINS, _BINS, _BINS).astype(np.float32)
    return np.asarray(gaussian_filter(shares, _SPREAD, mode="constant"), np.float32)


def log_ratio(target: Density, around: Density) -> Float32[np.ndarray, " n"]:
    """Return ln(p(colour | target) / p(colour | around)) for each bin.

    Args:
        target: Sums to 1, or to 0 where nothing is known.
        around: The same.
    """
    floor = np.float32(_FLOOR)
    return np.asarray(np.log((target + floor) / (around + floor)).ravel(), np.float32)


@dataclass(frozen=True, kw_only=True)
class Sight:
    """A frame on which the region is known.

    Attributes:
        picture: The frame.
        bins: Its colours.
        alpha: The target's visible part.
    """

    picture: Picture
    bins: Bins
    alpha: Mask


@dataclass(frozen=True, kw_only=True)
class Palette:
    """The colours of a target and of its surroundings."""

    target: Density
    around: Density


def palette(seen: Sight, width: int) -> Palette:
    """Return the colours of the target, and of what lies around it up to a distance.

    Args:
        seen: A frame.
        width: Of the surroundings, in pixels; where the target fills the picture up to there, all
            the rest counts.
    """
    covered = seen.alpha > _FAINT
    far = distance_within(~covered)
    ring = (far > _RIM) & (far <= _RIM + width)
    around = ring if ring.any() else far > 0
    return Palette(
        target=density(seen.bins, seen.alpha),
        around=density(seen.bins, around.astype(np.float32)),
    )


def ring_width(key: Mask, around: float) -> int:
    """Return how far the surroundings of a target reach, in pixels."""
    size = float(np.sqrt(np.count_nonzero(key > 0.5)))
    return max(_LEAST_RING, round(around * size))


def colour_table(key: Palette, known: Palette, most: float) -> Float32[np.ndarray, " n"]:
    """Return what each bin says for the target, in log odds.

    The target's colours are half the key frame's for good, so that they don't wander; of the
    surroundings, which do change, the neighbour knows more. No colour says more than all that speak
    like it are right: what looks like the target is believed less where the surroundings have it.

    Args:
        key: Of the key frame.
        known: Of the neighbour.
        most: What a colour may say at most.
    """
    target = (key.target + known.target) / 2
    around = (key.around + 2 * known.around) / 3
    ratio = log_ratio(target, around)
    speaking = (ratio > 0).reshape(target.shape)
    right, wrong = float(target[speaking].sum()), float(around[speaking].sum())
    for_it = np.log((right + _RARE) / (wrong + _RARE))
    against = np.log((1 - right + _RARE) / (1 - wrong + _RARE))
    return np.clip(ratio, max(against, -most), min(for_it, most)).astype(np.float32)
