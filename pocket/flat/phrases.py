"""Words for objects and scenes: noun phrases, and captions with paraphrases.

How a caption is worded is drawn before it is looked at what the scene shows, so that a scene and
its edit, worded by the same draw, are told in the same words but for what the edit changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pocket.flat.draws import generator
from pocket.flat.layout import on_side
from pocket.flat.scenes import FlatThing, Scenes
from pocket.flat.settings import SLOTS
from pocket.flat.words import NOUNS, PATTERN_NOUNS, SIDE_PHRASES, SIDES

SYNONYM = 0.2
"""How often a circle is called a ball, and a square a box."""

# how often a caption says an object's size, pattern and side, and the ground
_SAYS_SIZE, _SAYS_PATTERN, _SAYS_SIDE, _SAYS_GROUND = 0.25, 0.75, 0.2, 0.75
_OPENINGS = ("{}", "{}", "{}", "a picture of {}", "there is {}")
_GROUND_FORMS = ("{} on a {} background", "{} on a {} background", "{} with a {} background")
_COVERED = "{} on a background with {}"
_SAYS_COVERED = 0.2


@dataclass(frozen=True, kw_only=True)
class Wording:
    """How a scene is told.

    Attributes:
        order: In which order the slots' objects are named.
        opening: Which of the openings.
        synonym: For each slot whether its second noun is taken where it has one.
        size: Whether its size is said.
        pattern: Whether its pattern is said, if it has one.
        side: Whether its side is said, if it is on one.
        ground: Which way the ground is told; empty for not at all.
    """

    order: tuple[int, ...]
    opening: str
    synonym: tuple[bool, ...]
    size: tuple[bool, ...]
    pattern: tuple[bool, ...]
    side: tuple[bool, ...]
    ground: str


def wording(scenes: Scenes, row: int, *, draw: int = 0) -> Wording:
    """Draw how a scene is told; the same (scene's number, draw) gives the same wording."""
    random = generator(scenes.split, scenes.seed, "caption", int(scenes.index[row]), draw)
    order = tuple(int(slot) for slot in random.permutation(SLOTS))
    chances = random.random((4, SLOTS))
    shares = (SYNONYM, _SAYS_SIZE, _SAYS_PATTERN, _SAYS_SIDE)
    says = [tuple((line < share).tolist()) for line, share in zip(chances, shares, strict=True)]
    opening, form, told, covered = random.random(4)
    ground = _COVERED if covered < _SAYS_COVERED else _picked(_GROUND_FORMS, form)
    return Wording(
        order=order,
        opening=_picked(_OPENINGS, opening),
        synonym=says[0],
        size=says[1],
        pattern=says[2],
        side=says[3],
        ground=ground if told < _SAYS_GROUND else "",
    )


def caption(
    scenes: Scenes, row: int, *, draw: int = 0, sure: Sequence[int] = (), ground: bool = False
) -> str:
    """Tell what a scene shows.

    Args:
        scenes: A batch.
        row: Which of its scenes.
        draw: Which paraphrase.
        sure: Slots whose pattern is said whatever the draw, for it is what matters.
        ground: The ground is said whatever the draw.
    """
    words = wording(scenes, row, draw=draw)
    said = []
    for slot in words.order:
        if scenes.present[row, slot]:
            thing = scenes.thing(row, slot)
            phrase = noun_phrase(
                thing,
                synonym=words.synonym[slot],
                size=words.size[slot],
                pattern=words.pattern[slot] or slot in sure,
                plain=slot in sure,
            )
            side = side_of(thing) if words.side[slot] else ""
            said.append(f"a {phrase} {SIDE_PHRASES[side]}" if side else f"a {phrase}")
    form = words.ground or (_GROUND_FORMS[0] if ground else "")
    if not said:
        # an edit may have removed the only object
        return f"a {scenes.ground_name(row)} background"
    opening = words.opening
    if opening.startswith("there") and len(said) > 1:
        opening = opening.replace("is", "are")
    return opening.format(_with_ground(_listed(said), form, scenes.ground_name(row)))


def noun_phrase(
    thing: FlatThing,
    *,
    synonym: bool = False,
    colour: bool = True,
    size: bool = False,
    pattern: bool = False,
    plain: bool = False,
) -> str:
    """Name an object: "big striped red circle".

    Args:
        thing: Which.
        synonym: Take the second noun where there is one: "ball".
        colour: Say its colour.
        size: Say its size.
        pattern: Say its pattern, if it has one.
        plain: Say "plain" where it has none and the pattern is said.
    """
    words = []
    if size:
        words.append("big" if thing.big else "small")
    if pattern and thing.pattern != "solid":
        words.append(thing.pattern)
    elif pattern and plain:
        words.append("solid")
    if colour:
        words.append(thing.colour)
    words.append(NOUNS[thing.shape][-1 if synonym else 0])
    return " ".join(words)


def side_of(thing: FlatThing) -> str:
    """Return the side that an object is furthest on; empty when it is near the middle."""
    along = {"left": -thing.x, "right": thing.x, "top": -thing.y, "bottom": thing.y}
    side = max(SIDES, key=lambda name: along[name])
    return side if on_side(thing.x, thing.y, side) else ""


def _with_ground(things: str, form: str, ground: str) -> str:
    if not form:
        return things
    if form == _COVERED and ground not in PATTERN_NOUNS:
        form = _GROUND_FORMS[0]
    return form.format(things, PATTERN_NOUNS[ground] if form == _COVERED else ground)


def _listed(said: list[str]) -> str:
    if len(said) == 1:
        return said[0]
    return f"{' , '.join(said[:-1])} and {said[-1]}".replace(" ,", ",")


def _picked(options: Sequence[str], chance: float | np.floating) -> str:
    return options[int(chance * len(options))]
