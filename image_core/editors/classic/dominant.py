"""The colour that a region mostly shows, and which pixels show it.

OKLab is homogeneous: light scaled by k scales L, a and b by the cube root of k. A matt thing of one
colour therefore keeps a/L and b/L through light and shadow, and gloss, which adds the lamp's white,
pulls them towards 0. Both tell which pixels show the region's own colour (and how much of it), so
black legs, a white inside or a highlight can keep theirs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from image_core.colour_names import NamedColour
from image_core.editors.classic.pixels import Pixels, Values, hue_of
from image_core.editors.classic.statistics import ColourCount, weighted_quantile

_NEUTRAL = 0.055
"""Chroma / lightness below which a pixel shows no colour of its own."""
DARKEST = 0.12
"""Lightness below which a/L and b/L are only noise."""


@dataclass(frozen=True, kw_only=True)
class DominantColour:
    """The colour that a region mostly shows.

    Attributes:
        lightness: Median OKLab lightness.
        saturation: Median chroma / lightness; 0 for a region without hue.
        hue: In degrees; 0 for a region without hue.
        share: Part of the region that shows it.
        named: The instruction named it, so that what clearly differs from it is left alone.
        spread: Standard deviation of its hue in degrees.
    """

    lightness: float
    saturation: float
    hue: float
    share: float
    named: bool = False
    spread: float = 0.0


def smoothstep(values: Float[np.ndarray, "*n"], low: float, high: float) -> Float[np.ndarray, "*n"]:
    """Rise smoothly from 0 at ``low`` to 1 at ``high`` (falls when ``high < low``)."""
    t = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray((t * t * (3 - 2 * t)).astype(values.dtype))


def hue_distance(hue: Float[np.ndarray, " n"], other: float) -> Float[np.ndarray, " n"]:
    """Return how far hues lie apart, in degrees [0, 180]."""
    return np.asarray(np.abs((hue - other + 180) % 360 - 180))


def dominant_colour(count: ColourCount, sources: tuple[NamedColour, ...]) -> DominantColour | None:
    """Find the colour that the regions mostly show, or None when they are empty.

    With source colours named, only what looks like one of them counts, unless that is less than
    5 % of the region: then the words and the picture disagree, and the picture decides.
    """
    if count.weight.size == 0:
        return None
    saturation = np.hypot(count.lab[:, 1], count.lab[:, 2]) / np.maximum(count.lab[:, 0], DARKEST)
    hue = hue_of(count.lab)
    total = count.weight.sum()
    if sources:
        looks = [_looks_like(source, count, saturation, hue) for source in sources]
        named = count.weight * np.maximum.reduce(looks)
        if named.sum() >= 0.05 * total:
            neutral = all(source.lch[1] < 0.04 for source in sources)
            if not neutral:
                named = named * (hue_distance(hue, _densest_hue(hue, named)) < 12)
            return replace(_describe(count, saturation, hue, named, neutral, total), named=True)
    colourful = smoothstep(saturation, 0.7 * _NEUTRAL, 1.6 * _NEUTRAL)
    centres = np.arange(0.0, 360.0, 10.0)
    in_window = [count.weight * colourful * (hue_distance(hue, c) < 40) for c in centres]
    best = int(np.argmax([window.sum() for window in in_window]))
    plain = count.weight * (1 - colourful)
    # colour is what people name: a hue that fills a third outweighs the greys around it
    if in_window[best].sum() >= 0.6 * plain.sum():
        return _describe(count, saturation, hue, in_window[best], False, total)
    lights = np.linspace(0, 1, 41)
    near = [(plain * np.exp(-(((count.lab[:, 0] - at) / 0.12) ** 2))).sum() for at in lights]
    peak = lights[int(np.argmax(near))]
    around = plain * (np.abs(count.lab[:, 0] - peak) < 0.3)
    return _describe(count, saturation, hue, around, True, total)


def _densest_hue(hue: np.ndarray, weight: np.ndarray) -> float:
    centres = np.arange(0.0, 360.0, 4.0)
    mass = [(weight * np.exp(-((hue_distance(hue, c) / 8) ** 2) / 2)).sum() for c in centres]
    return float(centres[int(np.argmax(mass))])


def _looks_like(
    source: NamedColour, count: ColourCount, saturation: np.ndarray, hue: np.ndarray
) -> np.ndarray:
    lightness, chroma, source_hue = source.lch
    if chroma < 0.04:
        near = smoothstep(np.abs(count.lab[:, 0] - lightness), 0.5, 0.25)
        return np.asarray(smoothstep(saturation, 3 * _NEUTRAL, _NEUTRAL) * near)
    close = smoothstep(hue_distance(hue, source_hue), 70, 20)
    # a word says something of the lightness too: it tells a brown cup from the coffee in it
    lightness_fits = 0.15 + 0.85 * np.exp(-(((count.lab[:, 0] - lightness) / 0.22) ** 2))
    coloured = smoothstep(saturation, 0.5 * _NEUTRAL, 1.3 * _NEUTRAL)
    return np.asarray(coloured * close * lightness_fits)


def _describe(
    count: ColourCount,
    saturation: np.ndarray,
    hue: np.ndarray,
    weight: np.ndarray,
    neutral: bool,
    total: float,
) -> DominantColour:
    lightness = max(weighted_quantile(count.lab[:, 0], weight, 0.5), 0.05)
    share = float(weight.sum() / total)
    if neutral:
        return DominantColour(lightness=lightness, saturation=0.0, hue=0.0, share=share)
    radians = np.radians(hue)
    mean = np.arctan2((weight * np.sin(radians)).sum(), (weight * np.cos(radians)).sum())
    centre = float(np.degrees(mean) % 360)
    variance = (weight * hue_distance(hue, centre) ** 2).sum() / weight.sum()
    return DominantColour(
        lightness=lightness,
        spread=float(np.sqrt(variance)),
        saturation=max(weighted_quantile(saturation, weight, 0.5), 0.02),
        hue=centre,
        share=share,
    )


def membership(lab: Pixels, around: Pixels, smooth: Values, dominant: DominantColour) -> Values:
    """Return how much each pixel shows the dominant colour, in [0, 1].

    Args:
        lab: OKLab pixels.
        around: The mean OKLab around each, which speaks for pixels too dark to show a colour.
        smooth: Lightness of the edge-preserving base.
        dominant: The dominant colour.
    """
    dark = smoothstep(lab[:, 0], 0.42, 0.2)[:, None]
    own = lab[:, 1:] / np.maximum(lab[:, :1], DARKEST)
    mean = around[:, 1:] / np.maximum(around[:, :1], DARKEST)
    chromatic = own + dark * (mean - own)
    saturation = np.hypot(chromatic[:, 0], chromatic[:, 1])
    if dominant.saturation == 0:
        plain = smoothstep(saturation, 4.5 * _NEUTRAL, 1.8 * _NEUTRAL)
        much_lighter = smoothstep(smooth, dominant.lightness + 0.22, dominant.lightness + 0.42)
        return np.asarray(plain * (1 - (1 - darkness(dominant.lightness)) * much_lighter))
    hue = hue_of(np.concatenate([lab[:, :1], chromatic], axis=1))
    apart = hue_distance(hue, dominant.hue)
    ratio = saturation / np.float32(dominant.saturation)
    shows = smoothstep(apart, 85, 50) * smoothstep(ratio, 0.12, 0.5)
    if dominant.named:
        # a thing of another colour beside the named one differs in chroma and is lighter; shadow is
        # darker, and its hue may wander
        reach = np.float32(np.clip(5 * dominant.spread, 15, 40))
        paler = np.log(np.clip(ratio, 0.05, 1)) / np.float32(np.log(2.5))
        lighter = smoothstep(smooth - np.float32(dominant.lightness), 0.06, 0.2)
        shows = shows * smoothstep(lighter * ((apart / reach) ** 2 + paler**2), 0.7, 0.35)
    return np.asarray(shows, dtype=np.float32)


def darkness(lightness: float) -> np.float32:
    """Return how nearly black a colour is: 1 up to lightness 0.1, 0 from 0.4."""
    return np.float32(np.clip((0.4 - lightness) / 0.3, 0, 1))
