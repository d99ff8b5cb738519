"""Edits with their truth: what is said, what changes, and the scene that comes out.

An edit changes parameters; everything else of the picture is rendered from the same numbers, so the
edited picture is exact, and so is the region outside which it must equal the source.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int64

from image_core.errors import InvalidInput
from image_core.types import Kind
from pocket.flat.changes import Change, Words, drawn_change
from pocket.flat.instructions import KINDS, TASKS, Task
from pocket.flat.phrases import caption
from pocket.flat.render import SIZE, object_masks
from pocket.flat.scenes import FlatThing, Scenes
from pocket.flat.settings import Pairs


@dataclass(frozen=True, kw_only=True)
class EditCase:
    """One edit in words.

    Attributes:
        task: What is asked for.
        kind: The same as image_core's language processors name it.
        instruction: The sentence.
        phrase: What it points at, without article ("big red circle"); "background" for the ground;
            for ``add`` the place ("left"), empty when none is said.
        new: What comes of it, as said: a colour, an object, a pattern; empty for ``remove``.
        source_caption: What the picture shows before.
        target_caption: What it shows after, in the same words but for the edit.
        before: The objects before.
        after: The objects that must be there after.
        ground: The kind of ground after.
        number: Which of ``after`` was changed or added; -1 for the ground and for what is gone.
        side: On which side an added object must lie; empty for anywhere.
    """

    task: Task
    kind: Kind
    instruction: str
    phrase: str
    new: str
    source_caption: str
    target_caption: str
    before: tuple[FlatThing, ...]
    after: tuple[FlatThing, ...]
    ground: str
    number: int
    side: str


@dataclass(frozen=True, kw_only=True)
class Edits:
    """A batch of edits, one for each of n scenes.

    Attributes:
        before: The scenes.
        after: The same with the edits carried out.
        slot: Of the object that is changed; -1 for the ground.
        cases: The edits in words.
    """

    before: Scenes
    after: Scenes
    slot: Int64[np.ndarray, " n"]
    cases: tuple[EditCase, ...]

    def __len__(self) -> int:
        return len(self.cases)


def edits(
    scenes: Scenes,
    *,
    draw: int = 0,
    tasks: Sequence[Task] = TASKS,
    pairs: Pairs = "seen",
) -> Edits:
    """Draw an edit of every scene.

    A scene that none of the tasks is possible in (an object to be added where there is no room)
    gets another task of ``TASKS``.

    Args:
        scenes: n scenes.
        draw: Another number is another edit of the same scene.
        tasks: Among which to choose.
        pairs: ``held-out``: the edit makes an object such as training never shows, by recolouring,
            replacing or adding. ``seen``: no edit ever makes one.

    Raises:
        InvalidInput: There is no such task, or held-out pairs are asked for in training or with a
            task that makes no object.
    """
    _check(scenes, tasks, pairs)
    made = [drawn_change(scenes, row, draw, tasks, pairs) for row in range(len(scenes))]
    after = _applied(scenes, [change for _, change in made])
    return Edits(
        before=scenes,
        after=after,
        slot=np.array([change.slot for _, change in made], dtype=np.int64),
        cases=tuple(
            _case(scenes, after, row, draw, words, change)
            for row, (words, change) in enumerate(made)
        ),
    )


def target_masks(batch: Edits, *, size: int = SIZE) -> Float32[np.ndarray, "n h w"]:
    """Return what the instructions' phrases point at in the source pictures, as shares of pixels.

    Nothing for an addition; for the ground all that no object covers.
    """
    return _masks_of(batch.before, batch.slot, object_masks(batch.before, size=size))


def region_masks(batch: Edits, *, size: int = SIZE) -> Float32[np.ndarray, "n h w"]:
    """Return where the source and the edited picture differ: outside they are equal."""
    before = _masks_of(batch.before, batch.slot, object_masks(batch.before, size=size))
    after = _masks_of(batch.after, batch.slot, object_masks(batch.after, size=size))
    return np.maximum(before, after)


def _check(scenes: Scenes, tasks: Sequence[Task], pairs: Pairs) -> None:
    wrong = [task for task in tasks if task not in TASKS]
    if wrong or not tasks:
        raise InvalidInput(
            f"the tasks {', '.join(map(repr, wrong)) or '(none)'}",
            hint=f"Take some of {', '.join(TASKS)}.",
        )
    if pairs == "held-out":
        if scenes.split == "train":
            raise InvalidInput(
                "held-out pairs are not for training", hint="Take the validation or the test split."
            )
        if not {"recolor", "replace", "add"} >= set(tasks):
            raise InvalidInput(
                "only recolor, replace and add make an object that training never shows",
                hint='Leave the other tasks out, or take pairs="seen".',
            )


def _applied(scenes: Scenes, changes: Sequence[Change]) -> Scenes:
    present, ground = scenes.present.copy(), scenes.ground.copy()
    names = ("colour", "shape", "pattern", "big", "radius", "x", "y")
    arrays = {name: np.array(getattr(scenes, name)) for name in names}
    for row, change in enumerate(changes):
        if change.ground is not None:
            ground[row] = change.ground
        if change.slot >= 0:
            present[row, change.slot] = change.present
        for name, array in arrays.items():
            value = getattr(change, name)
            if value is not None:
                array[row, change.slot] = value
    return scenes.changed(present=present, ground=ground, **arrays)


def _case(
    scenes: Scenes, after: Scenes, row: int, draw: int, words: Words, change: Change
) -> EditCase:
    sure = (change.slot,) if words.task == "texture" else ()
    ground = words.task == "ground"
    slots = after.slots(row)
    before_words, after_words = (
        caption(which, row, draw=draw, sure=sure, ground=ground) for which in (scenes, after)
    )
    return EditCase(
        task=words.task,
        kind=KINDS[words.task],
        instruction=words.instruction,
        phrase=words.phrase,
        new=words.new,
        source_caption=before_words,
        target_caption=after_words,
        before=scenes.things(row),
        after=after.things(row),
        ground=after.ground_name(row),
        number=slots.index(change.slot) if change.slot in slots else -1,
        side=words.side,
    )


def _masks_of(
    scenes: Scenes, slot: Int64[np.ndarray, " n"], masks: Float32[np.ndarray, "n 4 h w"]
) -> Float32[np.ndarray, "n h w"]:
    """Take the mask of a slot's object, or what no object covers where the slot is -1."""
    chosen = masks[np.arange(len(scenes)), np.maximum(slot, 0)]
    bare: Bool[np.ndarray, "n 1 1"] = (slot < 0)[:, None, None]
    return np.where(bare, 1 - masks.max(axis=1), chosen)
