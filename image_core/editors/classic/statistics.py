"""The colours of the reference regions, counted in one pass and in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32

from image_core.colour import srgb_to_oklab
from image_core.types import Image, Mask

_L_BINS, _AB_BINS, _AB_REACH = 50, 80, 0.4
_STRIPE = 1 << 18


@dataclass(frozen=True, kw_only=True)
class ColourCount:
    """An OKLab histogram of the pixels in the regions, weighted by their alpha.

    Attributes:
        weight: Weight of each bin that is not empty.
        lab: Mean colour of the pixels in each of them.
        area: Sum of alpha over all regions divided by the number of pictures, in pixels.
    """

    weight: Float[np.ndarray, " bins"]
    lab: Float32[np.ndarray, "bins 3"]
    area: float


def count_colours(pixels: Iterable[tuple[Image, Mask]]) -> ColourCount:
    """Count colours over region boxes and their alphas."""
    size = _L_BINS * _AB_BINS * _AB_BINS
    totals = np.zeros((4, size))
    pictures = 0
    for image, alpha in pixels:
        pictures += 1
        rows = max(1, _STRIPE // image.shape[1])
        for start in range(0, image.shape[0], rows):
            here = alpha[start : start + rows]
            inside = here > 0
            if not inside.any():
                continue
            lab = srgb_to_oklab(image[start : start + rows][inside])
            weight = here[inside].astype(np.float64)
            cell = _cells(lab)
            totals[0] += np.bincount(cell, weights=weight, minlength=size)
            for channel in range(3):
                totals[1 + channel] += np.bincount(
                    cell, weights=weight * lab[:, channel], minlength=size
                )
    used = np.flatnonzero(totals[0] > 0)
    lab_mean = (totals[1:, used] / np.maximum(totals[0, used], 1e-12)).T.astype(np.float32)
    area = float(totals[0].sum()) / max(1, pictures)
    return ColourCount(weight=totals[0, used], lab=lab_mean, area=area)


def _cells(lab: Float32[np.ndarray, "n 3"]) -> np.ndarray:
    lightness = np.clip((lab[:, 0] * _L_BINS).astype(np.int64), 0, _L_BINS - 1)
    ab = (lab[:, 1:] + _AB_REACH) * (_AB_BINS / (2 * _AB_REACH))
    ab = np.clip(ab.astype(np.int64), 0, _AB_BINS - 1)
    return np.asarray((lightness * _AB_BINS + ab[:, 0]) * _AB_BINS + ab[:, 1])


def weighted_quantile(
    values: Float[np.ndarray, " n"], weights: Float[np.ndarray, " n"], share: float
) -> float:
    """Return the value below which ``share`` of the weight lies; interpolated between values."""
    order = np.argsort(values, kind="stable")
    sorted_values, sorted_weights = values[order], weights[order]
    middle = np.cumsum(sorted_weights) - sorted_weights / 2
    return float(np.interp(share * sorted_weights.sum(), middle, sorted_values))
