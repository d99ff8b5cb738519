"""Noun phrases: "the second red chair from the left" taken apart into a ``Target``."""

from __future__ import annotations

from dataclasses import dataclass, replace

from image_core.instructions.head_noun import Head, read_head
from image_core.instructions.lexicon import (
    ASPECTS,
    DETERMINERS,
    EXCEPT,
    PICTURE,
    PICTURE_SURE,
    PLACE_PARTS,
    PLURAL_PRONOUNS,
    PRONOUNS,
    QUANTIFIERS,
    RELATIONS,
)
from image_core.instructions.nouns import describes, singular
from image_core.instructions.positions import (
    places_of,
    preposition_at,
    read_whereabouts,
    starts_with,
)
from image_core.instructions.relations import goes_on, relative_clause, tail_start
from image_core.instructions.text import COMMA, POSSESSIVE, Word, Words, spoken, vocabulary
from image_core.types import Place, Target

MAX_WORDS = 40
_NEVER_IN_ONE = vocabulary(
    """
    i you we is are was were be been am will would can could should must do does not what why how
    when where if instead into as like than
    """
)
_REST = (
    ("everything", "else"), ("all", "else"), ("the", "rest"), ("rest",), ("all", "the", "rest"),
    ("anything", "else"), ("all", "other", "things"), ("the", "other", "things"),
    ("everything", "around", "it"), ("the", "remainder"), ("all", "of", "the", "rest"),
)  # fmt: skip
_ALL_OF_IT = (
    ("everything",), ("it", "all"), ("all", "of", "it"), ("the", "whole", "thing"), ("all",),
    ("the", "entire", "thing"), ("everything", "in", "it"), ("the", "lot"),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Reference:
    """What a noun phrase points at.

    Attributes:
        target: The thing.
        whole_image: The picture itself is named.
        aspect: "colour", "texture", "style" or "attribute" for "the colour of the chair".
        rest: "the rest", "everything else": all but what was named before.
        plural: A plural pronoun, which takes up all that was named before.
        owned: "its" or "their" stands before it: a part of what was named before.
    """

    target: Target
    whole_image: bool = False
    aspect: str = ""
    rest: bool = False
    plural: bool = False
    owned: bool = False


def starts_noun_phrase(words: Words) -> bool:
    """Tell whether the words begin as a noun phrase does, with a determiner or the like."""
    return bool(words) and (
        words[0] in DETERMINERS
        or words[0] in QUANTIFIERS
        or words[0] in PRONOUNS
        or words[:2] == ("only", "the")
    )


def strip_determiners(words: Words) -> Words:
    """Drop the determiners in front of a noun phrase."""
    while words and words[0] in DETERMINERS:
        words = words[1:]
    return words


def read_reference(words: Words) -> Reference | None:
    """Read a noun phrase; None when the words are none."""
    words = _without_only(words)
    if not words or len(words) > MAX_WORDS:
        return None
    words = _plainer(words)
    if words in _ALL_OF_IT or _is_everything_shown(words):
        return Reference(target=Target(), whole_image=True)
    for rest in _REST:
        if starts_with(words, rest) and _only_picture(words[len(rest) :]):
            return Reference(target=Target(inverted=True), rest=True)
    excluded = _excluded(words)
    if excluded is not None:
        inner = read_reference(excluded)
        if inner is None or inner.whole_image or inner.rest:
            return None
        return replace(inner, target=replace(inner.target, inverted=True))
    if all(w in PRONOUNS or w in ("both", "all", "of", "here") for w in words):
        return Reference(
            target=Target(pronoun=True), plural=any(w in PLURAL_PRONOUNS for w in words)
        )
    return _read_described(words)


def _without_only(words: Words) -> Words:
    while words and words[0] in ("only", "just", "simply", COMMA, "also", "even", "for"):
        words = words[1:]
    while words and words[-1] in ("only", "too", "alone", COMMA, "itself", "also", "each", "all"):
        if words in _ALL_OF_IT:
            break
        words = words[:-1]
    return words


def _plainer(words: Words) -> Words:
    """Put "everyone" as "all people", "the cup that is on the left" as "the cup on the left"."""
    if words and words[0] in ("everyone", "everybody"):
        words = (Word("all"), Word("people"), *words[1:])
    all_things = words[:1] in (("everything",), ("anything",)) and not _only_picture(words[1:])
    if all_things and len(words) > 2 and words[1] not in ("outside", "around"):
        related = words[1] in RELATIONS or preposition_at(words, 1)
        words = (Word("all"), Word("things"), *words[1:]) if related else words
    for at in range(1, len(words) - 2):
        if words[at] in ("that", "which", "who") and words[at + 1] in ("is", "are", "was", "were"):
            return (*words[:at], *words[at + 2 :])
    return words


def _is_everything_shown(words: Words) -> bool:
    return len(words) > 1 and words[0] == "everything" and _only_picture(words[1:])


def _only_picture(words: Words) -> bool:
    """Tell whether the words are empty or read "of the picture"."""
    if not words:
        return True
    bare = [w for w in words[1:] if w not in DETERMINERS and w not in ("whole", "entire")]
    return words[0] in ("of", "in") and len(bare) == 1 and bare[0] in PICTURE


def _excluded(words: Words) -> Words | None:
    """Return what "everything but …" leaves out."""
    if words[0] not in QUANTIFIERS and words[0] not in ("the", "nothing"):
        return None
    for index in range(1, min(len(words), 8)):
        if words[0] == "the" and not _only_picture(words[2:index]):
            continue
        for phrase in EXCEPT:
            if phrase in (("outside",), ("around",)) and words[0] != "everything":
                continue
            if words[index : index + len(phrase)] == phrase:
                return words[index + len(phrase) :] or None
    return None


def _read_described(words: Words) -> Reference | None:
    many = False
    pointed = words[0] == "this"
    owned_by_it = words[0] in ("its", "their")
    while words:
        word = words[0]
        if word in QUANTIFIERS:
            many = many or word in ("all", "every", "each", "both")
            words = words[2:] if words[1:2] == ("of",) else words[1:]
        elif starts_with(words, ("one", "of")):
            inner = read_reference(words[2:])
            return inner and replace(inner, target=replace(inner.target, all=False))
        elif word in DETERMINERS or (word == "one" and goes_on(words[1:])):
            words = words[1:]
        else:
            break
    clause = relative_clause(words)
    if not words or any(word in _NEVER_IN_ONE for word in words[:clause]):
        return None
    possession = _read_owned(words)
    if possession is not None:
        return possession
    tail = min(tail_start(words), clause)
    head, where = words[:tail], read_whereabouts(words[tail:])
    if not head:
        return None
    of_one = starts_with(where.relation, ("of",)) and not _one_of_many(where.relation)
    parts = read_head(head, followed_by_of=of_one)
    if parts is None:
        return None
    noun, plural = singular(parts.noun.rsplit(" ", 1)[-1])
    noun = " ".join([*parts.noun.split(" ")[:-1], noun]) if parts.noun else ""
    if _is_picture(parts, noun, where.relation, pointed):
        return Reference(target=Target(), whole_image=True)
    if not noun or noun == "one":
        among = _one_of_many(where.relation)
        noun = among or noun
        where = replace(where, relation=()) if among else where
    aspect = _aspect(noun, head, where.relation)
    if aspect is not None:
        return aspect
    ordinal_from: Place = where.ordinal_from or "left"
    places = tuple(dict.fromkeys((*parts.places, *where.places)))
    if where.ordinal_from and not parts.ordinal:
        places = (*places, where.ordinal_from)
    target = Target(
        phrase=spoken(words),
        noun=noun,
        colours=parts.colours,
        size=parts.size,
        places=places,
        ordinal=parts.ordinal,
        ordinal_from=ordinal_from,
        all=many or parts.number or (plural and not parts.ordinal),
        attributes=(*parts.attributes, *where.grounds),
        relation=spoken(where.relation),
    )
    return Reference(target=target, owned=owned_by_it)


def _read_owned(words: Words) -> Reference | None:
    """Read "the cat's left eye"; None when no owner is named."""
    owned = [i for i, word in enumerate(words) if word == POSSESSIVE]
    if not owned or owned[-1] == 0 or owned[-1] + 1 >= len(words) or preposition_at(words, 0):
        return None
    related = any(preposition_at(words, i) or words[i] in RELATIONS for i in range(owned[-1]))
    if related and not places_of(words[owned[-1] - 1]):
        return None
    inner = _read_described(words[owned[-1] + 1 :])
    owner = words[: owned[-1]]
    if inner is None or inner.whole_image:
        return inner
    if len(owner) == 1 and owner[0] in ("it", "that", "this"):
        return inner
    article = "" if owner[0].said[:1].isupper() else "the "
    whose = f"of {article}{spoken(owner)}"
    if inner.aspect and inner.target.pronoun:
        reference = read_reference(owner)
        return reference and replace(reference, aspect=inner.aspect)
    if owner[-1] in PICTURE_SURE:
        return inner
    relation = f"{inner.target.relation} {whose}".strip()
    owned_one = replace(inner.target, phrase=spoken(words), relation=relation)
    return Reference(target=owned_one, aspect=inner.aspect)


def _one_of_many(relation: Words) -> str:
    """Return the noun of "the leftmost of the three chairs", empty when the relation is another."""
    inner = read_reference(relation[1:]) if starts_with(relation, ("of",)) else None
    return inner.target.noun if inner is not None and inner.target.all else ""


def _is_picture(head: Head, noun: str, relation: Words, pointed: bool) -> bool:
    plain = not (head.colours or head.places or head.ordinal or head.size or head.number)
    whole = [a for a in head.attributes if a.lower() in ("whole", "entire", "full")]
    if not plain or relation or len(whole) != len(head.attributes):
        return False
    return noun in PICTURE_SURE or (noun in PICTURE and (pointed or bool(whole)))


def _aspect(noun: str, head: Words, relation: Words) -> Reference | None:
    """Read "the colour of the chair", "the chair colour" and "its colour" as the chair itself."""
    last = noun.rsplit(" ", 1)[-1]
    aspect = ASPECTS.get(last) or ASPECTS.get(head[-1], "")
    if not aspect or (not relation and last == "print"):
        return None
    if relation and relation[0] in ("of", "on", "in", "for"):
        inner = read_reference(relation[1:])
    elif not relation and len(head) > 1 and not all(describes(word) for word in head[:-1]):
        inner = read_reference(head[:-1])
    elif not relation and len(head) == 1:
        inner = Reference(target=Target(pronoun=True))
    else:
        return None
    return inner and replace(inner, aspect=aspect)


def thing(words: Words) -> str:
    """Return a new thing's words without the determiner ("a small fox" → "small fox")."""
    bare = strip_determiners(words)
    while bare and bare[-1] in (COMMA, "too", "please", "instead"):
        bare = bare[:-1]
    return spoken(bare)


def is_thing(words: Words) -> bool:
    """Tell whether the words can be a noun phrase with a noun in it."""
    bare = strip_determiners(words)
    if not bare or len(bare) > MAX_WORDS or any(word in _NEVER_IN_ONE for word in bare):
        return False
    head = bare[: tail_start(bare)]
    last: Word = head[-1]
    return last not in PLACE_PARTS or len(head) > 1 or len(bare) > 1
