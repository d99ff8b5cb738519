"""The words up to a head noun, sorted: colours, sizes, places, numbers, adjectives, the noun."""

from __future__ import annotations

from dataclasses import dataclass

from image_core.colour_names import BASIC, is_colour_modifier, is_colour_word, parse_colour
from image_core.instructions.lexicon import NUMBERS, ORDINALS, PLACE_DEGREES, SIZES
from image_core.instructions.nouns import is_adjective, singular
from image_core.instructions.positions import places_of
from image_core.instructions.text import COMMA, Words, vocabulary
from image_core.types import Place, Size

JOINTS = frozenset({"and", COMMA, "plus", "&", "or"})
_TWO_WORD_NOUNS = frozenset(
    {("top", "hat"), ("light", "bulb"), ("light", "switch"), ("light", "fixture"),
    ("light", "pole"),
     ("light", "house"), ("left", "turn"), ("ice", "cream"), ("hot", "dog"), ("polar", "bear"),
     ("teddy", "bear"), ("high", "heels"), ("wild", "boar"), ("golden", "retriever"),
     ("orange", "juice"), ("orange", "tree"), ("orange", "peel"), ("orange", "slice"),
     ("olive", "oil"), ("plastic", "bag"), ("paper", "bag"), ("flat", "screen"),
     ("high", "chair"), ("dry", "cleaner"), ("glass", "bottle"), ("cold", "drink")}
)  # fmt: skip
_TWO_WORD_NOUNS -= {("plastic", "bag"), ("paper", "bag"), ("glass", "bottle"), ("cold", "drink")}
# Before these, a colour word that is also a plant, food or stuff says what the thing is made of.
_NATURAL_HEADS = vocabulary(
    """
    tree bush branch leaf petal garden blossom bud flower plant bouquet stem pie cake juice sauce
    jam jar tart cookie ice milkshake muffin bar field beach castle dune storm globe man ball
    flake path floor bed forest grove orchard salad soup bread ale fillet steak oil butter tea
    syrup candy biscuit slice piece peel pit tomato milk roll wedge truffle pudding drift angel
    """
)
_STUFF = vocabulary(
    """
    cherry rose raspberry peach apricot lemon sand caramel chocolate chestnut olive mint forest
    snow plum ginger lavender lilac mustard salmon moss lime cream walnut coral aubergine violet
    rust hazel tangerine
    """
)


@dataclass(frozen=True, kw_only=True)
class Head:
    """A head noun and what stands before it.

    Attributes:
        noun: As said, compounds whole; empty when only other words stand there ("the left").
        colours: Colour phrases.
        size: A size.
        places: Places in the picture.
        ordinal: 2 for "second", -1 for "last", 0 for none.
        number: A number of several stands there.
        attributes: All other adjectives.
    """

    noun: str
    colours: tuple[str, ...]
    size: Size | None
    places: tuple[Place, ...]
    ordinal: int
    number: bool
    attributes: tuple[str, ...]


def read_head(words: Words, *, followed_by_of: bool) -> Head | None:
    """Sort the words up to and with the noun."""
    colours: list[str] = []
    attributes: list[str] = []
    places: list[Place] = []
    size: Size | None = None
    ordinal = 0
    number = False
    index = 0
    while index < len(words):
        word = words[index]
        last = index == len(words) - 1
        if words[index : index + 2] in _TWO_WORD_NOUNS:
            break
        length = _colour_length(words, index)
        if length and not ((last and word not in BASIC) or (last and word == "orange")):
            colours.append(_colour_text(words[index : index + length]))
            index += length
            continue
        if last and not _may_end_without_noun(words, index, followed_by_of):
            break
        if word in JOINTS or word in PLACE_DEGREES or word in ("most", "single", "really"):
            pass
        elif word in NUMBERS:
            number = True
        elif word in ORDINALS:
            ordinal = ORDINALS[word]
        elif word in SIZES:
            size = SIZES[word]  # type: ignore[assignment]
        elif places_of(word):
            places += places_of(word)
        elif word == "hand" and places:
            pass
        elif is_adjective(word):
            attributes.append(word.said)
        else:
            break
        index += 1
    noun = " ".join(word.lower() for word in words[index:])
    if not noun and not (colours or places or ordinal or size):
        return None
    return Head(
        noun=noun,
        colours=tuple(colours),
        size=size,
        places=tuple(dict.fromkeys(places)),
        ordinal=ordinal,
        number=number,
        attributes=tuple(attributes),
    )


def _may_end_without_noun(words: Words, index: int, followed_by_of: bool) -> bool:
    """Tell whether the last word is a place, size or ordinal that stands for the thing itself."""
    word = words[index]
    return not followed_by_of and bool(places_of(word) or word in ORDINALS or word in SIZES)


def _colour_length(words: Words, start: int) -> int:
    """Return how many words at ``start`` make one colour phrase, 0 for none."""
    best = 0
    for end in range(start + 1, min(len(words), start + 4) + 1):
        phrase = words[start:end]
        if phrase[-1] in ("coloured", "colour") and best:
            return best + 1
        if len(phrase) > 1 and is_colour_word(phrase[-1]) and parse_colour(" ".join(phrase)):
            best = len(phrase)
            continue
        if not all(is_colour_word(w) or is_colour_modifier(w) for w in phrase):
            single = phrase[-1].removesuffix("-coloured")
            if len(phrase) == 1 and single != phrase[-1] and parse_colour(single):
                best = 1
                continue
            if len(phrase) < 3:
                continue
            break
        if is_colour_word(phrase[-1]) and parse_colour(" ".join(phrase)) is not None:
            best = len(phrase)
    after = words[start + best : start + best + 1]
    if best == 1 and words[start] in _STUFF and after and singular(after[0])[0] in _NATURAL_HEADS:
        return 0
    return best


def _colour_text(words: Words) -> str:
    text = " ".join(word.said.lower() for word in words if word not in ("coloured", "colour"))
    return text.removesuffix("-coloured").removesuffix("-colored")
