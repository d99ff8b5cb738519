"""A draft: one change of one thing, before pronouns are resolved and captions written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from image_core.instructions.coordination import read_references
from image_core.instructions.noun_phrase import Reference, thing
from image_core.instructions.text import Words, vocabulary, words_of
from image_core.types import Kind, Target


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change, apart from what it is done to.

    Attributes:
        kind: What kind of edit.
        operation: Which operator; empty means the kind's own name.
        value: What the thing becomes, in words.
        amount: How much, signed.
    """

    kind: Kind
    operation: str = ""
    value: str = ""
    amount: float = 1.0


def pointed_at(words: Words) -> Drafts:
    """Draft that things are only pointed at, for "it" and "them" in what follows."""
    references = read_references(words)
    if references is None:
        return None
    return [Draft(reference=reference, change=None) for reference in references]


@dataclass(frozen=True, kw_only=True)
class Draft:
    """One edit as a clause says it.

    Attributes:
        reference: What it changes.
        change: What happens to it; None for a clause that only points ("find the chair").
        relation: For an added thing: how it lies to the reference.
    """

    reference: Reference
    change: Change | None
    relation: str = ""


Drafts = list[Draft] | None
WHOLE = Reference(target=Target(), whole_image=True)
_MEANINGFUL = {
    "colour": ("recolor", "tone", "filter", "style"),
    "texture": ("texture",),
    "style": ("style",),
    "attribute": ("attribute", "recolor", "style", "texture"),
}
# Of hair or a fence these tell the shape; of something flat, the pattern on it.
_WAYS_OF_FLATNESS = frozenset({"wavy", "spotted", "speckled", "mottled", "marbled"})
_FLAT = vocabulary("background backdrop wall wallpaper floor ceiling carpet rug tablecloth")


def draft_all(words: Words, change: Change) -> Drafts:
    """Apply one change to every thing that a noun phrase names; no words mean the whole picture."""
    if not words:
        return [Draft(reference=WHOLE, change=change)]
    references = read_references(words)
    if references is None:
        return None
    made = [_draft(reference, change, words) for reference in references]
    return None if any(one is None for one in made) else [one for one in made if one is not None]


def _draft(reference: Reference, change: Change, words: Words) -> Draft | None:
    aspect = reference.aspect
    if aspect and change.kind not in _MEANINGFUL[aspect]:
        if aspect == "colour":
            return None
        operation = "fill" if aspect == "texture" else ""
        kind = "texture" if aspect == "texture" else "style" if aspect == "style" else "attribute"
        change = Change(kind=kind, operation=operation, value=change.value)  # type: ignore[arg-type]
    if aspect and reference.target.pronoun and words[0] != "its" and change.kind != "recolor":
        reference = replace(reference, target=Target(), whole_image=True)
    if change.kind == "attribute" and change.value.lower() in _WAYS_OF_FLATNESS:
        flat = reference.target.noun.rsplit(" ", 1)[-1] in _FLAT
        change = replace(change, kind="texture", operation="fill") if flat else change
    if reference.whole_image and change.kind in ("replace", "attribute"):
        change = _of_the_whole(change)
    return Draft(reference=reference, change=change)


def _of_the_whole(change: Change) -> Change:
    """Call it a style when the picture itself becomes another scene or gets a look."""
    words = change.value.lower().split()
    if change.kind == "replace":
        return replace(change, kind="style")
    if words[:1] == ["like"]:
        value = " ".join(change.value.split()[1:])
        return replace(change, kind="style", value=thing(words_of(value)))
    if words[-1:] in (["look"], ["feel"], ["vibe"]):
        return replace(change, kind="style", value=" ".join(change.value.split()[:-1]))
    return change


def with_source_colour(drafts: Iterable[Draft], colour: str) -> list[Draft]:
    """Note the colour that the thing is said to have now ("from brown to navy")."""
    noted = []
    for draft in drafts:
        target = draft.reference.target
        if colour and colour not in target.colours:
            target = replace(target, colours=(*target.colours, colour))
        noted.append(replace(draft, reference=replace(draft.reference, target=target)))
    return noted
