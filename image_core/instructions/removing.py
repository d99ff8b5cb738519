"""Clauses that take something away: remove, clear, take, "without"."""

from __future__ import annotations

from dataclasses import replace

from image_core.instructions.drafts import Change, Draft, Drafts, draft_all, pointed_at
from image_core.instructions.lexicon import COLOUR_NOUNS
from image_core.instructions.noun_phrase import Reference, is_thing, strip_determiners
from image_core.instructions.quantities import quantity
from image_core.instructions.text import Words, spoken, vocabulary
from image_core.types import Target

PARTICLES = vocabulary("up down out away off altogether completely")
_GREY = Change(kind="filter", operation="grayscale")
_GONE = Change(kind="remove")
_SOMETHING = frozenset({"colour", "colours", "saturation", "blur", "contrast", "brightness"})


def missing_from(words: Words) -> Drafts:
    """Read "the table without the cups", "the chair should not be there"."""
    if "without" in words[1:-1]:
        at = words.index("without", 1)
        return removed(words[at + 1 :])
    for end in (
        ("should", "not", "be", "there"), ("were", "not", "there"), ("was", "not", "there"),
        ("should", "be", "gone"), ("should", "disappear"), ("has", "to", "go"), ("must", "go"),
        ("should", "go"), ("needs", "to", "go"), ("should", "vanish"), ("have", "to", "go"),
        ("were", "gone"), ("was", "gone"), ("disappeared",), ("vanished",),
        ("should", "go", "away"),
        ("should", "not", "be", "here"),
        ("should", "not", "be"),
        ("should", "not", "exist"), ("need", "to", "go"), ("were", "missing"),
        ("was", "missing"),
        ("to", "disappear"), ("to", "go"), ("to", "be", "gone"), ("must", "disappear"),
    ):  # fmt: skip
        if len(words) > len(end) and words[-len(end) :] == end:
            return removed(words[: -len(end)])
    return None


def removed(words: Words) -> Drafts:
    """Read what follows "remove": the thing, or the colour of a thing."""
    while words and (words[-1] in PARTICLES or words[-2:] == ("from", "view")):
        words = words[: -1 if words[-1] in PARTICLES else -2]
    words = words[1:] if words[:1] and words[0] in PARTICLES else words
    if words[-3:-1] == ("out", "of") and words[-1] in ("there", "here", "it"):
        words = words[:-3]
    while words and words[0] in ("any", "of"):
        words = words[1:]
    bare = strip_determiners(words)
    bare = strip_determiners(bare[1:]) if bare[:1] == ("all",) else bare
    if not bare:
        return None
    if bare[0] in _SOMETHING and (len(bare) == 1 or bare[1] in ("from", "of", "in", "out")):
        owner = bare[3 if bare[1:3] == ("out", "of") else 2 :]
        if bare[0] in COLOUR_NOUNS or bare[0] == "saturation":
            return draft_all(owner, _GREY)
        return quantity(bare, -1)
    drafts = draft_all(words, _GONE)
    return None if drafts and any(d.reference.whole_image for d in drafts) else drafts


def cleared(words: Words) -> Drafts:
    """Read "clear the table of cups", "clear away the cups", "clear the table"."""
    if "of" in words[1:-1]:
        at = words.index("of", 1)
        drafts = removed(words[at + 1 :])
        relation = f"on {spoken(words[:at])}"
        return drafts and [
            replace(
                d,
                reference=replace(
                    d.reference, target=replace(d.reference.target, relation=relation)
                ),
            )
            for d in drafts
        ]
    if words[:1] and words[0] in PARTICLES:
        return removed(words)
    if not is_thing(words):
        return None
    where = f"on {spoken(words)}"
    target = Target(phrase=f"things {where}", noun="thing", all=True, relation=where)
    return [Draft(reference=Reference(target=target), change=_GONE)]


def taken(words: Words) -> Drafts:
    """Read "take the hat off the man", "take the colour out of the sky", "take the chair"."""
    for particle in ("away", "out", "off"):
        if particle in words[1:]:
            return removed(words)
    if len(words) > 3 and "from" in words[1:-1]:
        return removed(words)
    return pointed_at(words)
