"""Clauses without an imperative: "the chair should be blue", "more contrast", "no lamp"."""

from __future__ import annotations

from image_core.instructions.adding import added
from image_core.instructions.amounts import take_amount
from image_core.instructions.becoming import (
    being,
    make,
)
from image_core.instructions.changes import read_change, scaled
from image_core.instructions.drafts import (
    WHOLE,
    Draft,
    Drafts,
    draft_all,
    pointed_at,
)
from image_core.instructions.giving import had, worn
from image_core.instructions.noun_phrase import (
    starts_noun_phrase,
    strip_determiners,
)
from image_core.instructions.quantities import quantity
from image_core.instructions.removing import missing_from, removed
from image_core.instructions.styles import read_style
from image_core.instructions.text import COMMA, Words, vocabulary
from image_core.instructions.tones import read_filter, read_tone

_QUESTIONS = vocabulary("what when where who whom whose why which how")


def statement(words: Words) -> Drafts:
    """Read a clause without an imperative: "the chair should be blue", "more contrast"."""
    if words[:1] and words[0] in _QUESTIONS:
        return None
    if words[:1] and words[0] in ("more", "less"):
        drafts = quantity(words[1:], 1 if words[0] == "more" else -1)
        if drafts:
            return drafts
    if words[:1] == ("no",):
        return removed(words[2:] if words[1:2] == ("more",) else words[1:])
    if words[:2] == ("for", "the") or words[:2] == ("as", "for"):
        return pointed_at(words[2:] if words[0] == "as" else words[1:])
    if words[:1] == ("there",):
        return _there(words)
    drafts = missing_from(words) or being(words) or worn(words) or had(words)
    if drafts:
        return drafts
    whole = read_style(words) or read_filter(words) or read_tone(words)
    if whole is not None and (
        whole.kind != "style" or words[0] in ("in", "as", "like") or len(words) < 4
    ):
        return [Draft(reference=WHOLE, change=whole)]
    if starts_noun_phrase(words):
        return _but(words) or make(words)
    return _adjective_first(words)


def _but(words: Words) -> Drafts:
    """Read "the car, but red"."""
    marker = "but" if "but" in words else COMMA
    if marker not in words[1:-1] or words[0] in ("everything", "all"):
        return None
    at = words.index(marker, 1)
    change = read_change(words[at + 1 :])
    return draft_all(words[: at - (words[at - 1] == COMMA)], change) if change else None


def _adjective_first(words: Words) -> Drafts:
    """Read "warmer colours", "a darker sky": a comparative before the thing."""
    bare = strip_determiners(words)
    bare, amount = take_amount(bare)
    for end in (2, 1):
        change = read_tone(bare[:end]) if len(bare) > end else None
        if change is not None and (bare[0] in ("more", "less") or bare[0].endswith("er")):
            return draft_all(bare[end:], scaled(change, amount))
    return None


def _there(words: Words) -> Drafts:
    for lead in (
        ("there", "should", "be"), ("there", "must", "be"), ("there", "is"), ("there", "are"),
        ("there", "was"), ("there", "were"), ("there", "needs", "to", "be"),
        ("there", "could", "be"),
    ):  # fmt: skip
        if words[: len(lead)] == lead:
            rest = words[len(lead) :]
            if rest[:1] == ("no",):
                return removed(rest[1:])
            return pointed_at(rest) if lead[1] in ("is", "are") else added(rest)
    return None
