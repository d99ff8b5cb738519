"""Drawing one edit of one scene: the words, and the parameters that it sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from pocket.flat.draws import generator
from pocket.flat.instructions import BACKGROUND, Task, pointing, sentence
from pocket.flat.layout import farthest, fits_beside, on_side, radii
from pocket.flat.phrases import SYNONYM, noun_phrase
from pocket.flat.scenes import FlatThing, Scenes
from pocket.flat.settings import Pairs
from pocket.flat.words import COLOURS, GROUNDS, PATTERNS, SHAPES, SIDE_PHRASES, SIDES

_NEW_COLOUR = 0.3  # how often a replacement has another colour too
_SAYS_PLACE = 0.7  # how often an addition says where
_SAYS_SIZE = 0.3  # and how big
_PLACES = 256  # tried for an addition
_BIG = 0.3  # share of additions that are big

_Pair = tuple[int, int]
_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class Words:
    """What is said of an edit.

    Attributes:
        task: What is asked for.
        instruction: The sentence.
        phrase: What it points at.
        new: What comes of it, as said.
        side: Where an added object must lie; empty for anywhere.
    """

    task: Task
    instruction: str
    phrase: str
    new: str
    side: str = ""


@dataclass(frozen=True, kw_only=True)
class Change:
    """The parameters of one scene that an edit sets, by the names of the arrays in ``Scenes``.

    ``slot`` is the object's, -1 for the ground; None leaves a parameter as it is.
    """

    slot: int
    present: bool = True
    colour: int | None = None
    shape: int | None = None
    pattern: int | None = None
    big: bool | None = None
    radius: float | None = None
    x: float | None = None
    y: float | None = None
    ground: int | None = None


def drawn_change(
    scenes: Scenes, row: int, draw: int, tasks: Sequence[Task], pairs: Pairs
) -> tuple[Words, Change]:
    """Draw the edit of one scene.

    Args:
        scenes: A batch.
        row: Which of its scenes.
        draw: Another number is another edit.
        tasks: Among which to choose, where possible.
        pairs: Of which kind an object must be that the edit makes.
    """
    random = generator(scenes.split, scenes.seed, "edit", int(scenes.index[row]), draw)
    allowed = set(scenes.settings.pair_list(pairs))
    wanted = [tasks[place] for place in random.permutation(len(tasks))]
    spare: list[Task] = ["recolor", "replace"] if pairs == "held-out" else ["recolor", "ground"]
    for task in (*wanted, *spare):
        drawn = _ONE[task](scenes, row, random, allowed)
        if drawn is not None:
            return drawn
    raise AssertionError("a recolouring is always possible")


def _recolor(
    scenes: Scenes, row: int, random: np.random.Generator, allowed: set[_Pair]
) -> tuple[Words, Change] | None:
    slot, target = _aimed(scenes, row, random)
    shape = int(scenes.shape[row, slot])
    colours = [colour for colour, other in _free(scenes, row, allowed) if other == shape]
    if not colours:
        return None
    colour = _pick(random, colours)
    new = COLOURS[colour]
    words = Words(
        task="recolor",
        instruction=sentence("recolor", random, target=target, new=new),
        phrase=target,
        new=new,
    )
    return words, Change(slot=slot, colour=colour)


def _replace(
    scenes: Scenes, row: int, random: np.random.Generator, allowed: set[_Pair]
) -> tuple[Words, Change] | None:
    slot, target = _aimed(scenes, row, random)
    own_colour, own_shape = int(scenes.colour[row, slot]), int(scenes.shape[row, slot])
    pairs = [pair for pair in _free(scenes, row, allowed) if pair[1] != own_shape]
    same = [pair for pair in pairs if pair[0] == own_colour]
    if same and random.random() >= _NEW_COLOUR:
        pairs = same
    if not pairs:
        return None
    colour, shape = _pick(random, pairs)
    thing = replace(scenes.thing(row, slot), colour=COLOURS[colour], shape=SHAPES[shape])
    new = noun_phrase(thing, synonym=bool(random.random() < SYNONYM), pattern=True)
    words = Words(
        task="replace",
        instruction=sentence("replace", random, target=target, new=new),
        phrase=target,
        new=new,
    )
    return words, Change(slot=slot, colour=colour, shape=shape)


def _remove(
    scenes: Scenes, row: int, random: np.random.Generator, allowed: set[_Pair]
) -> tuple[Words, Change] | None:
    slot, target = _aimed(scenes, row, random)
    said = sentence("remove", random, target=target)
    words = Words(task="remove", instruction=said, phrase=target, new="")
    return words, Change(slot=slot, present=False)


def _add(
    scenes: Scenes, row: int, random: np.random.Generator, allowed: set[_Pair]
) -> tuple[Words, Change] | None:
    present = scenes.present[row]
    if present.all():
        return None
    slot = int(np.flatnonzero(~present)[0])
    wanted = bool(random.random() < _BIG)
    stray, places = random.random(1), random.random((_PLACES, 2))
    centres = np.stack([scenes.x[row, present], scenes.y[row, present]], axis=1)
    for big in dict.fromkeys((wanted, False)):
        radius = float(radii(np.array([big]), stray)[0])
        limit = float(farthest(np.array([radius]))[0])
        tried = (2 * places - 1) * limit
        fitting = tried[fits_beside(tried, radius, centres, scenes.radius[row, present])]
        if len(fitting):
            break
    else:
        return None
    x, y = (float(value) for value in fitting[0])
    sides = [side for side in SIDES if on_side(x, y, side)]
    side = _pick(random, sides) if sides and random.random() < _SAYS_PLACE else ""
    colour, shape = _pick(random, _free(scenes, row, allowed))
    pattern = int(scenes.pattern[row, slot])
    thing = FlatThing(
        colour=COLOURS[colour], shape=SHAPES[shape], pattern=PATTERNS[pattern], big=big,
        x=x, y=y, radius=radius,
    )  # fmt: skip
    says_size = random.random() < _SAYS_SIZE
    synonym = random.random() < SYNONYM
    new = noun_phrase(thing, synonym=bool(synonym), size=bool(says_size), pattern=True)
    said = sentence("add", random, target=SIDE_PHRASES.get(side, ""), new=new)
    words = Words(task="add", instruction=said, phrase=side, new=new, side=side)
    return words, Change(
        slot=slot, colour=colour, shape=shape, big=big, radius=radius, x=x, y=y, pattern=pattern
    )


def _texture(
    scenes: Scenes, row: int, random: np.random.Generator, allowed: set[_Pair]
) -> tuple[Words, Change] | None:
    slot, target = _aimed(scenes, row, random)
    pattern = _other(random, len(PATTERNS), int(scenes.pattern[row, slot]))
    new = "plain" if PATTERNS[pattern] == "solid" else PATTERNS[pattern]
    said = sentence("texture", random, target=target, new=new)
    words = Words(task="texture", instruction=said, phrase=target, new=new)
    return words, Change(slot=slot, pattern=pattern)


def _ground(
    scenes: Scenes, row: int, random: np.random.Generator, allowed: set[_Pair]
) -> tuple[Words, Change] | None:
    kind = _other(random, len(GROUNDS), int(scenes.ground[row]))
    said = sentence("ground", random, target=BACKGROUND, new=GROUNDS[kind])
    words = Words(task="ground", instruction=said, phrase=BACKGROUND, new=GROUNDS[kind])
    return words, Change(slot=-1, ground=kind)


_ONE = {
    "recolor": _recolor,
    "replace": _replace,
    "remove": _remove,
    "add": _add,
    "texture": _texture,
    "ground": _ground,
}


def _aimed(scenes: Scenes, row: int, random: np.random.Generator) -> tuple[int, str]:
    """Choose an object and a phrase for it."""
    slots = scenes.slots(row)
    number = int(random.integers(len(slots)))
    return slots[number], pointing(scenes.things(row), number, random)


def _free(scenes: Scenes, row: int, allowed: set[_Pair]) -> list[_Pair]:
    """Return the (colour, shape) pairs that may come into a scene: no two objects share one."""
    there = {
        (int(scenes.colour[row, slot]), int(scenes.shape[row, slot])) for slot in scenes.slots(row)
    }
    return sorted(allowed - there)


def _pick(random: np.random.Generator, options: Sequence[_T]) -> _T:
    return options[int(random.integers(len(options)))]


def _other(random: np.random.Generator, count: int, own: int) -> int:
    """Choose a number below ``count`` that isn't the own one."""
    return int((own + 1 + random.integers(count - 1)) % count)
