"""How well a pixel's colour answers to a colour word, on the wide scale of what things look like.

A word names more than a point: "yellow" holds a yellow thing's shaded and lit sides. Windows are in
OKLCh, their edges soft; chroma is judged against lightness, since dark colours have little of it.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from image_core.colour_names import NamedColour

# hue windows in degrees of the chromatic basic terms: where people stop calling it that
_HUES: dict[str, tuple[float, float]] = {
    "red": (5, 38),
    "orange": (38, 74),
    "yellow": (74, 116),
    "green": (112, 180),
    "blue": (205, 288),
    "purple": (286, 338),
    "pink": (334, 388),
    "brown": (28, 88),
}
_SOFT_HUE = 12.0
_ACHROMATIC = ("black", "gray", "white")

Bound = Float[np.ndarray, "*n"] | float


def is_achromatic(colour: NamedColour) -> bool:
    """Tell whether a colour word has no hue of its own (black, white, silver, charcoal …)."""
    return colour.lch[1] < 0.03 or colour.name in _ACHROMATIC


def rise(values: Float[np.ndarray, "*n"], low: float, high: float) -> Float[np.ndarray, "*n"]:
    """Go from 0 at ``low`` to 1 at ``high``, smoothly (3t² - 2t³); falls if high < low."""
    t = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def _in_hues(
    hue: Float[np.ndarray, "*n"], low: Bound, high: Bound, soft: float
) -> Float[np.ndarray, "*n"]:
    """Return 1 inside a window of hues that may wrap around, falling over ``soft`` degrees."""
    centre, half = (low + high) / 2, (high - low) / 2
    away = np.abs((hue - centre + 180) % 360 - 180)
    return rise(half - away, -soft, 0)


def red_orange_border(lightness: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    """Return the hue at which red turns to orange: a light surface is called orange sooner."""
    return np.asarray(np.clip(38 - 30 * (lightness - 0.5), 28, 46))


def colourfulness(
    lightness: Float[np.ndarray, "*n"], chroma: Float[np.ndarray, "*n"]
) -> Float[np.ndarray, "*n"]:
    """Return chroma relative to what that lightness allows: 0 for grey, about 0.5 for vivid."""
    return np.asarray(chroma / (0.12 + 0.6 * lightness))


def _achromatic(colour: NamedColour, lch: Float[np.ndarray, "h w 3"]) -> Float[np.ndarray, "h w"]:
    lightness, chroma = lch[..., 0], lch[..., 1]
    grey = rise(chroma, 0.06, 0.025)
    if colour.basic == "black":
        # in the deep dark chroma is noise
        return np.asarray(rise(lightness, 0.38, 0.27) * np.maximum(grey, rise(lightness, 0.3, 0.2)))
    if colour.basic == "white":
        return np.asarray(rise(lightness, 0.76, 0.86) * grey)
    typical = colour.lch[0]
    near = rise(np.abs(lightness - typical), 0.3, 0.15)
    return np.asarray(near * rise(chroma, 0.045, 0.02))


def affinity(
    colour: NamedColour, lch: Float[np.ndarray, "h w 3"], *, strict: bool = False
) -> Float[np.ndarray, "h w"]:
    """Return how well each pixel answers to a colour word, in [0, 1].

    Args:
        colour: The word as ``parse_colour`` reads it.
        lch: OKLCh pixels.
        strict: Sharp hue borders and real colourfulness: what one would *name* so in isolation.
    """
    if is_achromatic(colour):
        return _achromatic(colour, lch)
    lightness, chroma, hue = lch[..., 0], lch[..., 1], lch[..., 2]
    soft = _SOFT_HUE / 2 if strict else _SOFT_HUE
    plain = colour.name == colour.basic
    if plain:
        window = _HUES[colour.basic]
        low: Bound = window[0]
        high: Bound = window[1]
        if colour.basic == "orange":
            low = red_orange_border(lightness)
        if colour.basic == "red":
            # either name does for a surface at the border: what is called red must be clear of it
            high = red_orange_border(lightness) - (6 if strict else 0)
    else:
        low, high = _around(colour)
    matched = _in_hues(hue, low, high, soft)
    vivid = colourfulness(lightness, chroma)
    least = 0.10 if strict else 0.05
    if not plain:
        # a muted word ("sage", "beige") asks for less chroma than its basic term
        least = min(least, 0.4 * float(colour.lch[1] / (0.12 + 0.6 * colour.lch[0])))
    matched = matched * rise(vivid, least, 2.5 * least)
    if strict and colour.name in ("orange", "yellow"):
        # darker, the same hue is called brown or olive
        matched = matched * (
            rise(lightness, 0.4, 0.5) if colour.name == "orange" else rise(lightness, 0.52, 0.64)
        )
    return np.asarray(matched * _lightness_fits(colour, lightness, chroma, hue, plain))


def _around(colour: NamedColour) -> tuple[float, float]:
    """Return the hue window around a word that is no basic term, as wide as its basic's."""
    hue = colour.lch[2]
    half = 20.0
    if colour.basic in _HUES:
        low, high = _HUES[colour.basic]
        half = min(32.0, (high - low) / 2)
    return hue - half, hue + half


def _lightness_fits(
    colour: NamedColour,
    lightness: Float[np.ndarray, "h w"],
    chroma: Float[np.ndarray, "h w"],
    hue: Float[np.ndarray, "h w"],
    plain: bool,
) -> Float[np.ndarray, "h w"] | float:
    if colour.name == "brown":
        # a vivid or light orange is not brown
        return np.asarray(rise(lightness, 0.72, 0.6) * rise(chroma, 0.17, 0.13))
    if colour.name == "pink":
        # towards red only light tints are pink, towards magenta darker ones as well
        redness = rise((hue + 180) % 360, 160, 185)
        least = 0.5 + 0.16 * redness
        return np.asarray(rise(lightness - least, 0.0, 0.1))
    if colour.name == "red":
        return np.asarray(rise(lightness, 0.08, 0.16) * rise(lightness, 0.78, 0.68))
    if colour.name in ("orange", "yellow"):
        return rise(lightness, 0.3, 0.45)
    if plain:
        return rise(lightness, 0.08, 0.16)
    return rise(np.abs(lightness - colour.lch[0]), 0.38, 0.24)
