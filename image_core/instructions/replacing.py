"""Clauses that put one thing in another's place: replace, swap, substitute."""

from __future__ import annotations

from image_core.instructions.changes import (
    colour_text,
    read_becoming,
)
from image_core.instructions.drafts import (
    Change,
    Drafts,
    draft_all,
)
from image_core.instructions.lexicon import (
    DETERMINERS,
    INDEFINITE,
)
from image_core.instructions.noun_phrase import (
    is_thing,
    starts_noun_phrase,
    strip_determiners,
    thing,
)
from image_core.instructions.text import Words


def replaced(words: Words) -> Drafts:
    """Read what follows "replace" or "swap": "the cat with a fox"."""
    candidates = [
        at
        for at in range(1, len(words) - 1)
        if words[at] in ("with", "by", "for", "to", "into") and not words[at].quoted
        if words[at - 1] not in ("next", "close")
    ]
    candidates.sort(
        key=lambda at: (words[at] not in ("with", "by"), words[at] == "for", _definite(words, at))
    )
    for at in candidates:
        name, new = words[:at], words[at + 1 :]
        if words[at] == "by" and starts_noun_phrase(new) and new[0] == "the":
            continue
        change = _replacement(name, new)
        drafts = draft_all(name, change) if change else None
        if drafts:
            return drafts
    return None


def _definite(words: Words, at: int) -> bool:
    return words[at + 1] in DETERMINERS - INDEFINITE


def _replacement(name: Words, new: Words) -> Change | None:
    colour = colour_text(new)
    bare = strip_determiners(name)
    about_colour = any(w in ("colour", "colours") for w in bare) or colour_text(bare) != ""
    if colour and (about_colour or new[0] not in DETERMINERS):
        return Change(kind="recolor", value=colour)
    if any(word in ("texture", "pattern", "style", "material") for word in bare):
        return read_becoming(new)
    return Change(kind="replace", value=thing(new)) if is_thing(new) else None


def substituted(words: Words) -> Drafts:
    """Read what follows "substitute": "a fox for the cat", or as "replace" reads it."""
    if "for" in words[1:-1] and "with" not in words:
        at = words.index("for", 1)
        if is_thing(words[:at]):
            return draft_all(words[at + 1 :], Change(kind="replace", value=thing(words[:at])))
    return replaced(words)
