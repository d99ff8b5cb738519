"""What the picture shows before and after a step: InstructEdit's two captions, by templates.

The paper's language processor answers with a segmentation prompt and two captions in the manner of
"photo of …" (InstructEdit, supplement "Task template"); comparatives are avoided in the second.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from image_core.instructions.drafts import Change
from image_core.instructions.nouns import is_adjective, singular
from image_core.instructions.text import vocabulary
from image_core.types import Target

_MASS = vocabulary(
    """
    grass water hair snow sand fur skin
    light rain smoke fire wood fabric coffee tea milk lettering scenery foliage ice
    rest traffic makeup hay moss frost graffiti jewellery jewelry clothing wallpaper art text
    fruit bread cheese
    """
)
_UNIQUE = vocabulary(
    "sky sun background foreground sea ocean ground floor surroundings rest middle top bottom"
)
_SINGLED_OUT = vocabulary("left right leftmost rightmost first second third fourth fifth last only")
# Things that can be called empty when what stood on or in them is gone.
_SUPPORTS = vocabulary(
    """
    table saucer plate desk shelf bench chair sofa armchair bed floor street road wall room lake sky
    field beach bowl cup glass box basket tray counter grass path water sea river garden windowsill
    stool pan pot vase car boat platform stage lawn cabinet hook rack line couch seat park kitchen
    """
)
_RELATION = re.compile(
    r" (?:of|on|in|at|with|under|near|behind|next|beside|to|from|off|above|below|by|over|between|"
    r"standing|sitting|hanging|wearing|holding|that|which|who|as|made) "
)
_TONES = {
    ("brightness", 1): "bright", ("brightness", -1): "dark", ("contrast", 1): "high-contrast",
    ("contrast", -1): "low-contrast", ("saturation", 1): "vivid", ("saturation", -1): "pale",
    ("warmth", 1): "warm-toned", ("warmth", -1): "cool-toned",
}  # fmt: skip
_FILTERS = {
    "blur": "blurred", "sharpen": "sharp", "pixelate": "pixelated", "grayscale": "black and white",
    "sepia": "sepia-toned", "invert": "colour-inverted",
}  # fmt: skip
_MEDIUM = re.compile(
    r"^(?:an? |the )?(?:\w+ )?(?:photo|photograph|picture|image|painting|drawing) of ", re.I
)


@dataclass(frozen=True, kw_only=True)
class Captions:
    """The two captions of a step."""

    source: str
    edited: str


def segmentation_phrase(target: Target) -> str:
    """Return the words for a segmenter: InstructEdit's segmentation prompt.

    Empty for a pronoun and for the whole picture. For "everything except the sky" it is "sky":
    the caller takes the complement, as ``target.inverted`` says.
    """
    return "" if target.pronoun else " ".join(target.phrase.split())


def caption_step(
    change: Change, target: Target, *, whole_image: bool, relation: str = "", caption: str = ""
) -> Captions:
    """Write the captions of a step.

    Args:
        change: What is done.
        target: To what.
        whole_image: The picture as a whole is changed.
        relation: For an added thing, how it lies to the target.
        caption: What the picture shows, when known; the thing's words in it are exchanged.
    """
    before = _before(target)
    after = _after(change, target, before, relation)
    if whole_image or not before:
        return _whole(change, caption, relation)
    if target.inverted:
        source = caption or f"photo of {_with_article(before)}"
        return Captions(source=source, edited=f"{source}, {_surroundings(change)}")
    if not caption:
        return Captions(source=f"photo of {_with_article(before)}", edited=f"photo of {after}")
    return Captions(source=caption, edited=_exchanged(caption, target, after))


def main_thing(caption: str) -> str:
    """Return what a caption shows, for "it": "a dog on grass" for "photo of a dog on grass"."""
    return _MEDIUM.sub("", caption.strip()).rstrip(". ")


def _before(target: Target) -> str:
    if target.relation.startswith(("from ", "off ")) and target.phrase.endswith(target.relation):
        thing = target.phrase[: -len(target.relation)]
        return f"{thing}on {target.relation.split(' ', 1)[1]}"
    return target.phrase or target.noun or ("surroundings" if target.inverted else "")


def _with_article(phrase: str) -> str:
    """Put the article before a noun phrase that a caption wants: "a", "an", "the" or none."""
    phrase = re.sub(r"^(?:an?|the) ", "", phrase)
    first = phrase.split(" ", 1)[0].lower()
    head = _RELATION.split(phrase)[0]
    noun = head.rsplit(" ", 1)[-1].lower()
    one, plural = singular(noun)
    if "'s " in head or noun in _UNIQUE or " of the " in phrase:
        return f"the {phrase}"
    if noun in _MASS or plural or first in ("two", "three", "several", "many", "some"):
        return phrase
    if first.endswith("est") or first in _SINGLED_OUT:
        return f"the {phrase}"
    if one == noun and noun.endswith("s") and not noun.endswith("ss"):
        return phrase
    return f"an {phrase}" if first[:1] in "aeiou" else f"a {phrase}"


def _without_colours(target: Target, phrase: str) -> str:
    for colour in target.colours:
        phrase = re.sub(
            rf"\b{re.escape(colour)}\b(?:-coloured|-colored)? ?", "", phrase, count=1, flags=re.I
        )
    return re.sub(r"^(?:and|,)\s+", "", phrase.strip()) or phrase


def _after(change: Change, target: Target, before: str, relation: str) -> str:
    """Write what stands in the target's place afterwards."""
    tail = (
        f" {target.relation}" if target.relation and target.phrase.endswith(target.relation) else ""
    )
    value = change.value
    if change.kind == "recolor":
        return _with_article(f"{value} {_without_colours(target, before)}")
    if change.kind == "tone":
        tone = _TONES.get((change.operation, 1 if change.amount >= 0 else -1), "")
        return _with_article(f"{tone} {before}".strip())
    if change.kind == "filter":
        return _with_article(f"{_FILTERS.get(change.operation, '')} {before}".strip())
    if change.kind == "texture" or change.kind == "attribute":
        return _with_trait(value, before)
    if change.kind == "style":
        return f"{_with_article(before)} in {value} style"
    if change.kind == "replace":
        return f"{_with_article(value)}{tail}"
    if change.kind == "add":
        link = {"on": "with", "with": "with", "": "with"}.get(relation, "")
        if link:
            return f"{_with_article(before)} with {_with_article(value)}"
        return f"{_with_article(value)} {relation} the {before}"
    host = re.sub(r"^(?:from|on|in|of|at|off|with) ", "", target.relation)
    host = re.sub(r"^(?:the|a|an|his|her|its|their|my) ", "", host)
    emptied = target.relation.startswith(("from ", "on ", "in ", "at "))
    if target.relation.startswith(("of ", "off ")):
        return _with_article(host)
    if not (emptied and host):
        return "an empty background"
    support = singular(_RELATION.split(host)[0].rsplit(" ", 1)[-1])[0] in _SUPPORTS
    return _with_article(f"empty {host}" if support else host)


def _with_trait(value: str, before: str) -> str:
    """Put an attribute where English has it: before the noun, or after it with "with"."""
    if not value:
        return _with_article(before)
    last = value.rsplit(" ", 1)[-1].lower()
    if value.startswith(("made of", "like ", "on ", "in ")):
        return f"{_with_article(before)} {value}"
    if is_adjective(last) or last.endswith(("er", "est", "ing", "ed")):
        return _with_article(f"{value} {before}")
    return f"{_with_article(before)} with {value}"


def _surroundings(change: Change) -> str:
    if change.kind == "filter":
        return f"{_FILTERS.get(change.operation, '')} surroundings"
    if change.kind == "tone":
        return f"{_TONES.get((change.operation, 1 if change.amount >= 0 else -1), '')} surroundings"
    return (
        f"{change.value} surroundings".strip() if change.kind != "remove" else "empty surroundings"
    )


def _whole(change: Change, caption: str, relation: str) -> Captions:
    """Write the captions of a step that changes all of the picture, or what only a box can tell."""
    source = caption or "photo"
    subject = main_thing(caption) if caption else "the scene"
    if change.kind == "style":
        return Captions(source=source, edited=f"{change.value} of {subject}")
    if change.kind == "tone":
        tone = _TONES.get((change.operation, 1 if change.amount >= 0 else -1), "")
        return Captions(source=source, edited=f"{tone} photo of {subject}")
    if change.kind == "filter":
        return Captions(
            source=source, edited=f"{_FILTERS.get(change.operation, '')} photo of {subject}"
        )
    if change.kind == "add":
        place = f" {relation}" if relation and relation not in ("on", "in") else ""
        return Captions(
            source=source, edited=f"photo of {subject} with {_with_article(change.value)}{place}"
        )
    if change.kind == "remove":
        return Captions(source=source, edited="photo of an empty background")
    if change.kind == "replace":
        return Captions(source=source, edited=f"photo of {_with_article(change.value)}")
    edited = f"photo of {subject} in {change.value}" if change.kind == "recolor" else ""
    return Captions(source=source, edited=edited or f"{change.value} photo of {subject}")


def _exchanged(caption: str, target: Target, after: str) -> str:
    """Exchange the target's words in a caption, or append the new thing when it names none."""
    noun = target.noun.rsplit(" ", 1)[-1]
    spoken_noun = re.escape(target.phrase) if target.phrase else ""
    for pattern in (spoken_noun, re.escape(target.noun), re.escape(noun)):
        if not pattern:
            continue
        found = re.search(rf"\b(?:(?:an?|the|some) )?{pattern}(?:e?s)?\b", caption, flags=re.I)
        if found:
            return f"{caption[: found.start()]}{after}{caption[found.end() :]}"
    return f"{caption}, with {after}"
