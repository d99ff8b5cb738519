"""The few nouns that can be checked without a learned model, and which way leads to each."""

from __future__ import annotations

from typing import Literal

from image_core.types import Target

Concept = Literal["sky", "face", "person", "subject", "background"]

_SKY = frozenset({"sky", "heaven", "heavens"})
_FACES = frozenset({"face"})
_PERSONS = frozenset(
    {"person", "people", "girl", "boy", "lady", "gentleman", "guy", "child", "kid", "human", "self"}
)
_SUBJECTS = frozenset({"object", "subject", "thing", "foreground", "motif"})
_BACKGROUNDS = frozenset({"background", "backdrop", "surroundings"})
_MAIN = frozenset({"main", "central", "salient", "prominent"})
_NOT_PERSONS = frozenset({"ottoman", "talisman", "snowman"})
# what may follow a sky or a person without singling out a piece of it
_HARMLESS = (
    "in the picture", "in the photo", "in the image", "in this", "in the background",
    "above", "over", "behind", "with", "in front", "wearing",
)  # fmt: skip


def concept_of(target: Target) -> Concept | None:
    """Return the checkable concept that a target's noun names, if any."""
    words = target.noun.lower().split()
    head = words[-1] if words else ""
    if head in _SKY:
        return "sky"
    if head in _FACES:
        return "face"
    if head in _PERSONS or (head.endswith(("man", "men")) and head not in _NOT_PERSONS):
        return "person"
    if head in _BACKGROUNDS:
        return "background"
    if head in _SUBJECTS or _MAIN & {word.lower() for word in target.attributes}:
        return "subject"
    return None


def relates(target: Target) -> bool:
    """Tell whether another thing singles the phrase's thing out ("of the …", "next to …")."""
    relation = target.relation.lower().strip()
    return bool(relation) and not relation.startswith(_HARMLESS)
