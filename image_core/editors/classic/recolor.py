"""Recolouring with shading, texture and highlights kept.

The region's dominant colour becomes the new one; what shows another colour keeps it. Lightness is
split into a smooth base, which carries light and shadow, and detail.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float32

from image_core.colour import srgb_to_oklab
from image_core.colour_names import NamedColour, parse_colour
from image_core.editors.classic.dominant import (
    DARKEST,
    DominantColour,
    darkness,
    dominant_colour,
    membership,
)
from image_core.editors.classic.pixels import (
    Pixels,
    Values,
    hue_of,
    map_pixels,
    oklab_in_gamut,
)
from image_core.editors.classic.prepared import Piece, measured, reference_pixels, statistics_from
from image_core.editors.classic.shading import Base, base_of, full_rows
from image_core.editors.classic.statistics import count_colours
from image_core.errors import UnsupportedEdit
from image_core.types import EditBatch, EditStep, Image


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
            ratio = own / np.maximum(lab[:, 0], DARKEST) / np.float32(dominant.saturation)
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
    dark = darkness(source)
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


def _shoulder(values: np.ndarray, knee: float) -> np.ndarray:
    """Bend what lies above ``knee`` towards 1, which it never passes."""
    room = max(1 - knee, 1e-3)
    over = np.maximum(values - knee, 0)
    return np.asarray(np.minimum(values, knee) + room * (1 - np.exp(-over / room)))


def _blend(lab: Pixels, new: Pixels, member: Values) -> Pixels:
    return np.asarray(lab + member[:, None] * (new - lab), dtype=np.float32)
