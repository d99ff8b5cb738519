"""What the flat world is made of, and the closed list of words that speak of it.

The colours are words of ``image_core.colour_names``, which the 3D scenes and the clips take theirs
from too: a red ball is equally red in all worlds. The six lie at least 0.13 apart in OKLab chroma;
orange is left out, being 0.08 from red.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32

from image_core.colour_names import parse_colour

COLOURS = ("red", "green", "blue", "yellow", "purple", "cyan")
SHAPES = ("circle", "square", "triangle", "star", "ring", "cross")
PATTERNS = ("solid", "striped", "dotted")
GROUNDS = ("plain", "striped", "checkered", "dotted", "wavy")
SIDES = ("left", "right", "top", "bottom")
SIZES = ("small", "big")

NOUNS = {
    "circle": ("circle", "ball"),
    "square": ("square", "box"),
    "triangle": ("triangle",),
    "star": ("star",),
    "ring": ("ring",),
    "cross": ("cross",),
}
"""What each shape is called; ball, box and cross are the nouns of the 3D scene and the clip."""

HELD_OUT = (
    ("red", "triangle"), ("green", "star"), ("blue", "ring"),
    ("yellow", "square"), ("purple", "circle"), ("cyan", "cross"),
)  # fmt: skip
"""Colours and shapes that training never shows together; each of them it shows with others."""

PATTERN_NOUNS = {"striped": "stripes", "dotted": "dots", "checkered": "checks", "wavy": "waves"}
"""What something that is so is covered with."""
SIDE_PHRASES = {
    "left": "on the left", "right": "on the right", "top": "at the top", "bottom": "at the bottom",
}  # fmt: skip

_OTHERS = (
    # of captions
    "a", "and", "on", "at", "the", "of", "with", "there", "is", "are", "picture", "background",
    # of instructions
    "make", "turn", "into", "change", "to", "paint", "color", "replace", "swap", "for", "remove",
    "delete", "erase", "take", "away", "get", "rid", "add", "put", "draw", "insert", "give",
    "cover", "pattern",
)  # fmt: skip

WORDS: tuple[str, ...] = tuple(
    dict.fromkeys(
        (
            *COLOURS,
            *(noun for nouns in NOUNS.values() for noun in nouns),
            *PATTERNS,
            *GROUNDS,
            *PATTERN_NOUNS.values(),
            *SIDES,
            *SIZES,
            *_OTHERS,
        )
    )
)
"""Every word of every caption and instruction."""


def colour_table() -> Float32[np.ndarray, "colours 3"]:
    """Return the sRGB of each of ``COLOURS``, in [0, 1]."""
    named = [parse_colour(colour) for colour in COLOURS]
    return np.array([one.rgb for one in named if one is not None], dtype=np.float32)
