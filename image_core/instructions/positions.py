"""Where in the picture a thing is said to be: "on the far left", "in the upper right corner"."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from image_core.instructions.lexicon import (
    CORNERS,
    GROUNDS,
    PICTURE,
    PLACE_DEGREES,
    PLACE_PARTS,
    PLACES,
    PREPOSITIONS,
)
from image_core.instructions.text import Words, spoken, vocabulary
from image_core.types import Place

_PLACE_PREPOSITIONS = vocabulary("on at in to near by along from toward towards")
_ARTICLES = frozenset({"the", "its", "my", "your", "this"})


def starts_with(words: Words, phrase: tuple[str, ...]) -> bool:
    """Tell whether the words begin with the phrase."""
    return words[: len(phrase)] == phrase


def preposition_at(words: Words, start: int) -> int:
    """Return how many words at ``start`` make a preposition, 0 for none; the longest is read."""
    return max((len(p) for p in PREPOSITIONS if words[start : start + len(p)] == p), default=0)


def prepositions(words: Words, *, first: int = 0) -> Iterator[tuple[int, int]]:
    """Yield start and end of each preposition from word ``first`` on."""
    index = first
    while index < len(words):
        length = preposition_at(words, index)
        if length:
            yield index, index + length
        index += max(length, 1)


def places_of(word: str) -> tuple[Place, ...]:
    """Return the places that one word names: ("left",) for "leftmost", two for "top-left"."""
    if word in CORNERS:
        return CORNERS[word]  # type: ignore[return-value]
    return (PLACES[word],) if word in PLACES else ()  # type: ignore[return-value]


def picture_after_of(words: Words) -> int:
    """Return how many words at the front read "of/in the (whole) picture"; 0 when they do not."""
    index = 1
    if not words or words[0] not in ("of", "in", "from"):
        return 0
    while index < len(words) and (words[index] in _ARTICLES or words[index] in ("whole", "entire")):
        index += 1
    return index + 1 if index < len(words) and words[index] in PICTURE else 0


def _match(words: Words) -> tuple[tuple[Place, ...], int]:
    """Read a place at the front of the words: the places and how many words they take."""
    if words[0] not in _PLACE_PREPOSITIONS:
        return (), 0
    index = 1
    found: list[Place] = []
    while index < len(words):
        word = words[index]
        if (word in _ARTICLES and not found) or word in PLACE_DEGREES:
            index += 1
        elif places_of(word):
            found += [place for place in places_of(word) if place not in found]
            index += 1
        elif found and word in PLACE_PARTS:
            index += 1
        else:
            break
    if not found:
        return (), 0
    if starts_with(words[index:], ("of",)):
        length = picture_after_of(words[index:])
        return (tuple(found), index + length) if length else ((), 0)
    return tuple(found), index


@dataclass(frozen=True, kw_only=True)
class Whereabouts:
    """What the words after a noun say.

    Attributes:
        places: Where in the picture.
        ordinal_from: The side in "from the left"; None when unsaid.
        grounds: "in the background" and the like.
        relation: All the rest.
    """

    places: tuple[Place, ...] = ()
    ordinal_from: Place | None = None
    grounds: tuple[str, ...] = ()
    relation: Words = ()


def read_whereabouts(words: Words) -> Whereabouts:
    """Sort the words after a noun into places in the picture and relations to other things.

    A place inside "of the …" belongs to that other thing and stays there.
    """
    places: list[Place] = []
    side: Place | None = None
    grounds: list[str] = []
    rest: list[int] = []
    index = 0
    while index < len(words):
        if rest and words[rest[0]] == "of":
            rest += range(index, len(words))
            break
        found, length = _match(words[index:])
        if found and words[index] == "from":
            side = found[0]
            index += length
        elif found:
            places += [place for place in found if place not in places]
            index += length
        elif picture_after_of(words[index:]) and not rest:
            index += picture_after_of(words[index:])
        elif _is_ground(words[index:]):
            grounds.append(spoken(words[index : index + 3]))
            index += 3 + picture_after_of(words[index + 3 :])
        else:
            rest.append(index)
            index += 1
    return Whereabouts(
        places=tuple(places),
        ordinal_from=side,
        grounds=tuple(grounds),
        relation=tuple(words[i] for i in rest),
    )


def _is_ground(words: Words) -> bool:
    if len(words) < 3 or words[0] not in ("in", "at") or words[1] not in _ARTICLES:
        return False
    after = words[3:]
    return words[2] in GROUNDS and (not starts_with(after, ("of",)) or picture_after_of(after) > 0)
