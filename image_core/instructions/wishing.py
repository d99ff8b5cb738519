"""Clauses that wish or suppose: "I want …", "what if …", "make the man smile"."""

from __future__ import annotations

from image_core.instructions.adding import added
from image_core.instructions.becoming import (
    becoming_anything,
    complement,
)
from image_core.instructions.changes import read_becoming
from image_core.instructions.drafts import (
    WHOLE,
    Change,
    Draft,
    Drafts,
    draft_all,
)
from image_core.instructions.giving import given
from image_core.instructions.lexicon import CONDITIONS, DETERMINERS, INDEFINITE
from image_core.instructions.noun_phrase import (
    strip_determiners,
    thing,
)
from image_core.instructions.removing import removed
from image_core.instructions.statements import statement
from image_core.instructions.styles import read_style
from image_core.instructions.text import Words


def wanted(words: Words) -> Drafts:
    """Read what follows "I want": a statement, a thing in a new state, or a new thing."""
    if words[:1] == ("to",):
        return None
    words = words[2:] if words[:2] in (("to", "see"), ("to", "have")) else words
    if words[:1] == ("no",):
        return removed(words[1:])
    drafts = shown_doing(words) or statement(words) or complement(words)
    if drafts is None and words[:1] and words[0] not in DETERMINERS - INDEFINITE:
        drafts = added(words)
    return drafts


def imagined(words: Words) -> Drafts:
    """Read what follows "what if": a statement, or "the dog as a cat"."""
    if words[:1] and words[0] in ("many", "much", "long", "old"):
        return None
    if words[:1] and words[0] in (
        "would",
        "does",
        "do",
        "could",
        "if",
        "that",
        "making",
        "we",
        "you",
        "i",
    ):
        return imagined(words[1:])
    for verb in ("turned", "became", "changed", "transformed"):
        if verb in words[1:-1]:
            at = words.index(verb, 1)
            after = words[at + 1 :]
            after = after[1:] if after[0] in ("into", "to") else after
            change = becoming_anything(after) if after else None
            return draft_all(words[:at], change) if change else None
    if "look" in words[1:-1]:
        at = words.index("look", 1)
        after = words[at + 1 :]
        after = after[1:] if after[:1] == ("like",) else after
        for lead in (
            ("if", "it", "were"),
            ("if", "it", "was"),
            ("if", "they", "were"),
            ("as",),
            ("in",),
        ):
            if after[: len(lead)] == lead and len(after) > len(lead):
                change = read_becoming(after[len(lead) :]) or becoming_anything(after[len(lead) :])
                return draft_all(words[:at], change) if change else None
        if after[:1] == ("with",):
            return given((*words[:at], *after[1:]))
        if after[:1] == ("without",):
            return removed(after[1:])
    drafts = statement(words)
    if drafts is None and "as" in words[1:-1]:
        at = words.index("as", 1)
        change = read_style(words[at:]) or read_becoming(words[at + 1 :])
        drafts = draft_all(words[:at], change) if change else None
    return drafts or complement(words)


def shown_doing(words: Words) -> Drafts:
    """Read "the man smile": a bare verb that shows in the picture, or one of vanishing."""
    for end in (
        ("go", "away"),
        ("disappear",),
        ("vanish",),
        ("invisible",),
        ("gone",),
        ("be", "gone"),
    ):
        if len(words) > len(end) and words[-len(end) :] == end:
            return removed(words[: -len(end)])
    shown = {
        "smile": "smiling", "laugh": "laughing", "cry": "crying", "sleep": "sleeping",
        "jump": "jumping",
        "run": "running", "glow": "glowing", "shine": "shining", "sparkle": "sparkling",
        "frown": "frowning",
        "dance": "dancing", "fly": "flying", "sit": "sitting", "stand": "standing", "rain": "rainy",
        "snow": "snowy", "burn": "burning", "melt": "melting", "wink": "winking",
        "bloom": "blooming",
    }  # fmt: skip
    if len(words) > 1 and words[-1] in shown:
        return draft_all(words[:-1], Change(kind="attribute", value=shown[words[-1]]))
    return None


def on_fire(words: Words) -> Drafts:
    """Read "the house on fire"."""
    if len(words) > 2 and words[-2:] in (("on", "fire"), ("in", "flames")):
        return draft_all(words[:-2], Change(kind="attribute", value="on fire"))
    return None


def conditions(words: Words) -> Drafts:
    """Read "the season to winter", "the weather to rain": what the whole picture shares."""
    if "to" not in words[1:-1]:
        return None
    at = words.index("to", 1)
    bare = strip_determiners(words[:at])
    if not bare or bare[0] not in CONDITIONS:
        return None
    return [Draft(reference=WHOLE, change=Change(kind="style", value=thing(words[at + 1 :])))]
