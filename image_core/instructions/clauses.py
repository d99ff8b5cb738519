"""One clause: its verb, and the pattern that the verb asks for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from image_core.instructions.adding import added, covered
from image_core.instructions.becoming import changed, loose_complement, make
from image_core.instructions.changes import colour_text
from image_core.instructions.drafts import (
    Change,
    Drafts,
    draft_all,
    pointed_at,
    with_source_colour,
)
from image_core.instructions.giving import dressed, given, had, worn
from image_core.instructions.lexicon import INDEFINITE
from image_core.instructions.noun_phrase import (
    is_thing,
    thing,
)
from image_core.instructions.operating import (
    DULL,
    altered,
    applied,
    filtered,
    mixed,
    rendered_as,
    styled,
    toned,
)
from image_core.instructions.quantities import quantity
from image_core.instructions.removing import cleared, removed, taken
from image_core.instructions.replacing import replaced, substituted
from image_core.instructions.statements import statement
from image_core.instructions.styles import read_style
from image_core.instructions.text import COMMA, Word, Words, vocabulary
from image_core.instructions.tones import read_filter
from image_core.instructions.verbs import Verb, verb_at
from image_core.instructions.wishing import conditions, imagined, on_fire, shown_doing, wanted

Reader = Callable[[Words], Drafts]
_INSTEAD = (("instead", "of"), ("in", "place", "of"), ("rather", "than"), ("in", "lieu", "of"))


def reader_of(verb: Verb | None) -> Reader:
    """Return what reads the words after a verb; without a verb, a statement is read."""
    if verb is None:
        return statement
    readers: dict[str, Reader] = {
        "make": _first(shown_doing, worn, had, on_fire, make, conditions),
        "paint": _first(make, _indefinitely_added, covered_loosely, rendered_as),
        "change": _first(conditions, changed, make),
        "replace": replaced,
        "substitute": substituted,
        "remove": removed,
        "clear": cleared,
        "take": taken,
        "add": _first(_put_into, added),
        "give": given,
        "dress": dressed,
        "cover": partial(covered, filling=False),
        "fill": partial(covered, filling=True),
        "apply": applied,
        "set": _first(on_fire, conditions, changed, added),
        "want": _first(wanted),
        "more": partial(quantity, sign=1, factor=verb.amount),
        "less": _first(partial(quantity, sign=-1, factor=verb.amount), partial(toned, verb=DULL)),
        "tone": partial(toned, verb=verb),
        "filter": partial(filtered, verb=verb),
        "colour": _first(make, partial(draft_all, change=Change(kind="recolor", value=verb.value))),
        "attribute": partial(altered, verb=verb),
        "style": partial(styled, verb=verb),
        "mix": mixed,
        "find": pointed_at,
        "imagine": _first(_supposed, imagined),
    }
    return readers[verb.frame]


GAPPING = vocabulary(
    """
    make paint change replace substitute add give cover fill want set imagine
    """
)


_SUPPOSABLE = vocabulary("make paint change replace remove add")


def _first(*readers: Reader) -> Reader:
    def read(words: Words) -> Drafts:
        for reader in readers:
            drafts = reader(words)
            if drafts:
                return drafts
        return None

    return read


def loosely(verb: Verb | None, words: Words) -> Drafts:
    """Read what no strict pattern reads: an unknown last word as an attribute."""
    if verb is not None and verb.frame in ("make", "paint", "want"):
        return loose_complement(words)
    return None


def _indefinitely_added(words: Words) -> Drafts:
    """Read "draw a moon in the sky": painting a new thing rather than an old one."""
    if not words or words[0] in ("the", "this", "that", "it", "these", "those", "my"):
        return None
    return added(words)


def covered_loosely(words: Words) -> Drafts:
    """Read "paint the wall with red flowers" as a pattern."""
    if "with" not in words[1:-1]:
        return None
    return covered(words, filling=True)


def _put_into(words: Words) -> Drafts:
    """Read "put the photo in black and white"."""
    if not words or words[0] in INDEFINITE:
        return None
    for at in range(1, len(words) - 1):
        if words[at] in ("in", "into", "out"):
            change = (
                read_filter(words[at:]) or read_filter(words[at + 1 :]) or read_style(words[at:])
            )
            drafts = draft_all(words[:at], change) if change else None
            if drafts:
                return drafts
    return None


def _base_form(word: Word) -> Word:
    """Return "make" for "made" and "making", "replace" for "replaced"."""
    if word in ("made", "making"):
        return Word("make")
    for ending, instead in (("ed", ""), ("ed", "e"), ("ing", ""), ("ing", "e")):
        stem = Word(word.removesuffix(ending) + instead)
        if word.endswith(ending) and verb_at((stem,)) is not None:
            return stem
    return word


def _supposed(words: Words) -> Drafts:
    """Read what follows "what if you" or "how about": an imperative of its own."""
    while words and words[0] in ("would", "could", "we", "you", "i"):
        words = words[1:]
    words = (_base_form(words[0]), *words[1:]) if words else words
    found = verb_at(words)
    if found is None or found[0].frame not in _SUPPOSABLE:
        return None
    return reader_of(found[0])(words[found[1] :])


def read_instead(words: Words, read: Reader) -> Drafts:
    """Read "a cat instead of the dog", "make the car red instead of blue"."""
    for phrase in _INSTEAD:
        for at in range(len(words) - len(phrase)):
            if words[at : at + len(phrase)] != phrase:
                continue
            new, old = words[:at], words[at + len(phrase) :]
            if not new and COMMA in old:
                comma = old.index(COMMA)
                new, old = old[comma + 1 :], old[:comma]
            return _instead(new, old, read)
    return None


def _instead(new: Words, old: Words, read: Reader) -> Drafts:
    drafts = read(new) if new else None
    if drafts and all(
        d.change is not None and d.change.kind not in ("add", "remove") for d in drafts
    ):
        return with_source_colour(drafts, colour_text(old))
    found = verb_at(new)
    if found is not None:
        new = new[found[1] :]
    for lead in (
        ("there", "should", "be"),
        ("there", "is"),
        ("to", "see"),
        ("to", "have"),
        ("me",),
    ):
        new = new[len(lead) :] if new[: len(lead)] == lead else new
    if not new or not is_thing(new):
        return None
    return draft_all(old, Change(kind="replace", value=thing(new)))
