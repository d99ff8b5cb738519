"""Clauses in which a thing becomes something: make, turn, paint, change, replace, "should be"."""

from __future__ import annotations

from image_core.colour_names import is_colour_modifier, is_colour_word
from image_core.instructions.changes import (
    colour_text,
    is_scene,
    read_becoming,
    read_change,
    scaled,
)
from image_core.instructions.drafts import (
    WHOLE,
    Change,
    Draft,
    Drafts,
    draft_all,
    with_source_colour,
)
from image_core.instructions.lexicon import (
    DETERMINERS,
    INDEFINITE,
    ORDINALS,
    PLACE_PARTS,
    PRONOUNS,
    RELATIONS,
    SIZES,
)
from image_core.instructions.noun_phrase import (
    is_thing,
    starts_noun_phrase,
    strip_determiners,
    thing,
)
from image_core.instructions.nouns import ALSO_NOUNS, SHAPE_NOUNS, describes
from image_core.instructions.positions import places_of, preposition_at, prepositions
from image_core.instructions.quantities import adjusted_quantity
from image_core.instructions.styles import read_style
from image_core.instructions.text import POSSESSIVE, Words, spoken, vocabulary
from image_core.instructions.tones import TONE_NOUNS, read_filter, read_tone

_LONGEST_PREDICATE = 12
_DEGREES = vocabulary("bit little lot touch tad great smidge notch whole tiny hint shade")
_NEVER_FIRST = ("and", ",", POSSESSIVE, "one", "ones", "of", "coloured", "colour")
# Nouns that also describe, colours left out: "the oval mirror".
_BOTH = {word for word in ALSO_NOUNS if not (is_colour_word(word) or is_colour_modifier(word))}
_BE = (
    ("should", "be"), ("must", "be"), ("needs", "to", "be"), ("need", "to", "be"),
    ("has", "to", "be"),
    ("have", "to", "be"), ("ought", "to", "be"), ("could", "be"), ("would", "be"), ("to", "be"),
    ("shall", "be"), ("will", "be"), ("can", "be"), ("to", "become"), ("should", "become"),
    ("should", "look"), ("should", "go"), ("would", "look"), ("to", "look"), ("should", "turn"),
    ("should", "appear"),
    ("becomes",), ("became",), ("become",), ("turned",), ("turns",), ("were",), ("was",), ("is",),
    ("are",), ("be",), ("looks",), ("looked",), ("being",),
)  # fmt: skip


def make(words: Words) -> Drafts:
    """Read what follows "make", "turn", "paint" …: a thing and what it becomes."""
    return (
        _of_everything(words)
        or _looking(words)
        or adjusted_quantity(words)
        or complement(words)
        or (changed(words) if {"to", "into"} & set(words) else None)
    )


def _of_everything(words: Words) -> Drafts:
    """Read "black and white", "to greyscale": a filter or style with no thing named."""
    change = read_filter(words[1:] if words[:1] == ("to",) else words)
    if change is None and words[:1] and words[0] in ("in", "as", "like"):
        change = read_style(words)
    return [Draft(reference=WHOLE, change=change)] if change else None


def _looking(words: Words) -> Drafts:
    """Read "the house look like a castle", "the cat look angry"."""
    for verb in ("look", "appear", "seem", "looks", "resemble", "looking"):
        if verb not in words[1:]:
            continue
        at = words.index(verb, 1)
        after = words[at + 1 :]
        change = _likeness(after) if after else None
        return draft_all(words[:at], change) if change else None
    return None


def _likeness(words: Words) -> Change | None:
    """Read what follows "look"."""
    for comparison in (("as", "though"), ("as", "if"), ("more", "like"), ("like",)):
        if words[: len(comparison)] != comparison:
            continue
        inside = words[len(comparison) :]
        if inside[:1] and inside[0] in ("it", "they") and inside[1:2]:
            inside = inside[2:] if inside[1] in ("is", "was", "were", "are") else inside
        change = read_style(words) or read_change(inside)
        if change is None and is_scene(inside):
            return Change(kind="style", value=thing(inside))
        if change is None and is_thing(inside):
            change = Change(kind="attribute", value=f"like {spoken(inside)}")
        return change
    if len(words) > 2 and words[0] in (
        "better",
        "nicer",
        "good",
        "great",
        "nice",
        "cool",
        "lovely",
        "best",
    ):
        return read_change(words[1:]) or read_becoming(words[2:])
    return read_change(words) or (Change(kind="attribute", value=spoken(words)) if words else None)


def complement(words: Words) -> Drafts:
    """Read "the sky dark and stormy", "the dog a cat": the longest predicate after a name.

    A name with a noun goes before one without: "the red square | dotted", not "the red | …".
    """
    starts = range(max(1, len(words) - _LONGEST_PREDICATE), len(words))
    named = [at for at in starts if names(words[:at]) and not _goes_on(words, at)]
    short = [start for start in starts if start not in named and closes(words[:start])]
    for start in (*named, *short):
        name, predicate = words[:start], words[start:]
        if predicate[0] in _NEVER_FIRST or (start in short and _is_shape(predicate)):
            continue
        degree = predicate[0] == "a" and predicate[1:2] and predicate[1] in _DEGREES
        if predicate[0] in INDEFINITE and not degree:
            change = read_becoming(predicate)
        elif predicate[0] in DETERMINERS and predicate[0] != "the" and not degree:
            change = None
        else:
            change = read_change(predicate)
        drafts = draft_all(name, change) if change else None
        if drafts:
            return drafts
    return None


def _goes_on(words: Words, at: int) -> bool:
    """Tell whether a name is longer than the words before: "the oval | mirror gold"."""
    return {words[at - 1], words[at]} <= _BOTH and at + 1 < len(words)


def names(words: Words) -> bool:
    """Tell whether the words can be a whole noun phrase that has a noun: "the red square".

    A word that both describes and names ("square", "metal") is the noun where it ends the phrase.
    """
    last = words[-1]
    if last in PLACE_PARTS and places_of("".join(words[-2:-1])):
        return False  # "the bottom half": a place
    if not closes(words) or not describes(last):
        return closes(words)
    bare = strip_determiners(words)
    if last in ALSO_NOUNS and len(bare) < len(words):
        # a colour may begin what the thing becomes: "the red | light blue"
        return len(bare) == 1 or last in _BOTH
    return len(bare) > 1 and bool(places_of(last))


def closes(words: Words) -> bool:
    """Tell whether the words can be a whole noun phrase that ends here, if only "the red"."""
    last = words[-1]
    if (
        last in DETERMINERS
        or last in RELATIONS
        or last in ("and", ",", POSSESSIVE, "very", "more", "less", "most", "is", "are")
    ):
        return last in PRONOUNS and len(words) == 1
    if preposition_at(words[-1:], 0) and last not in ("inside", "outside"):
        return False
    if not describes(last):
        return True
    bare = strip_determiners(words)
    if last.endswith("ing") and any(word in ("is", "are", "was", "were") for word in words[:-1]):
        return True
    if last in ALSO_NOUNS and len(bare) < len(words):
        return True
    after_determiner = words[-2:-1] and (words[-2] in DETERMINERS or words[-2] == POSSESSIVE)
    if after_determiner and not places_of(last):
        return last not in SIZES and last not in ORDINALS
    if places_of(last):
        return len(bare) == 1 or any(prepositions(words)) or any(w in RELATIONS for w in words)
    return False


def _is_shape(words: Words) -> bool:
    """Tell whether the words are but a shape that may be the noun of what stands before."""
    return len(words) == 1 and words[0] in SHAPE_NOUNS


def loose_complement(words: Words) -> Drafts:
    """Read "the cat zany": take the last word for an attribute when nothing else fits."""
    name, last = words[:-1], words[-1:]
    if not name or not closes(name) or not last[0].isalpha() or last[0] in RELATIONS:
        return None
    if _is_shape(last) and not names(name):
        return None
    if not starts_noun_phrase(name) or (
        len(strip_determiners(name)) < 1 and name[0] not in PRONOUNS
    ):
        return None
    return draft_all(name, Change(kind="attribute", value=spoken(last)))


def changed(words: Words) -> Drafts:
    """Read what follows "change": "the cup from brown to navy", "the dog into a fox"."""
    if words[:1] and words[0] in ("to", "into"):
        change = read_style(words[1:])
        whole = [Draft(reference=WHOLE, change=change)] if change else None
        return whole or _of_everything(words[1:])
    for marker in _markers(words):
        name, predicate = words[:marker], words[marker + 1 :]
        if not name or not predicate:
            continue
        name, source = _without_source(name)
        if not name:
            continue
        change = read_becoming(predicate)
        drafts = draft_all(name, change) if change else None
        if drafts:
            return with_source_colour(drafts, source)
    return None


def _markers(words: Words) -> list[int]:
    """Return where "to" and "into" part a thing from what it becomes, likeliest first."""
    found = []
    for start in range(1, len(words) - 1):
        if words[start].quoted or words[start] not in ("to", "into"):
            continue
        if words[start - 1] in ("next", "close", "adjacent", "attached", "opposite", "connected"):
            continue
        if preposition_at(words, start) > 1 and start + 4 < len(words):
            continue
        found.append(start)
    into = [start for start in found if words[start] == "into"]
    return into + [start for start in reversed(found) if start not in into]


def _without_source(words: Words) -> tuple[Words, str]:
    """Take "from brown" off the end of a noun phrase."""
    if "from" not in words[1:]:
        return words, ""
    at = len(words) - 1 - words[::-1].index("from")
    after = words[at + 1 :]
    if after[:2] in (("the", "left"), ("the", "right")) or places_of(after[-1] if after else ""):
        return words, ""
    return words[:at], colour_text(after)


def being(words: Words) -> Drafts:
    """Read "the chair should be blue", "the cake were made of chocolate"."""
    for at in range(1, len(words) - 1):
        for verb in _BE:
            if words[at : at + len(verb)] != verb:
                continue
            name, predicate = words[:at], words[at + len(verb) :]
            if not predicate:
                return None
            if predicate[0] in ("too", "way") and len(predicate) > 1:
                return _too_much(name, predicate[-1:])
            if predicate[0] == "like" or verb[-1].startswith("look"):
                change = _likeness(predicate)
            else:
                change = becoming_anything(predicate)
            return draft_all(name, change) if change else None
    return None


def _too_much(name: Words, tone: Words) -> Drafts:
    """Read "the sky is too dark" as a wish for the opposite."""
    change = read_tone(tone)
    return draft_all(name, scaled(change, -1.0)) if change else None


def becoming_anything(words: Words) -> Change | None:
    """Read a predicate; one that names no known change is taken for an attribute."""
    for lead in (("replaced", "with"), ("replaced", "by"), ("swapped", "for"), ("swapped", "with")):
        if words[: len(lead)] == lead and is_thing(words[2:]):
            return Change(kind="replace", value=thing(words[2:]))
    turned = words[:1] and words[0] in ("turned", "changed", "converted", "transformed", "made")
    if turned and words[1:2] in (("to",), ("into",)):
        words = words[2:]
    a_thing = words[:1] and words[0] in INDEFINITE
    known = read_becoming(words) if a_thing else read_change(words)
    if known is not None:
        return known
    usable = words and not any(
        word in ("i", "you", "is", "are", "not", "to", "there", "here") for word in words
    )
    named = usable and words[0] not in TONE_NOUNS and words[0] not in PRONOUNS
    if named and is_thing(words):
        return Change(kind="attribute", value=spoken(words))
    return None
