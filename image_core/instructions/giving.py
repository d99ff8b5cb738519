"""Clauses in which one thing gets another: give, have, wear."""

from __future__ import annotations

from dataclasses import replace

from image_core.instructions.adding import add_things, read_style_of, read_tint
from image_core.instructions.becoming import names
from image_core.instructions.changes import read_change
from image_core.instructions.coordination import read_references
from image_core.instructions.drafts import Change, Draft, Drafts, draft_all
from image_core.instructions.lexicon import INDEFINITE, NUMBERS, PRONOUNS
from image_core.instructions.noun_phrase import Reference, read_reference, strip_determiners
from image_core.instructions.nouns import describes, singular
from image_core.instructions.positions import starts_with
from image_core.instructions.quantities import quantity
from image_core.instructions.styles import read_style, read_texture
from image_core.instructions.text import Words, spoken, vocabulary
from image_core.instructions.tones import read_filter, read_tone

_INHERENT = vocabulary(
    """
    fur hair skin eye look expression smile face finish surface shape appearance haircut hairstyle
    mane feel vibe wool complexion glow shine gloss tan body frown grin scale petal
    """
)


def given(words: Words) -> Drafts:
    """Read what follows "give": "the man a hat", "the cat spotted leopard fur"."""
    if "to" in words[1:-1] and words[0] in INDEFINITE:
        at = words.index("to", 1)
        return _have(words[at + 1 :], words[:at])
    for start in range(1, len(words)):
        if words[start] in INDEFINITE | NUMBERS | {"more", "less", "the"} and _ends(words[:start]):
            drafts = _have(words[:start], words[start:])
            if drafts:
                return drafts
    for start in range(1, len(words)):
        if _ends(words[:start]) and (describes(words[start]) or words[start - 1] in PRONOUNS):
            return _have(words[:start], words[start:])
    return _have(words[:-1], words[-1:]) if len(words) > 1 and _ends(words[:-1]) else None


def _ends(words: Words) -> bool:
    """Tell whether an owner can end here: a noun, "the man on the left", "him"."""
    last = words[-1]
    if last in PRONOUNS or last == "her":
        return len(words) == 1 or last in ("them", "it")
    return names(words)


def had(words: Words) -> Drafts:
    """Read "the man should have a beard" and the like."""
    for verb in (
        ("should", "have"),
        ("to", "have"),
        ("had",),
        ("has",),
        ("have",),
        ("must", "have"),
    ):
        for at in range(1, len(words) - len(verb)):
            if words[at : at + len(verb)] == verb:
                return _have(words[:at], words[at + len(verb) :])
    return None


def _have(owner: Words, new: Words) -> Drafts:
    """Let an owner have something: a colour, a pattern, a trait, or a new thing."""
    if starts_with(new, ("no",)):
        return _removed_from(owner, new[1:])
    bare = strip_determiners(new)
    if new[:1] and new[0] in ("more", "less"):
        drafts = quantity(new[1:], 1 if new[0] == "more" else -1)
        if drafts and all(draft.reference.whole_image for draft in drafts):
            kept = [draft_all(owner, d.change) for d in drafts if d.change is not None]
            return [one for made in kept if made for one in made] or None
    if not bare:
        return None
    change = (
        read_filter(new)
        or read_style_of(bare)
        or read_tint(bare)
        or read_texture(bare)
        or _look(bare)
        or _trait(bare)
    )
    if change is not None:
        return draft_all(owner, change)
    references = read_references(owner)
    if references is None:
        return None
    drafts = []
    for reference in references:
        if reference.aspect:
            return None
        relation = "" if reference.whole_image else "on"
        drafts += add_things(new, reference, relation) or []
    return drafts or None


def _look(words: Words) -> Change | None:
    """Read "a cartoon look", "a warmer tone"."""
    if words[-1] in ("look", "tone", "feel", "vibe", "style", "appearance", "effect", "treatment"):
        inner = words[:-1]
        if words[-1] in ("look", "style", "effect", "treatment"):
            return read_tone(inner) or read_style(inner) or read_style(words)
        return read_tone(inner) or read_change(words)
    return None


def _trait(words: Words) -> Change | None:
    head = words[: words.index("of", 1)] if "of" in words[1:] else words
    noun = singular(head[-1])[0]
    return Change(kind="attribute", value=spoken(words)) if noun in _INHERENT else None


def _removed_from(owner: Words, gone: Words) -> Drafts:
    reference = read_reference(gone)
    if reference is None or read_reference(owner) is None:
        return None
    target = replace(reference.target, relation=reference.target.relation or f"of {spoken(owner)}")
    return [Draft(reference=Reference(target=target), change=Change(kind="remove"))]


def worn(words: Words) -> Drafts:
    """Read "the man wear a hat", "the man should be wearing a hat"."""
    for verb, relation in (
        ("wear", "on"), ("wearing", "on"), ("wears", "on"), ("wore", "on"), ("hold", "with"),
        ("holding", "with"), ("carry", "with"), ("carrying", "with"), ("holds", "with"),
        ("held", "with"),
    ):  # fmt: skip
        if verb not in words[1:-1]:
            continue
        at = words.index(verb, 1)
        if verb in ("wears", "holds") and words[at + 1] not in INDEFINITE:
            continue
        owner = words[:at]
        while owner and owner[-1] in (
            "should",
            "be",
            "must",
            "to",
            "is",
            "was",
            "were",
            "could",
            "would",
        ):
            owner = owner[:-1]
        if not owner or any(word in ("with", "who", "that") for word in owner):
            continue
        references = read_references(owner)
        if references is None:
            continue
        drafts = []
        for reference in references:
            drafts += add_things(words[at + 1 :], reference, relation) or []
        return drafts or None
    return None


def dressed(words: Words) -> Drafts:
    """Read what follows "dress": "the man (up) in a red coat"."""
    for marker in ("in", "with", "up"):
        if marker in words[1:-1]:
            at = words.index(marker, 1)
            return worn((*words[:at], type(words[0])("wear"), *words[at + 1 :]))
    return None
