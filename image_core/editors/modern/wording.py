"""The prompt: an instruction that still makes sense on the crop that the model sees.

"the left chair" may be the only chair of a crop, so place and ordinal words are left away there.
On the whole picture the phrase stays as the user said it.
"""

from __future__ import annotations

import re

from image_core.types import EditStep, Target


def instruction_for(step: EditStep, *, whole: bool) -> str:
    """Return a plain sentence for an editor that takes instructions.

    Args:
        step: What is to be done.
        whole: The model sees the whole picture, not a crop around the region.
    """
    thing = _thing(step.target, whole=whole)
    if step.whole_image or not thing or (step.kind != "remove" and not step.value):
        return step.instruction
    value = _with_article(step)
    match step.kind:
        case "recolor":
            return f"change the color of {thing} to {step.value}"
        case "replace":
            return f"replace {thing} with {value}"
        case "add":
            return _adding(step, thing, value)
        case "remove":
            return f"remove {thing}"
        case "style":
            return f"make {thing} look like {value}"
        case "texture":
            return f"cover {thing} with {step.value}"
        case "attribute":
            return f"make {thing} {step.value}"
        case _:
            return step.instruction


def caption_for(step: EditStep, edited_caption: str) -> str:
    """Return the caption for an editor that fills a hole.

    Args:
        step: What is to be done.
        edited_caption: What the task says the picture shall show; the bare instruction where
            neither the user nor the plan has a caption.
    """
    if step.kind == "remove" and edited_caption == step.instruction:
        return "an empty background"
    return edited_caption


def _thing(target: Target, *, whole: bool) -> str:
    """Return the target with its article, or nothing where words cannot name it."""
    if target.pronoun or target.inverted:
        return ""
    words = target.phrase
    if not whole and target.noun:
        words = " ".join([*target.colours, *target.attributes, target.noun])
        if target.all:
            return f"every {words}"
    if not words:
        return ""
    return f"all the {words}" if target.all else f"the {words}"


def _adding(step: EditStep, thing: str, value: str) -> str:
    if step.relation in ("", "with"):
        return f"add {value} to {thing}"
    return f"add {value} {step.relation} {thing}"


def _with_article(step: EditStep) -> str:
    """Return the value with the article that it has in the instruction or the edited caption."""
    pattern = re.compile(rf"\b((?:an?|the|some|two|three) {re.escape(step.value)})\b", re.I)
    for text in (step.instruction, step.edited_caption):
        found = pattern.search(text)
        if found:
            return found[1]
    return step.value
