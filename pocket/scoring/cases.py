"""The edits that a scoring asks for, each with its truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from image_core.disk_cache import content_key
from image_core.errors import InvalidInput
from image_core.types import Image, Mask
from pocket.flat.edits import EditCase, Edits, edits, region_masks, target_masks
from pocket.flat.instructions import Task
from pocket.flat.render import render, to_bytes
from pocket.flat.sampling import sample_scenes
from pocket.flat.settings import FlatSettings, Pairs, Split
from pocket.scoring.setting import MAKING, Setting

_TRIES = 50  # scenes looked at for each that is wanted: "add" is impossible in crowded ones
_FIRST: dict[Pairs, int] = {"seen": 0, "held-out": 1_000_000}  # numbers of scenes: not the same
_KEY_DIGITS = 12  # hexadecimal, of the content's key: an integer that every generator takes


@dataclass(frozen=True, kw_only=True)
class ScoredCase:
    """One edit of one scene.

    Pictures are as a file holds them, on the grid of 8 bits: what is measured is what a user gets.

    Attributes:
        name: Split, seed and number, and whether its edit is held out.
        pairs: Whether the edit makes what training showed.
        case: The edit in words.
        source: The scene's picture.
        truth: The edited scene's.
        changed: Share of each pixel in which the two may differ; 0 where they are equal.
        target: What the phrase points at, in shares; empty for an addition.
    """

    name: str
    pairs: Pairs
    case: EditCase
    source: Image
    truth: Image
    changed: Mask
    target: Mask

    def key(self, seed: int) -> int:
        """Return the integer that keys every editor's draws for this case."""
        return int(content_key("scored case", str(seed), self.name)[:_KEY_DIGITS], 16)


def cases_of(setting: Setting) -> list[ScoredCase]:
    """Draw all cases of a setting, those of seen pairs first.

    Raises:
        InvalidInput: The tasks are possible in too few of the scenes.
    """
    made = tuple(task for task in setting.tasks if task in MAKING)
    return [
        *_drawn(setting, "seen", setting.count, setting.tasks),
        *_drawn(setting, "held-out", setting.held_out, made),
    ]


def _drawn(
    setting: Setting, pairs: Pairs, count: int, tasks: tuple[Task, ...]
) -> Iterator[ScoredCase]:
    settings = FlatSettings(most_objects=setting.most_objects)
    found, start = 0, _FIRST[pairs]
    for number in range(start, start + count * _TRIES):
        if found == count:
            return
        scene = sample_scenes(
            setting.split, seed=setting.seed, start=number, count=1, settings=settings
        )
        wanted = tasks[found % len(tasks)]
        batch = edits(scene, tasks=(wanted,), pairs=pairs)
        if batch.cases[0].task == wanted:  # what is impossible in a scene became another task
            found += 1
            yield _case(batch, setting.split, setting.seed, number, pairs)
    if found < count:
        raise InvalidInput(
            f"{', '.join(tasks)} is possible in {found} of {count * _TRIES} scenes only",
            hint=f"Take --count {found} or less.",
        )


def _case(batch: Edits, split: Split, seed: int, number: int, pairs: Pairs) -> ScoredCase:
    return ScoredCase(
        name=f"{split}/{seed}/{pairs}/{number:05d}",
        pairs=pairs,
        case=batch.cases[0],
        source=on_8_bit(render(batch.before)[0]),
        truth=on_8_bit(render(batch.after)[0]),
        changed=region_masks(batch)[0],
        target=target_masks(batch)[0],
    )


def on_8_bit(picture: Image) -> Image:
    """Return a picture as a file of 8 bits gives it back."""
    return np.asarray(to_bytes(picture), dtype=np.float32) / 255
