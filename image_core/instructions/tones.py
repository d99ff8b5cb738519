"""Words for tone and filters: "brighter", "less saturated", "black and white"."""

from __future__ import annotations

from typing import Literal

from image_core.instructions.amounts import take_amount
from image_core.instructions.drafts import Change
from image_core.instructions.lexicon import INDEFINITE
from image_core.instructions.text import Words, vocabulary

Tone = Literal["brightness", "contrast", "saturation", "warmth"]


def _table(rows: dict[tuple[str, int], str]) -> dict[str, tuple[str, int]]:
    return {word: meaning for meaning, words in rows.items() for word in words.split()}


TONE_ADJECTIVES = _table({
    ("brightness",
    1): "bright brighter lighter light luminous well-lit brightened sunnier lightened",
    ("brightness", -1): "dark darker dim dimmer darkened dimmed duskier shadier",
    ("contrast", 1): "contrasty contrastier punchy punchier high-contrast contrasted",
    ("contrast", -1): "flatter low-contrast hazier",
    ("saturation", 1): "vivid vibrant saturated colourful intense richer livelier oversaturated "
                       "vivider",
    ("saturation",
    -1): "muted dull duller faded washed-out desaturated paler subdued undersaturated",
    ("warmth", 1): "warm warmer warm-toned",
    ("warmth", -1): "cool cooler cold colder cool-toned chillier icier",
})  # fmt: skip
TONE_NOUNS = _table({
    ("brightness", 1): "brightness exposure light lighting luminosity lightness luminance",
    ("brightness", -1): "darkness shadows",
    ("contrast", 1): "contrast contrasts",
    ("saturation",
    1): "saturation vibrance vibrancy vividness chroma colourfulness colours intensity",
    ("warmth", 1): "warmth temperature",
    ("warmth", -1): "coolness coldness",
})  # fmt: skip
FILTER_NOUNS = {
    **dict.fromkeys(vocabulary("sharpness clarity detail details definition crispness"), "sharpen"),
    **dict.fromkeys(vocabulary("blur blurriness blurring softness"), "blur"),
    **dict.fromkeys(vocabulary("pixelation pixelisation"), "pixelate"),
}
_FILTER_WORDS = {
    **dict.fromkeys(
        vocabulary(
            """
            blurry blurred blurrier blur unfocused defocused fuzzy fuzzier out-of-focus blurring
            bokeh
            """
        ),
        "blur",
    ),
    **dict.fromkeys(
        vocabulary("sharp sharper crisp crisper sharpened sharpen sharpening"), "sharpen"
    ),
    **dict.fromkeys(
        vocabulary(
            """
            pixelated pixelised pixelized pixelate pixelation pixellated blocky pixels
            pixelization
            """
        ),
        "pixelate",
    ),
    **dict.fromkeys(
        vocabulary(
            """
            greyscale monochrome monochromatic colourless black-and-white uncoloured noir
            black-white
            """
        ),
        "grayscale",
    ),
    **dict.fromkeys(vocabulary("sepia sepia-toned sepia-tone"), "sepia"),
    **dict.fromkeys(vocabulary("inverted negative invert inversion inverse"), "invert"),
}
_FILTER_PHRASES = {
    ("out", "of", "focus"): "blur", ("black", "and", "white"): "grayscale",
    ("grey", "scale"): "grayscale", ("black", "&", "white"): "grayscale",
    ("sepia", "tone"): "sepia",
    ("sepia", "tones"): "sepia", ("gaussian", "blur"): "blur", ("soft", "focus"): "blur",
    ("colour", "negative"): "invert", ("colour", "inversion"): "invert",
    ("b", "and", "w"): "grayscale",
    ("shades", "of", "grey"): "grayscale", ("shade", "of", "grey"): "", ("in", "focus"): "sharpen",
    ("photo", "negative"): "invert", ("inverted", "colours"): "invert",
    ("sepia", "toned"): "sepia", ("mosaic", "effect"): "pixelate", ("mosaic", "filter"): "pixelate",
    ("into", "focus"): "sharpen", ("focus",): "sharpen", ("black", "white"): "grayscale",
    ("grey", "tones"): "grayscale", ("grey", "scales"): "grayscale",
    ("large", "pixels"): "pixelate", ("big", "pixels"): "pixelate",
}  # fmt: skip
_OPPOSITE_FILTER = {"blur": "sharpen", "sharpen": "blur"}
_FILTER_TAILS = vocabulary(
    """
    filter effect filters version tone look mode photo picture image
    """
)


def read_filter(words: Words) -> Change | None:
    """Read "blurry", "black and white", "a sepia filter"."""
    words, amount = take_amount(words)
    opposite = words[:1] == ("less",)
    while words and (words[0] in INDEFINITE or words[0] in ("the", "more", "less", "in", "into")):
        words = words[1:]
    if tuple(words) in _FILTER_PHRASES and len(words) == 2:
        return Change(kind="filter", operation=_FILTER_PHRASES[tuple(words)], amount=amount)
    while len(words) > 1 and words[-1] in _FILTER_TAILS:
        words = words[:-1]
    words, inner = take_amount(words)
    amount = amount if inner == 1.0 else inner
    if len(words) == 1:
        operation = _FILTER_WORDS.get(words[0], "") or _FILTER_PHRASES.get((words[0],), "")
    elif len(words) == 2 and words[0] in ("strong", "heavy", "light", "slight", "subtle", "soft"):
        operation = _FILTER_WORDS.get(words[1], "")
        amount = 2.0 if words[0] in ("strong", "heavy") else 0.5
    else:
        operation = _FILTER_PHRASES.get(tuple(words), "")
    if opposite:
        operation = _OPPOSITE_FILTER.get(operation, "")
    return Change(kind="filter", operation=operation, amount=amount) if operation else None


def read_tone(words: Words) -> Change | None:
    """Read "a bit brighter", "less saturated", "with more contrast"."""
    words, amount = take_amount(words)
    sign = 1
    while len(words) > 1 and words[0] in (
        "more",
        "less",
        "with",
        "have",
        "look",
        "in",
        "too",
        "as",
    ):
        sign = -sign if words[0] == "less" else sign
        words, inner = take_amount(words[1:])
        amount = amount if inner == 1.0 else inner
    if words[:1] and words[0] in INDEFINITE and words[-1:] == ("tone",):
        words = words[1:-1]
    if words[-1:] == ("toned",):
        words = words[:-1]
    if len(words) == 3 and words[1] == "and":
        first, second = TONE_ADJECTIVES.get(words[0]), TONE_ADJECTIVES.get(words[2])
        words = words[:1] if first and first == second else words
    if len(words) != 1:
        return None
    found = TONE_ADJECTIVES.get(words[0]) or TONE_NOUNS.get(words[0])
    if found is None or (words[0] in ("shadows", "colours", "light", "lighting") and sign == 1):
        found = TONE_ADJECTIVES.get(words[0])
    if found is None:
        return None
    return Change(kind="tone", operation=found[0], amount=sign * found[1] * amount)
