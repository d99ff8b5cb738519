"""Recolouring with shading, texture and highlights kept.

OKLab is homogeneous: light scaled by k scales L, a and b by the cube root of k. A matt thing of one
colour therefore keeps a/L and b/L through light and shadow, and gloss, which adds the lamp's white,
pulls them towards 0. Both tell which pixels show the region's own colour (and how much of it), so
black legs, a white inside or a highlight keep theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float, Float32

from image_core.colour import srgb_to_oklab
from image_core.colour_names import NamedColour, parse_colour
from image_core.editors.classic.pixels import (
    Pixels,
    Values,
    hue_of,
    map_pixels,
    oklab_in_gamut,
)
from image_core.editors.classic.prepared import Piece, measured, reference_pixels, statistics_from
from image_core.editors.classic.shading import Base, base_of, full_rows
from image_core.editors.classic.statistics import ColourCount, count_colours, weighted_quantile
from image_core.errors import UnsupportedEdit
from image_core.types import EditBatch, EditStep, Image

_NEUTRAL = 0.055
"""Chroma / lightness below which a pixel shows no colour of its own."""
_DARKEST = 0.12
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


@dataclass(frozen=True, kw_only=True)
class Recolor:
    """Gives what shows the region's dominant colour another colour (seam ``Operator``).

    Attributes:
        colour: The new colour.
        sources: Colours that the instruction says the thing has; empty: the dominant one is found.
        luminous: The thing glows by itself (the sky): it is tinted, and stays light.
        lightness: Share of the way that the lightness moves to the new colour's.
        hue_variation: Share of the differences in hue that is kept.
        statistics: The dominant colour, once measured.
    """

    colour: NamedColour
    sources: tuple[NamedColour, ...] = ()
    luminous: bool = False
    lightness: float = 0.9
    hue_variation: float = 0.35
    statistics: DominantColour | None = None

    name: ClassVar[str] = "recolor"
    pointwise: ClassVar[bool] = True
    scales_itself: ClassVar[bool] = False

    def margin(self, picture_size: float) -> int:
        """See nothing beyond the region."""
        del picture_size
        return 0

    def measured_on(self, reference: Iterable[EditBatch]) -> Recolor:
        """Return the same with the statistics of the reference regions."""
        return replace(
            self,
            statistics=dominant_colour(count_colours(reference_pixels(reference)), self.sources),
        )

    def restored(self, state: Mapping[str, Any] | None) -> Recolor:
        """Return the same with saved statistics."""
        return replace(self, statistics=statistics_from(DominantColour, state))

    def apply(self, piece: Piece) -> tuple[Image, tuple[str, ...]]:
        """Recolour a piece."""
        dominant = measured(self.statistics, self.name)
        target = self._target(dominant)
        base = base_of(piece)
        size = (piece.alpha.shape[0], piece.alpha.shape[1])

        def change(rgb: Pixels, rows: slice, here: np.ndarray) -> Pixels:
            lab = srgb_to_oklab(rgb)
            around = full_rows(base.lab, rows, size)[here]
            smooth = _smooth_lightness(base, rows, size, here, lab[:, 0])
            member = membership(lab, around, smooth, dominant)
            lightness = moved_lightness(lab[:, 0], smooth, dominant.lightness, target[0])
            return oklab_in_gamut(
                _blend(lab, self._coloured(lab, lightness, dominant, target), member), knee=0.85
            )

        return map_pixels(piece, change), ()

    def _target(self, dominant: DominantColour) -> tuple[float, float, float]:
        """Return the (lightness, chroma, hue) that the dominant colour becomes."""
        lightness, chroma, hue = self.colour.lch
        # a "white" that stops short is grey: colours without hue go (almost) the whole way
        pull = self.lightness if chroma > 0.04 else 1 - (1 - self.lightness) / 3
        if self.luminous:
            pull, chroma = pull * 0.5, chroma * 0.7
        moved = dominant.lightness + pull * (lightness - dominant.lightness)
        # what is blacker than "black" already, or whiter than "white", stays so
        if self.colour.basic == "black" and chroma < 0.04:
            moved = min(moved, dominant.lightness)
        if self.colour.basic == "white" and chroma < 0.04:
            moved = max(moved, dominant.lightness)
        chroma *= float(np.clip(moved / max(lightness, 0.05), 0.75, 1.2))
        return moved, chroma, hue

    def _coloured(
        self,
        lab: Pixels,
        lightness: Values,
        dominant: DominantColour,
        target: tuple[float, float, float],
    ) -> Pixels:
        own = np.hypot(lab[:, 1], lab[:, 2])
        hue = hue_of(lab)
        amount = lightness / np.float32(max(target[0], 0.02))
        light = np.clip((1 - lightness) / np.float32(max(1 - target[0], 0.02)), 0, 1)
        chroma = np.float32(target[1]) * amount * np.sqrt(light)
        angle = np.full_like(hue, target[2])
        if dominant.saturation > 0:
            ratio = own / np.maximum(lab[:, 0], _DARKEST) / np.float32(dominant.saturation)
            chroma = chroma * np.clip(ratio, 0, 1.6) ** np.float32(0.7)
            apart = (hue - dominant.hue + 180) % 360 - 180
            angle = angle + np.float32(self.hue_variation) * np.clip(apart, -40, 40)
        radians = np.radians(angle)
        a, b = chroma * np.cos(radians), chroma * np.sin(radians)
        return np.asarray(np.stack([lightness, a, b], axis=1), dtype=np.float32)


def recolor_for(step: EditStep, *, lightness: float, hue_variation: float) -> Recolor:
    """Read a recolour step.

    Raises:
        UnsupportedEdit: Its value is no colour.
    """
    colour = parse_colour(step.value)
    if colour is None:
        raise UnsupportedEdit(
            f"{step.value!r} is no colour that the classic editor knows",
            hint='Name a colour ("navy blue", "emerald green", "#1a2a5c").',
        )
    sources = tuple(found for found in map(parse_colour, step.target.colours) if found is not None)
    return Recolor(
        colour=colour,
        sources=sources,
        luminous=step.target.noun in {"sky", "cloud", "fog", "mist", "haze"},
        lightness=lightness,
        hue_variation=hue_variation,
    )


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
    saturation = np.hypot(count.lab[:, 1], count.lab[:, 2]) / np.maximum(count.lab[:, 0], _DARKEST)
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
    own = lab[:, 1:] / np.maximum(lab[:, :1], _DARKEST)
    mean = around[:, 1:] / np.maximum(around[:, :1], _DARKEST)
    chromatic = own + dark * (mean - own)
    saturation = np.hypot(chromatic[:, 0], chromatic[:, 1])
    if dominant.saturation == 0:
        plain = smoothstep(saturation, 4.5 * _NEUTRAL, 1.8 * _NEUTRAL)
        much_lighter = smoothstep(smooth, dominant.lightness + 0.22, dominant.lightness + 0.42)
        return np.asarray(plain * (1 - (1 - _darkness(dominant.lightness)) * much_lighter))
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


def _smooth_lightness(
    base: Base, rows: slice, size: tuple[int, int], here: np.ndarray, lightness: Values
) -> Values:
    slope, offset = (
        full_rows(base.slope, rows, size)[here],
        full_rows(base.offset, rows, size)[here],
    )
    return np.asarray(np.clip(slope * lightness + offset, 0.02, 1), dtype=np.float32)


def moved_lightness(
    lightness: Float32[np.ndarray, " n"],
    smooth: Float32[np.ndarray, " n"],
    source: float,
    target: float,
) -> Float32[np.ndarray, " n"]:
    """Move lightness so that ``source`` becomes ``target``, with shading and texture kept.

    The smooth base keeps its ratios (light and shadow), softened when the thing becomes lighter;
    detail keeps a contrast between its ratio and its absolute size, so that bark does not turn into
    an embossing when it becomes white, nor vanish when it becomes black.
    """
    lighter = min(1.0, source / max(target, 1e-3))
    # ratios of black to black mean nothing: a floor under both keeps noise from becoming a pattern
    dark = _darkness(source)
    floor = np.float32(0.3) * dark
    ratio = (smooth + floor) / (np.float32(source) + floor)
    moved = target * ratio ** np.float32(max(lighter, 0.3) ** 0.35)
    moved = _shoulder(moved, max(target, 0.8))
    gain = np.clip((smooth + floor) / np.maximum(moved, 1e-3), 0.2, 4) ** np.float32(0.6)
    gain = np.clip(gain, 0.4, 1.35)
    detail = np.clip((lightness + floor) / (smooth + floor), 0.05, 8) ** gain
    moved = _shoulder(moved * detail, 0.9)
    # what is lighter than black is gloss: it lies upon the new colour as it lay upon the old
    gloss = np.clip((lightness - np.float32(source)) / np.float32(1 - source), 0, 1)
    moved = moved + dark * (gloss > 0) * (target + (1 - target) * gloss - moved)
    return np.asarray(np.clip(moved, 0, 1), dtype=np.float32)


def _darkness(lightness: float) -> np.float32:
    """Return how nearly black a colour is: 1 up to lightness 0.1, 0 from 0.4."""
    return np.float32(np.clip((0.4 - lightness) / 0.3, 0, 1))


def _shoulder(values: np.ndarray, knee: float) -> np.ndarray:
    """Bend what lies above ``knee`` towards 1, which it never passes."""
    room = max(1 - knee, 1e-3)
    over = np.maximum(values - knee, 0)
    return np.asarray(np.minimum(values, knee) + room * (1 - np.exp(-over / room)))


def _blend(lab: Pixels, new: Pixels, member: Values) -> Pixels:
    return np.asarray(lab + member[:, None] * (new - lab), dtype=np.float32)
