"""Clauses that put something somewhere: add, put, give, wear, cover."""

from __future__ import annotations

from dataclasses import replace

from image_core.instructions.amounts import take_amount
from image_core.instructions.changes import (
    Change,
    colour_text,
    is_surface,
    read_change,
    read_filter,
    read_style,
    read_texture,
    read_tone,
)
from image_core.instructions.drafts import WHOLE, Draft, Drafts, draft_all
from image_core.instructions.lexicon import (
    COLOUR_NOUNS,
    DETERMINERS,
    INDEFINITE,
    NUMBERS,
    POSSESSIVES,
    PRONOUNS,
)
from image_core.instructions.noun_phrase import (
    Reference,
    is_thing,
    read_reference,
    read_references,
    split_coordination,
    strip_determiners,
    thing,
)
from image_core.instructions.nouns import describes, singular
from image_core.instructions.positions import (
    picture_after_of,
    prepositions,
    read_whereabouts,
    starts_with,
)
from image_core.instructions.quantities import quantity
from image_core.instructions.text import Words, spoken
from image_core.types import Target

_DEFINITE = (DETERMINERS - INDEFINITE) | PRONOUNS | POSSESSIVES | {"both", "each", "every", "all"}
_CONTAINERS = frozenset(
    "sky water sea ocean lake river pool pond background foreground distance room garden scene field "
    "forest street bowl cup glass basket vase window air grass corner meadow middle".split()
)
_ON = {"to": "on", "onto": "on", "upon": "on", "on to": "on", "into": "in", "in to": "in"}
_INHERENT = frozenset(
    "fur hair skin eye look expression smile face finish surface shape appearance haircut hairstyle "
    "mane feel vibe wool complexion glow shine gloss tan body frown grin scale petal".split()
)
_TINTS = COLOUR_NOUNS | {"tone", "paint", "cast", "glaze", "job", "coat", "layer", "wash", "finish"}


def added(words: Words) -> Drafts:
    """Read what follows "add", "put", "place" …: a new thing, how it lies, and to what."""
    if words[:1] and words[0] in ("more", "less"):
        drafts = quantity(words[1:], 1 if words[0] == "more" else -1)
        if drafts:
            return drafts
    places = list(prepositions(words, first=1))
    definite = [p for p in places if words[p[1] : p[1] + 1] and words[p[1]] in _DEFINITE]
    for start, end in definite + [place for place in places if place not in definite]:
        drafts = _placed(words[:start], words[start:end], words[end:], words[start:])
        if drafts:
            return drafts
    return _effect(words, (), ()) or _things(words, WHOLE, "")


def _placed(new: Words, preposition: Words, host: Words, rest: Words) -> Drafts:
    if not strip_determiners(new) or new[-1] in DETERMINERS:
        return None
    where = read_whereabouts(rest)
    if where.places and not where.relation and not where.grounds:
        phrase = spoken(strip_determiners(rest[1:]))
        spot = Reference(target=Target(phrase=phrase, places=where.places))
        return _things(new, spot, preposition[0])
    if not host:
        return None
    effect = _effect(new, preposition, host)
    if effect:
        return effect
    references = read_references(host)
    if references is None or any(one.aspect for one in references):
        return None
    drafts: list[Draft] = []
    for reference in references:
        made = _things(new, reference, _relation(preposition, reference))
        if made is None:
            return None
        drafts += made
    return drafts


def _relation(preposition: Words, host: Reference) -> str:
    if host.whole_image:
        return ""
    said = spoken(preposition).lower()
    if said == "to" and host.target.noun in _CONTAINERS:
        return "in"
    return _ON.get(said, said)


def _things(words: Words, host: Reference, relation: str) -> Drafts:
    """Draft the adding of each thing that the words name."""
    words = tuple(word for word in words if word != "also")
    parts = split_coordination(words)
    if not parts or not all(is_thing(part) for part in parts):
        return None
    return [
        Draft(reference=host, change=Change(kind="add", value=thing(part)), relation=relation)
        for part in parts
    ]


def _effect(new: Words, preposition: Words, host: Words) -> Drafts:
    """Read an addition that is an operator: contrast, a blur, a pattern, a tint, a style."""
    over = not preposition or preposition[-1] in ("to", "on", "onto", "over", "across", "in", "into")
    if not over:
        return None
    words, amount = take_amount(new)
    words = words[1:] if words[:1] == ("of",) else words
    bare = strip_determiners(words)
    if bare[:1] == ("more",) or bare[:1] == ("extra",):
        bare = bare[1:]
    if not bare:
        return None
    made = quantity(bare, 1, factor=amount) if bare[-1] not in ("light", "lighting", "detail") else None
    if made and all(draft.reference.whole_image for draft in made):
        drafts: list[Draft] = []
        for draft in made:
            if draft.change is None:
                return None
            drafts += draft_all(host, draft.change) or []
        return drafts or None
    change = read_filter(words) or _pattern(bare, host) or _tint(bare)
    if change is None and bare[-1] in ("effect", "filter", "style", "look", "vibe"):
        change = read_style(bare) or (
            Change(kind="style", value=spoken(bare[:-1])) if len(bare) > 1 else None
        )
    return draft_all(host, change) if change else None


def _pattern(words: Words, host: Words) -> Change | None:
    if words[-1] == "wallpaper" and not host:
        return None
    return read_texture(words) if host else None


def _tint(words: Words) -> Change | None:
    """Read "red paint", "a coat of blue paint", "a golden tint"."""
    kept = tuple(word for word in words if word not in _TINTS)
    if len(kept) == len(words):
        return None
    colour = colour_text(tuple(word for word in kept if word not in ("fresh", "new", "of", "nice")))
    return Change(kind="recolor", value=colour) if colour else None


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
    last = words[-1]
    if last in PRONOUNS or last == "her":
        return len(words) == 1 or last in ("them", "it")
    if last in DETERMINERS or last in ("'s", "and", ",") or any(True for _ in prepositions(words[-1:])):
        return False
    return not describes(last)


def had(words: Words) -> Drafts:
    """Read "the man should have a beard" and the like."""
    for verb in (("should", "have"), ("to", "have"), ("had",), ("has",), ("have",), ("must", "have")):
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
    change = _tint(bare) or read_texture(bare) or read_filter(new) or _look(bare) or _trait(bare)
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
        drafts += _things(new, reference, relation) or []
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
    head = words[: words.index("of")] if "of" in words[1:] else words
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
        ("holding", "with"), ("carry", "with"), ("carrying", "with"), ("have", "on"), ("holds", "with"),
        ("held", "with"),
    ):  # fmt: skip
        if verb not in words[1:-1]:
            continue
        at = words.index(verb, 1)
        owner = words[:at]
        while owner and owner[-1] in ("should", "be", "must", "to", "is", "was", "were", "could", "would"):
            owner = owner[:-1]
        if not owner or any(word in ("with", "who", "that") for word in owner):
            continue
        references = read_references(owner)
        if references is None:
            continue
        drafts = []
        for reference in references:
            drafts += _things(words[at + 1 :], reference, relation) or []
        return drafts or None
    return None


def dressed(words: Words) -> Drafts:
    """Read what follows "dress": "the man (up) in a red coat"."""
    for marker in ("in", "with", "up"):
        if marker in words[1:-1]:
            at = words.index(marker, 1)
            return worn((*words[:at], type(words[0])("wear"), *words[at + 1 :]))
    return None


def covered(words: Words, *, filling: bool) -> Drafts:
    """Read what follows "cover" or "fill": "the wall with red stripes", "the leaf with frost"."""
    for marker in ("with", "in", "by", "using"):
        for at in range(1, len(words) - 1):
            if words[at] != marker or words[at].quoted:
                continue
            name, cover = words[:at], words[at + 1 :]
            if picture_after_of(cover) or read_references(name) is None:
                continue
            change = _cover(cover, filling)
            drafts = draft_all(name, change) if change else None
            if drafts:
                return drafts
    return None


def _cover(words: Words, filling: bool) -> Change | None:
    bare = strip_determiners(words)
    if not bare:
        return None
    colour = colour_text(bare)
    if colour:
        return Change(kind="recolor", value=colour)
    texture = read_texture(words)
    if texture is not None or read_filter(words) is not None:
        return texture or read_filter(words)
    if not is_thing(words):
        return None
    if filling or is_surface(bare):
        return Change(kind="texture", operation="fill", value=spoken(bare))
    return Change(kind="attribute", value=spoken(bare))
