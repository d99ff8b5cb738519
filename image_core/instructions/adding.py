"""Clauses that put something somewhere: add, put, give, wear, cover."""

from __future__ import annotations

from dataclasses import replace

from image_core.colour_names import BASIC
from image_core.instructions.amounts import take_amount
from image_core.instructions.changes import colour_text
from image_core.instructions.coordination import read_references, split_coordination
from image_core.instructions.drafts import WHOLE, Change, Draft, Drafts, draft_all
from image_core.instructions.lexicon import (
    COLOUR_NOUNS,
    DETERMINERS,
    INDEFINITE,
    POSSESSIVES,
    PRONOUNS,
)
from image_core.instructions.noun_phrase import Reference, is_thing, strip_determiners, thing
from image_core.instructions.positions import picture_after_of, prepositions, read_whereabouts
from image_core.instructions.quantities import quantity
from image_core.instructions.styles import is_surface, read_style, read_texture
from image_core.instructions.text import Words, spoken, vocabulary
from image_core.instructions.tones import read_filter
from image_core.types import Target

_DEFINITE = (DETERMINERS - INDEFINITE) | PRONOUNS | POSSESSIVES | {"both", "each", "every", "all"}
_CONTAINERS = vocabulary(
    """
    sky water sea ocean lake river pool pond background foreground distance room garden scene
    field forest street bowl cup glass basket vase window air grass corner meadow middle
    """
)
_ON = {"to": "on", "onto": "on", "upon": "on", "on to": "on", "into": "in", "in to": "in"}
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
    return _effect(words, (), ()) or add_things(words, WHOLE, "")


def _placed(new: Words, preposition: Words, host: Words, rest: Words) -> Drafts:
    if not strip_determiners(new) or new[-1] in DETERMINERS:
        return None
    where = read_whereabouts(rest)
    if where.places and not where.relation and not where.grounds:
        phrase = spoken(strip_determiners(rest[1:]))
        spot = Reference(target=Target(phrase=phrase, places=where.places))
        return add_things(new, spot, preposition[0])
    if not host:
        return None
    effect = _effect(new, preposition, host)
    if effect:
        return effect
    references = _between(host) if preposition[-1] == "between" else read_references(host)
    if references is None or any(one.aspect for one in references):
        return None
    drafts: list[Draft] = []
    for reference in references:
        made = add_things(new, reference, _relation(preposition, reference))
        if made is None:
            return None
        drafts += made
    return drafts


def _between(host: Words) -> list[Reference] | None:
    """Read the two things between which a new one goes as one place."""
    references = read_references(host)
    if not references:
        return None
    target = replace(references[0].target, phrase=spoken(strip_determiners(host)), all=True)
    return [Reference(target=target)]


def _relation(preposition: Words, host: Reference) -> str:
    if host.whole_image:
        return ""
    said = spoken(preposition).lower()
    if said == "to" and host.target.noun in _CONTAINERS:
        return "in"
    return _ON.get(said, said)


def add_things(words: Words, host: Reference, relation: str) -> Drafts:
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
    over = not preposition or preposition[-1] in (
        "to",
        "on",
        "onto",
        "over",
        "across",
        "in",
        "into",
    )
    if not over:
        return None
    words, amount = take_amount(new)
    words = words[1:] if words[:1] == ("of",) else words
    bare = strip_determiners(words)
    if bare[:1] == ("more",) or bare[:1] == ("extra",):
        bare = bare[1:]
    if not bare:
        return None
    made = (
        quantity(bare, 1, factor=amount)
        if bare[-1] not in ("light", "lighting", "detail")
        else None
    )
    if made and all(draft.reference.whole_image for draft in made):
        drafts: list[Draft] = []
        for draft in made:
            if draft.change is None:
                return None
            drafts += draft_all(host, draft.change) or []
        return drafts or None
    change = read_filter(words) or read_style_of(bare) or _pattern(bare, host) or read_tint(bare)
    if change is None and bare[-1] in ("effect", "filter", "style", "look", "vibe"):
        change = read_style(bare) or (
            Change(kind="style", value=spoken(bare[:-1])) if len(bare) > 1 else None
        )
    return draft_all(host, change) if change else None


def _pattern(words: Words, host: Words) -> Change | None:
    if words[-1] == "wallpaper" and not host:
        return None
    return read_texture(words) if host else None


def read_tint(words: Words) -> Change | None:
    """Read "red paint", "a coat of blue paint", "a golden tint"."""
    kept = tuple(word for word in words if word not in _TINTS)
    if len(kept) == len(words):
        return None
    colour = colour_text(tuple(word for word in kept if word not in ("fresh", "new", "of", "nice")))
    return Change(kind="recolor", value=colour) if colour else None


def read_style_of(words: Words) -> Change | None:
    """Read "style of Van Gogh"."""
    return read_style(words) if words[:2] == ("style", "of") else None


def covered(words: Words, *, filling: bool) -> Drafts:
    """Read what follows "cover" or "fill": "the wall with red stripes", "the leaf with frost"."""
    for marker in ("with", "in", "by", "using"):
        for at in range(1, len(words) - 1):
            if words[at] != marker or words[at].quoted:
                continue
            name, cover = words[:at], words[at + 1 :]
            if picture_after_of(cover) or read_references(name) is None:
                continue
            change = _cover(cover, filling, painted=marker == "in")
            drafts = draft_all(name, change) if change else None
            if drafts:
                return drafts
    return None


def _cover(words: Words, filling: bool, *, painted: bool) -> Change | None:
    bare = strip_determiners(words)
    if not bare:
        return None
    colour = colour_text(bare)
    painted = painted or any(word in _TINTS for word in bare)
    if colour and (painted or colour.rsplit(" ", 1)[-1] in (*BASIC, "grey")):
        return Change(kind="recolor", value=colour)
    texture = read_texture(words)
    if texture is not None or read_filter(words) is not None:
        return texture or read_filter(words)
    if not is_thing(words):
        return None
    if filling or is_surface(bare):
        return Change(kind="texture", operation="fill", value=spoken(bare))
    return Change(kind="attribute", value=spoken(bare))
