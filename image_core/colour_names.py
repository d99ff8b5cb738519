"""Colour words: what "navy blue", "reddish-brown" or "#ff8800" mean as one sRGB colour.

The instruction grammar, the grounder and the recolour editor all read colours here, so that they
cannot disagree about a word.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from image_core.colour import lab_to_lch, lch_to_lab, oklab_to_srgb, srgb_to_oklab

BASIC = (
    "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "gray", "white",
)  # fmt: skip

_HEX = {
    # the eleven basic terms, as typical objects show them
    "red": "c8201e", "orange": "f07a14", "yellow": "f2ce1b", "green": "2f8f3a", "blue": "2456c4",
    "purple": "7b2fa6", "pink": "f28cb4", "brown": "7a4a26", "black": "1b1b1d", "gray": "808284",
    "white": "f4f4f2",
    # reds and pinks
    "crimson": "b3112e", "scarlet": "d6241a", "maroon": "6a1426", "burgundy": "6d1030",
    "ruby": "a8123f", "cherry": "b01030", "brick": "a4442f", "rust": "a8481c", "coral": "f9735b",
    "salmon": "f5917a", "rose": "e0577f", "magenta": "c81fa0", "fuchsia": "d6279b",
    "raspberry": "c0285c", "blush": "ecb9b4", "terracotta": "c0603c", "vermilion": "df4327",
    # oranges, yellows, browns
    "peach": "f9bf95", "apricot": "f5b173", "amber": "eda313", "gold": "d4a72c", "golden": "d9a520",
    "mustard": "cf9f1f", "lemon": "f5e33a", "cream": "f5ecd0", "ivory": "f6f1e0", "beige": "dccaa6",
    "tan": "c9a478", "khaki": "b5a56d", "sand": "d6bf8f", "ochre": "c1812a", "bronze": "93683a",
    "copper": "b56a3c", "brass": "b5923f", "caramel": "b9752f", "chocolate": "4b2b19",
    "chestnut": "763b22", "auburn": "7a2e1c", "mahogany": "5e2318", "walnut": "55392a",
    "sienna": "95502d", "umber": "5d4630", "sepia": "6a4a2c", "hazel": "8a6a36", "blonde": "dcbd7a",
    "blond": "dcbd7a", "ginger": "b5612a",
    # greens
    "lime": "97d52c", "olive": "737a2a", "mint": "9fdcb8", "emerald": "0f8a57", "jade": "1f9a72",
    "sage": "98a785", "moss": "68773a", "forest": "1f5a30", "chartreuse": "b8dd27",
    # blues and violets
    "navy": "1a2a5c", "teal": "12787c", "turquoise": "2fbfb4", "cyan": "22c3dc", "aqua": "3fd0cf",
    "azure": "3b8be0", "cobalt": "1d46a8", "indigo": "3b2c88", "sapphire": "1a489c",
    "cerulean": "2a80b9", "periwinkle": "8f96dd", "ultramarine": "2a2ba0", "violet": "7d4bc4",
    "lavender": "b9a3de", "lilac": "c3a3d0", "mauve": "b088a8", "plum": "743768",
    "aubergine": "46233f", "amethyst": "8e5fb8",
    # without hue
    "silver": "b8babd", "charcoal": "3a3d40", "slate": "5c6873", "platinum": "d5d6d4",
    "graphite": "46484b", "taupe": "8b7d70", "champagne": "ecdcbb", "gunmetal": "4a5055",
    "tangerine": "f28421", "pearl": "eae6dc", "jet": "141416", "ebony": "231c19", "snow": "f8f9fa",
}  # fmt: skip
_ALIASES = {"grey": "gray", "violett": "violet", "bluey": "blue"}
_COMPOUND = {
    "sky blue": "76b5e4", "baby blue": "a5cdee", "navy blue": "1a2a5c", "royal blue": "2a4fc0",
    "electric blue": "2a6cff", "midnight blue": "151f44", "steel blue": "4a7ba6",
    "powder blue": "b3d0e2", "ice blue": "cfe6f0", "hot pink": "f0429b", "baby pink": "f6c3d2",
    "lime green": "7ccc2c", "forest green": "1f5a30", "sea green": "2f9870",
    "olive green": "66702a", "mint green": "9fdcb8", "emerald green": "0f8a57",
    "bottle green": "12472f",
    "racing green": "12452c", "grass green": "4d9a2f", "apple green": "8cbf3a",
    "neon green": "45f532", "neon pink": "ff3ea5", "neon yellow": "e8fa2a", "neon orange": "ff6a1a",
    "blood red": "7f0d14",
    "cherry red": "b01030", "fire red": "d3200f", "ruby red": "a8123f", "brick red": "a4442f",
    "wine red": "6a1230", "lemon yellow": "f5e33a", "mustard yellow": "cf9f1f",
    "rose gold": "c98d7e", "burnt orange": "bd5418", "jet black": "101012", "snow white": "fafbfc",
    "tomato red": "d8402a", "fire engine red": "ce2029", "candy red": "d91c34",
    "strawberry red": "d03a45", "canary yellow": "f7e34a", "sunflower yellow": "f3b81c",
    "butter yellow": "f6e59b", "banana yellow": "f5dc4d", "honey yellow": "e2a63a",
    "blood orange": "d94422", "sunset orange": "f26b3f", "ocean blue": "1f6fa3",
    "petrol blue": "1b5566", "denim blue": "4a6a94", "cornflower blue": "6a8fdc",
    "prussian blue": "183653", "duck egg blue": "bcdcd6", "leaf green": "4f9440",
    "pine green": "1f5a44", "pea green": "8fae3c", "kelly green": "3aa340",
    "bubblegum pink": "f7a6c6", "candy pink": "ee79a5", "flamingo pink": "f58fa6",
    "shocking pink": "f32f96", "coffee brown": "5a3d2b", "ash gray": "b0b4b1",
    "dove gray": "a5a5a6", "gunmetal gray": "4a5055", "off white": "efebe0",
    "pure white": "ffffff", "pure black": "000000", "pitch black": "0b0b0d",
}  # fmt: skip
_ISH = {
    "reddish": "red", "orangish": "orange", "yellowish": "yellow", "greenish": "green",
    "bluish": "blue", "purplish": "purple", "pinkish": "pink", "brownish": "brown",
    "blackish": "black", "grayish": "gray", "greyish": "gray", "whitish": "white",
    "violetish": "violet", "golden": "gold",
}  # fmt: skip
# modifier: (lightness moved towards this share of the way to black (-) or white (+), chroma factor)
_MODIFIERS = {
    "light": (0.38, 0.85), "lighter": (0.38, 0.85), "pale": (0.55, 0.6), "pastel": (0.55, 0.6),
    "soft": (0.3, 0.7), "dark": (-0.34, 0.9), "darker": (-0.34, 0.9), "deep": (-0.26, 1.05),
    "bright": (0.1, 1.25), "vivid": (0.0, 1.3), "vibrant": (0.0, 1.3), "intense": (0.0, 1.25),
    "neon": (0.2, 1.5), "electric": (0.05, 1.4), "rich": (-0.1, 1.15), "dull": (0.0, 0.55),
    "muted": (0.05, 0.55), "dusty": (0.1, 0.5), "faded": (0.2, 0.5), "matte": (0.0, 0.9),
    "matt": (0.0, 0.9), "glossy": (0.0, 1.0), "shiny": (0.0, 1.0), "metallic": (0.0, 0.85),
    "medium": (0.0, 1.0), "warm": (0.0, 1.0), "cool": (0.0, 1.0), "pure": (0.0, 1.15),
    "solid": (0.0, 1.0), "plain": (0.0, 1.0), "deeper": (-0.3, 1.05), "brighter": (0.12, 1.25),
    "paler": (0.55, 0.6), "richer": (-0.12, 1.15), "autumn": (-0.08, 0.95), "fiery": (0.0, 1.25),
    "bold": (0.0, 1.2), "strong": (0.0, 1.2), "subtle": (0.15, 0.6), "fluorescent": (0.15, 1.45),
    "rusty": (-0.1, 0.9), "sandy": (0.2, 0.7), "earthy": (-0.1, 0.7),
    "peachy": (0.15, 0.9), "milky": (0.4, 0.6), "murky": (-0.25, 0.5), "sunny": (0.1, 1.15),
    "cold": (0.0, 1.0), "icy": (0.45, 0.6), "creamy": (0.4, 0.7), "smoky": (-0.1, 0.5),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class NamedColour:
    """A colour that words name.

    Attributes:
        name: The words, normalised: lower case, single spaces, "gray".
        rgb: Its typical sRGB in [0, 1].
        lch: The same in OKLCh: lightness [0, 1], chroma, hue in degrees.
        basic: The nearest of the eleven basic terms by the words themselves, or by OKLab distance.
    """

    name: str
    rgb: tuple[float, float, float]
    lch: tuple[float, float, float]
    basic: str


def _rgb_of(code: str) -> np.ndarray:
    return np.array([int(code[i : i + 2], 16) / 255 for i in (0, 2, 4)])


def _normalise(text: str) -> list[str]:
    words = re.sub(r"[-_\s]+", " ", text.strip().lower()).split()
    words = [_ALIASES.get(word, word) for word in words]
    return [
        word
        for word in words
        if word not in {"a", "an", "the", "very", "colour", "color", "shade", "of"}
    ]


def _nearest_basic(lab: np.ndarray) -> str:
    labs = {name: srgb_to_oklab(_rgb_of(_HEX[name])) for name in BASIC}
    return min(BASIC, key=lambda name: float(np.linalg.norm(labs[name] - lab)))


def _make(name: str, lab: np.ndarray, basic: str | None) -> NamedColour:
    rgb = oklab_to_srgb(lab)
    lch = lab_to_lch(srgb_to_oklab(rgb))
    return NamedColour(
        name=name,
        rgb=(float(rgb[0]), float(rgb[1]), float(rgb[2])),
        lch=(float(lch[0]), float(lch[1]), float(lch[2])),
        basic=basic or _nearest_basic(lab),
    )


def _modified(lab: np.ndarray, modifier: str) -> np.ndarray:
    shift, chroma = _MODIFIERS[modifier]
    lch = lab_to_lch(lab)
    towards = 1.0 if shift > 0 else 0.0
    lightness = lch[0] + abs(shift) * (towards - lch[0])
    return lch_to_lab(np.array([lightness, lch[1] * chroma, lch[2]]))


@lru_cache(maxsize=512)
def parse_colour(text: str) -> NamedColour | None:
    """Read colour words.

    Takes a basic or fancier name, a compound of two ("sky blue", "blue green"), an -ish word before
    one ("reddish-brown"), modifiers before it ("dark", "pale", "bright" …) and ``#rrggbb``.

    Returns:
        The colour, or None when any of the words is no colour word.
    """
    stripped = text.strip().lower()
    if re.fullmatch(r"#[0-9a-f]{6}", stripped):
        return _make(stripped, srgb_to_oklab(_rgb_of(stripped[1:])), None)
    words = _normalise(text)
    if not words:
        return None
    name = " ".join(words)
    if name in _COMPOUND:
        last = words[-1]
        basic = last if last in BASIC else None
        return _make(name, srgb_to_oklab(_rgb_of(_COMPOUND[name])), basic)
    if len(words) == 1:
        word = words[0]
        if word in _HEX:
            return _make(word, srgb_to_oklab(_rgb_of(_HEX[word])), word if word in BASIC else None)
        if word in _ISH:
            inner = parse_colour(_ISH[word])
            assert inner is not None
            return _make(word, srgb_to_oklab(np.array(inner.rgb)), inner.basic)
        return None
    inner = parse_colour(" ".join(words[1:]))
    if inner is None:
        return None
    lab = srgb_to_oklab(np.array(inner.rgb))
    if words[0] in _MODIFIERS:
        return _make(name, _modified(lab, words[0]), inner.basic)
    tint = parse_colour(words[0])
    if tint is None:
        return None
    share = 0.3 if words[0] in _ISH else 0.4
    mixed = (1 - share) * lab + share * srgb_to_oklab(np.array(tint.rgb))
    return _make(name, mixed, inner.basic)


def is_colour_word(word: str) -> bool:
    """Tell whether one word can stand in a colour phrase as a colour (not only as a modifier)."""
    word = _ALIASES.get(word.lower(), word.lower())
    return word in _HEX or word in _ISH or ("-" in word and parse_colour(word) is not None)


def is_colour_modifier(word: str) -> bool:
    """Tell whether a word like "dark" or "pale" only modifies the colour word after it."""
    return word.lower() in _MODIFIERS
