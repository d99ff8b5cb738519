"""What a thing is to become: "dark blue", "much brighter", "striped", "a cat", read as a change.

Colour words win over all, then filters, tones, patterns, styles, materials and adjectives.
"""

from __future__ import annotations

from dataclasses import replace

from image_core.colour_names import is_colour_modifier, is_colour_word, parse_colour
from image_core.instructions.amounts import DEGREE_WORDS
from image_core.instructions.drafts import Change
from image_core.instructions.lexicon import COLOUR_NOUNS, DETERMINERS, INDEFINITE, SIZES
from image_core.instructions.noun_phrase import is_thing, strip_determiners, thing
from image_core.instructions.nouns import SHAPE_NOUNS, is_adjective, singular
from image_core.instructions.styles import MATERIALS, read_style, read_texture
from image_core.instructions.text import COMMA, Word, Words, spoken, vocabulary
from image_core.instructions.tones import TONE_ADJECTIVES, read_filter, read_tone

_SCENES = vocabulary(
    """
    sunset sunrise dawn dusk twilight night nighttime midnight storm thunderstorm winter summer
    spring autumn fall snow rain fog evening morning daytime day noon snowstorm blizzard halloween
    christmas
    """
)
_GONE = (
    ("gone",), ("removed",), ("deleted",), ("erased",), ("invisible",), ("taken", "away"),
    ("hidden",),
    ("go", "away"), ("disappear",), ("vanish",), ("taken", "out"), ("out", "of", "there"),
    ("gone", "away"),
)  # fmt: skip
_COLOURED = vocabulary("painted coloured recoloured dyed tinted turned repainted stained")
_COMPARATIVE_COLOURS = {
    "redder": "red", "bluer": "blue", "greener": "green", "yellower": "yellow", "whiter": "white",
    "blacker": "black", "browner": "brown", "pinker": "pink", "greyer": "grey",
}  # fmt: skip
_COLOUR_FILLERS = COLOUR_NOUNS | {
    "coloured", "of", "in", "one", "ones", "paint", "tone", "all", "version", "dye", "finish",
    "nice", "lovely", "beautiful", "pretty", "cheerful", "elegant", "as", ",", "good", "with",
    "something", "like", "using", "closer", "to",
}  # fmt: skip


def read_change(words: Words) -> Change | None:
    """Read a predicate (what follows "to", "is" or the thing itself) if it is a known one."""
    while words and words[-1] in (COMMA, "instead", "too", "now", "again"):
        words = words[:-1]
    while words and words[0] in ("be", "being", "become", COMMA, "completely", "entirely", "all"):
        words = words[1:]
    if len(words) > 1 and words[-1] in ("one", "ones"):
        words = words[1:-1] if words[0] in INDEFINITE else words[:-1]
    if not words:
        return None
    if len(words) > 1 and words[0] in _COLOURED and colour_text(words[1:]):
        words = words[1:]
    if words in _GONE:
        return Change(kind="remove")
    return (
        read_filter(words)
        or read_texture(words)
        or read_recolour(words)
        or read_tone(words)
        or read_style(words)
        or _read_material(words)
        or _read_several_colours(words)
        or _read_adjectives(words)
    )


def read_becoming(words: Words) -> Change | None:
    """Read what something is turned into: a known change, or else another thing."""
    words = words[1:] if words[:1] == ("be",) else words
    change = read_change(words)
    if change is not None or not is_thing(words):
        return change
    bare = strip_determiners(words)
    if singular(bare[-1])[0] in _SCENES and "sky" not in bare:
        return Change(kind="attribute", value=thing(words))
    return Change(kind="replace", value=thing(words))


def is_scene(words: Words) -> bool:
    """Tell whether the words name a season, weather or time of day."""
    bare = strip_determiners(words)
    return bool(bare) and (bare[-1] in _SCENES or bare[-1] in ("scene", "weather", "season"))


def read_recolour(words: Words) -> Change | None:
    """Read a colour: "a dark shade of red", "sky-blue", "rust-coloured", "red and white"."""
    colour = colour_text(words)
    return Change(kind="recolor", value=colour) if colour else None


def colour_text(words: Words) -> str:
    """Return the colour that the words name and nothing else, or the empty string."""
    kept: list[str] = []
    for word in words:
        low = word.said.lower().removesuffix("-coloured").removesuffix("-colored")
        if word in _COLOUR_FILLERS or word in DETERMINERS or word in DEGREE_WORDS:
            continue
        kept.append(_COMPARATIVE_COLOURS.get(word, low))
    if kept[:1] == ["more"]:
        kept = kept[1:]
    if not kept or len(kept) > 7:
        return ""
    if parse_colour(" ".join(kept)) is not None:
        return " ".join(kept)
    if "and" in kept[1:-1]:
        middle = kept.index("and")
        halves = [" ".join(kept[:middle]), " ".join(kept[middle + 1 :])]
        if all(parse_colour(half) is not None for half in halves):
            return " and ".join(halves)
    return ""


def _read_material(words: Words) -> Change | None:
    """Read "made of chocolate", "out of glass", "wooden"."""
    for phrase in (
        ("made", "out", "of"), ("made", "up", "of"), ("made", "entirely", "of"), ("built", "of"),
        ("made", "of"), ("made", "from"), ("built", "from"), ("built", "out", "of"), ("out", "of"),
        ("carved", "from"), ("carved", "out", "of"), ("constructed", "from"), ("crafted", "from"),
        ("as", "if", "made", "of"), ("cast", "in"), ("of", "pure"), ("formed", "of"),
    ):  # fmt: skip
        if words[: len(phrase)] == phrase and len(words) > len(phrase):
            stuff = thing(words[len(phrase) :])
            return Change(kind="attribute", value=f"made of {stuff}") if stuff else None
    plain = [word for word in words if word not in ("polished", "white", "black")]
    if len(plain) == 1 and plain[0] in MATERIALS and words[0] not in DETERMINERS:
        return Change(kind="attribute", value=spoken(words))
    return None


def _read_several_colours(words: Words) -> Change | None:
    """Read "in rainbow colours": several colours at once are an attribute."""
    bare = words[1:] if words[:1] == ("in",) else words
    if bare[-1:] != ("colours",) or not 1 < len(bare) < 4 or bare[0] in DETERMINERS:
        return None
    return Change(kind="attribute", value=spoken(bare))


def _read_adjectives(words: Words) -> Change | None:
    """Read "dark and stormy", "much older": adjectives, degree words and "and" only."""
    if not words or len(words) > 9 or _is_a_shape(words):
        return None
    kept = [
        w for w in words if w not in ("and", COMMA, "more", "less", "most", "as", "but", "look")
    ]
    kept = [w for w in kept if w not in DEGREE_WORDS and w not in ("a", "bit", "little", "lot")]
    if not kept or not all(_qualifies(word) for word in kept):
        return None
    known = any(is_adjective(word) or _is_comparative(word) or word in SIZES for word in kept)
    if not known and words[0] not in ("more", "less"):
        return None
    while words[0] in ("look", "as"):
        words = words[1:]
    return Change(kind="attribute", value=spoken(words))


def _is_a_shape(words: Words) -> bool:
    """Tell whether the words are "a red square": a thing, not how a thing is."""
    return words[0] in INDEFINITE and words[-1] in SHAPE_NOUNS


def _qualifies(word: Word) -> bool:
    return (
        is_adjective(word)
        or _is_comparative(word)
        or word in SIZES
        or is_colour_word(word)
        or is_colour_modifier(word)
        or word in TONE_ADJECTIVES
    )


_NOT_COMPARATIVE = vocabulary(
    """
    flower tower paper water letter dinner summer winter corner counter computer shutter finger
    sweater river driver singer dancer baker player poster roller runner slipper sticker toaster
    tiger soldier officer fisher farmer curler butter fender hanger burger shoulder sneaker
    planter lighter painter drawer feather leather weather father mother brother sister daughter
    border chamber cucumber number lumber timber ladder spider rider leader header door-opener
    ginger passenger hamburger messenger banner copper pepper zipper diaper newspaper amber silver
    over under after never ever other another together rather monster master oyster plaster
    blister filter otter litter glitter twitter cover lover clover glover shower power helper
    container trailer boiler ruler speaker cracker locker tanker printer mixer fryer layer lawyer
    flier character cylinder calendar peter walker user laser freezer divider gather beaver fever
    liver hammer trimmer lantern antler bumper jumper scooter motor rooster lobster hamster
    """
)


def _is_comparative(word: str) -> bool:
    """Tell whether a word looks like "older": a comparative that is no noun in -er."""
    if word in _NOT_COMPARATIVE or not word.endswith("er") or len(word) < 5:
        return False
    stem = word[:-2]
    stems = {stem, stem + "e", stem[:-1] + "y" if stem.endswith("i") else stem}
    if len(stem) > 3 and stem[-1] == stem[-2]:
        stems.add(stem[:-1])
    return any(is_adjective(s) or s in SIZES for s in stems)


def scaled(change: Change, amount: float) -> Change:
    """Return the change with its size multiplied, direction kept."""
    return replace(change, amount=change.amount * amount)
