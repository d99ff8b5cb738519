"""The sentences of instructions, by task, and the phrases that point at one object of a scene.

They are worded so that ``image_core.instructions``' rules read nearly all of them. What those
misread is kept where people say it so: "turn the ball into a red square", read as a pattern.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from image_core.types import Kind
from pocket.flat.phrases import SYNONYM, noun_phrase, side_of
from pocket.flat.scenes import FlatThing
from pocket.flat.words import PATTERN_NOUNS, SIDE_PHRASES, SIDES

Task = Literal["recolor", "replace", "remove", "add", "texture", "ground"]
"""What an instruction asks for: image_core's kinds of edit, a texture of the ground by itself."""
TASKS: tuple[Task, ...] = get_args(Task)

KINDS: dict[Task, Kind] = {
    "recolor": "recolor",
    "replace": "replace",
    "remove": "remove",
    "add": "add",
    "texture": "texture",
    "ground": "texture",
}
"""The kind of edit, as the language processors name it, that each task is."""

BACKGROUND = "background"
"""The phrase that points at the ground."""


_SENTENCES: dict[Task, tuple[str, ...]] = {
    "recolor": (
        "make the {target} {new}", "turn the {target} {new}", "change the {target} to {new}",
        "paint the {target} {new}", "color the {target} {new}",
    ),
    "replace": (
        "replace the {target} with a {new}", "swap the {target} for a {new}",
        "turn the {target} into a {new}", "change the {target} into a {new}",
    ),
    "remove": (
        "remove the {target}", "delete the {target}", "erase the {target}",
        "take away the {target}", "get rid of the {target}",
    ),
    "add": ("add a {new}{target}", "put a {new}{target}", "draw a {new}{target}",
            "insert a {new}{target}"),
    "texture": (
        "make the {target} {new}", "turn the {target} {new}", "give the {target} a {new} pattern",
        "cover the {target} with {covered}", "give the {target} {covered}",
    ),
    "ground": (
        "make the {target} {new}", "turn the {target} {new}", "give the {target} a {new} pattern",
        "cover the {target} with {covered}", "change the {target} to a {new} pattern",
    ),
}  # fmt: skip
# how much further out than the next of its kind an object must lie to be "the left one"
_CLEARLY = 0.25
# how often each way of pointing is taken, among those that single the object out
_WEIGHTS = {"pair": 4.0, "noun": 1.0, "side": 3.0, "size": 3.0, "full": 1.0}


def sentence(task: Task, random: np.random.Generator, *, target: str, new: str = "") -> str:
    """Word an instruction.

    Args:
        task: What is asked for.
        random: Chooses among the paraphrases.
        target: The phrase of what is changed; for ``add`` the place, or empty.
        new: The colour, object, pattern or kind of ground that it becomes.
    """
    options = [form for form in _SENTENCES[task] if _suits(form, target, new)]
    form = options[int(random.integers(len(options)))]
    place = f" {target}" if task == "add" and target else target
    return form.format(target=place, new=new, covered=PATTERN_NOUNS.get(new, ""))


def pointing(things: tuple[FlatThing, ...], number: int, random: np.random.Generator) -> str:
    """Draw a phrase that is true of one object and of no other.

    Colour and shape always do; where several objects have a shape, its side or its size may do
    without the colour ("left circle", "circle on the left", "small circle").

    Args:
        things: All objects of the scene.
        number: Which is meant.
        random: Chooses among the phrases.
    """
    meant = things[number]
    others = [
        one for place, one in enumerate(things) if place != number and one.shape == meant.shape
    ]
    synonym = bool(random.random() < SYNONYM)
    noun = noun_phrase(meant, synonym=synonym, colour=False)
    options = {"pair": noun_phrase(meant, synonym=synonym, pattern=bool(random.random() < 0.3))}
    sides = outermost(meant, others)
    if not others:
        options["noun"] = noun
    elif sides:
        side = sides[int(random.integers(len(sides)))]
        after = bool(random.random() < 0.5)
        options["side"] = f"{noun} {SIDE_PHRASES[side]}" if after else f"{side} {noun}"
    if others and all(one.big != meant.big for one in others):
        options["size"] = noun_phrase(meant, synonym=synonym, colour=False, size=True)
    said = side_of(meant) if random.random() < 0.5 else ""
    # "the left red circle" beside no other circle: more words than needed, and true
    full = noun_phrase(meant, synonym=synonym, pattern=True, size=not said)
    options["full"] = f"{said} {full}".strip()
    weights = np.array([_WEIGHTS[option] for option in options])
    return list(options.values())[int(random.choice(len(options), p=weights / weights.sum()))]


def outermost(meant: FlatThing, others: list[FlatThing]) -> list[str]:
    """Return the sides on which an object lies clearly further out than the others."""
    sides = []
    for side in SIDES:
        sign, axis = (-1 if side in ("left", "top") else 1), (side in ("top", "bottom"))
        own = sign * (meant.y if axis else meant.x)
        if all(own - sign * (one.y if axis else one.x) > _CLEARLY for one in others):
            sides.append(side)
    return sides


def _suits(form: str, target: str, new: str) -> bool:
    """Leave out what nobody would say: "cover it with" where the word has no noun."""
    if "{covered}" in form and new not in PATTERN_NOUNS:
        return False
    # "give the circle on the left dots" can be read in two ways
    return not (form.startswith("give") and any(f" {at} the " in target for at in ("on", "at")))
