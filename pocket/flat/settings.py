"""Which flat world is meant: how large the vocabulary of shapes is, and how crowded the scenes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

from image_core.errors import InvalidInput
from pocket.flat.words import COLOURS, HELD_OUT, SHAPES

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
Pairs = Literal["seen", "held-out"]

SLOTS = 4
"""Most objects in a scene."""
_FEWEST_SHAPES = 2


@dataclass(frozen=True, kw_only=True)
class FlatSettings:
    """What scenes are drawn from.

    Attributes:
        shapes: Which of ``SHAPES`` occur.
        most_objects: Up to how many a scene has, 1 to 4.
        pairs: ``seen``: only colours and shapes that training shows together. ``held-out``: the
            first object of every scene is such as training never shows.
        patterned: Share of objects that are striped or dotted.
    """

    shapes: tuple[str, ...] = SHAPES
    most_objects: int = SLOTS
    pairs: Pairs = "seen"
    patterned: float = 0.35

    def __post_init__(self) -> None:
        known = set(self.shapes) <= set(SHAPES) and len(set(self.shapes)) == len(self.shapes)
        if not known or len(self.shapes) < _FEWEST_SHAPES:
            raise InvalidInput(
                f"the shapes {', '.join(self.shapes) or '(none)'}",
                hint=f"Name at least {_FEWEST_SHAPES} of {', '.join(SHAPES)}, each once.",
            )
        if not 1 <= self.most_objects <= SLOTS:
            raise InvalidInput(f"scenes of {self.most_objects} objects", hint=f"Take 1 to {SLOTS}.")
        if self.pairs not in get_args(Pairs):
            raise InvalidInput(
                f"{self.pairs!r} says nothing of pairs", hint='Take "seen" or "held-out".'
            )
        if not 0 <= self.patterned <= 1:
            raise InvalidInput(
                f"{self.patterned} is no share", hint="Take 0 (all solid) to 1 (none solid)."
            )

    def pair_list(self, pairs: Pairs) -> tuple[tuple[int, int], ...]:
        """Return the (colour, shape) pairs of a kind, as indices of ``COLOURS`` and ``SHAPES``."""
        return _pair_list(self.shapes, pairs)


@lru_cache(maxsize=16)
def _pair_list(shapes: tuple[str, ...], pairs: Pairs) -> tuple[tuple[int, int], ...]:
    held_out = set(HELD_OUT)
    return tuple(
        (colour, SHAPES.index(shape))
        for colour, name in enumerate(COLOURS)
        for shape in shapes
        if ((name, shape) in held_out) == (pairs == "held-out")
    )


def check_split(split: str) -> Split:
    """Return the split of a name.

    Raises:
        InvalidInput: There is none.
    """
    for known in SPLITS:
        if split == known:
            return known
    raise InvalidInput(f"there is no split {split!r}", hint=f"Take one of {', '.join(SPLITS)}.")
