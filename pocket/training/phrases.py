"""What a detector is asked in training: phrases that are true of an object, or nearly so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from pocket.flat.scenes import FlatThing, Scenes
from pocket.flat.settings import SLOTS
from pocket.flat.words import COLOURS, NOUNS, PATTERNS, SHAPES

Phrase = tuple[str, ...]

# how often a phrase says the size, the pattern and the colour, and takes a noun's synonym
_SIZE, _PATTERN, _COLOUR, _SYNONYM = 0.2, 0.3, 0.9, 0.25
_FALSE = 0.5  # share of phrases in which a word is exchanged
_SHAPES_NOUN = 0.5  # which is the noun so often, else another word of the phrase
# shares of captions with one, two and three phrases
_COUNTS = (0.6, 0.3, 0.1)


@dataclass(frozen=True, kw_only=True)
class Question:
    """A caption of phrases for one scene.

    Attributes:
        phrases: Their words.
        text: All of them, each closed with a full stop, as production code words it.
        truth: For each slot and each word, in the order of ``text``, whether it is true of the
            slot's object; an empty slot has none.
    """

    phrases: tuple[Phrase, ...]
    text: str
    truth: Bool[np.ndarray, "4 words"]


def question(scenes: Scenes, row: int, random: np.random.Generator) -> Question:
    """Draw a question about a scene."""
    things = scenes.things(row)
    count = 1 + int(random.choice(len(_COUNTS), p=_COUNTS))
    return question_of(scenes, row, [drawn_phrase(things, random) for _ in range(count)])


def question_of(scenes: Scenes, row: int, phrases: Sequence[Phrase]) -> Question:
    """Return given phrases as a question about a scene."""
    words = [word for phrase in phrases for word in phrase]
    truth = np.zeros((SLOTS, len(words)), dtype=bool)
    for slot in scenes.slots(row):
        known = words_of(scenes.thing(row, slot))
        truth[slot] = [word in known for word in words]
    text = " ".join(f"{' '.join(phrase)}." for phrase in phrases)
    return Question(phrases=tuple(phrases), text=text, truth=truth)


def words_of(thing: FlatThing) -> frozenset[str]:
    """Return all words that are true of an object."""
    patterns = ("solid", "plain") if thing.pattern == "solid" else (thing.pattern,)
    size = "big" if thing.big else "small"
    return frozenset((thing.colour, size, *patterns, *NOUNS[thing.shape]))


def drawn_phrase(things: Sequence[FlatThing], random: np.random.Generator) -> Phrase:
    """Draw a phrase that is true of one of the objects, or was until a word was exchanged."""
    meant = things[int(random.integers(len(things)))]
    says = random.random(4) < (_SIZE, _PATTERN, _COLOUR, _SYNONYM)
    words = ["big" if meant.big else "small"] if says[0] else []
    words += [meant.pattern] if says[1] else []
    words += [meant.colour] if says[2] else []
    words.append(NOUNS[meant.shape][-1 if says[3] else 0])
    if random.random() < _FALSE:
        place = len(words) - 1
        if len(words) > 1 and random.random() >= _SHAPES_NOUN:
            place = int(random.integers(len(words) - 1))
        words[place] = _another(words[place], random)
    return tuple(words)


def absent_pairs(things: Sequence[FlatThing]) -> list[Phrase]:
    """Return the phrases of colour and noun that are true of none of the objects."""
    there = {(thing.colour, thing.shape) for thing in things}
    return [
        (colour, NOUNS[shape][0])
        for colour in COLOURS
        for shape in SHAPES
        if (colour, shape) not in there
    ]


def _another(word: str, random: np.random.Generator) -> str:
    """Exchange a word for one of the same kind that means something else."""
    nouns = tuple(NOUNS[shape] for shape in SHAPES)
    sorts: tuple[tuple[tuple[str, ...], ...], ...] = (
        tuple((colour,) for colour in COLOURS),
        tuple((pattern,) for pattern in PATTERNS),
        (("big",), ("small",)),
        nouns,
    )
    for sort in sorts:
        others = [same for same in sort if word not in same]
        if len(others) < len(sort):
            same = others[int(random.integers(len(others)))]
            return same[int(random.integers(len(same)))]
    raise AssertionError(f"{word} is of no sort")
