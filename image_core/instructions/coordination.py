"""Joined noun phrases: "the cup and the spoon", but "the red and white flag" as one."""

from __future__ import annotations

from dataclasses import replace

from image_core.instructions.head_noun import JOINTS
from image_core.instructions.lexicon import ORDINALS
from image_core.instructions.noun_phrase import (
    Reference,
    read_reference,
    starts_noun_phrase,
    strip_determiners,
)
from image_core.instructions.nouns import describes, is_adjective
from image_core.instructions.positions import places_of
from image_core.instructions.text import Words


def split_coordination(words: Words) -> list[Words]:
    """Split "the cup and the spoon" into its parts; "the red and white flag" stays whole."""
    parts: list[Words] = []
    start = 0
    for index, word in enumerate(words):
        if word not in JOINTS or word.quoted or index <= start:
            continue
        left, right = words[start:index], words[index + 1 :]
        if right and _parts_meet(left, right):
            parts.append(left)
            start = index + 1
        elif left and right and right[0] in JOINTS and _parts_meet(left, right[1:]):
            parts.append(left)
            start = index + 2
    parts.append(words[start:])
    return [part for part in parts if part]


def _parts_meet(left: Words, right: Words) -> bool:
    """Tell whether a thing ends and another begins at an "and"."""
    if any(excluded in left for excluded in ("except", "but", "besides", "excluding")):
        return False
    if "between" in left and not any(w in ("and", "&") for w in left[left.index("between") :]):
        return False
    bare = strip_determiners(left)
    if not bare:
        return False
    if starts_noun_phrase(right):
        return True
    if all(places_of(word) or word in ORDINALS for word in bare):
        return True
    return not describes(bare[-1]) and not (len(right) == 1 and is_adjective(right[0]))


def read_references(words: Words) -> list[Reference] | None:
    """Read one or several joined noun phrases; None when one of them is none."""
    parts = split_coordination(words)
    found = [read_reference(part) for part in parts]
    if not parts or any(one is None for one in found):
        return None
    references = [one for one in found if one is not None]
    for index in range(len(references) - 2, -1, -1):
        here, after = references[index].target, references[index + 1].target
        borrowed = here
        if not here.noun and not here.pronoun and (here.colours or here.places or here.ordinal):
            borrowed = replace(borrowed, noun=after.noun, phrase=f"{here.phrase} {after.noun}")
        if not borrowed.relation and after.relation.startswith("of "):
            borrowed = replace(
                borrowed, relation=after.relation, phrase=f"{borrowed.phrase} {after.relation}"
            )
        references[index] = replace(references[index], target=borrowed)
    return references
