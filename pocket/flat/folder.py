"""Flat scenes on disk: pictures, what is asked of them, and the truth.

FOLDER/
pictures/00000.png …   the scenes
edited/00000.png …     the same with the instruction carried out
regions/00000.png …    where the two differ, as shares of pixels, 255 = all of it; 0 = nowhere
targets/00000.png …    what the instruction's phrase points at; black for an addition
scenes.jsonl           a line a scene: captions, instruction, kind, phrase, objects with boxes
scenes.json            what was asked for, and a digest of all the rest
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from image_core.errors import InvalidInput
from image_core.types import no_progress
from pocket.flat.edits import Edits, edits, region_masks, target_masks
from pocket.flat.instructions import TASKS, Task
from pocket.flat.render import SIZE, check_size, object_masks, render, to_bytes
from pocket.flat.sampling import sample_scenes
from pocket.flat.scenes import Scenes
from pocket.flat.settings import FlatSettings, Pairs, Split, check_split
from pocket.folders import check_folder, held, published, write_png, write_record

RECORD, LINES = "scenes.json", "scenes.jsonl"
MOST = 100_000

_FORM = 1  # of the files; another one is another folder
_BATCH = 64  # scenes at a time
_MAKING: tuple[Task, ...] = ("recolor", "replace", "add")  # tasks that make an object


@dataclass(frozen=True, kw_only=True)
class WrittenScenes:
    """Scenes that lie on disk.

    Attributes:
        folder: Where.
        count: How many.
        split: Of which stream.
        seed: Of the stream.
        size: Pixels of a side.
    """

    folder: Path
    count: int
    split: Split
    seed: int
    size: int


def write_scenes(
    folder: str | Path,
    *,
    count: int,
    split: Split = "validation",
    seed: int = 0,
    size: int = SIZE,
    settings: FlatSettings | None = None,
    pairs: Pairs = "seen",
    progress: Callable[[str, float], None] = no_progress,
) -> WrittenScenes:
    """Render and write scenes with one edit each; the folder appears when all of it is there.

    The same arguments give the same bytes. A folder that holds these very scenes is left as it is.

    Args:
        folder: Where; it may exist when it is empty.
        count: How many, the first ones of the stream.
        split: The stream.
        seed: Of the stream.
        size: Pixels of a side.
        settings: What the scenes are drawn from; the full world where left out.
        pairs: ``held-out``: every edit makes an object such as training never shows.
        progress: Told the done share of the scenes.

    Raises:
        InvalidInput: A number is out of range, held-out pairs are asked for in training, the folder
            holds something else or cannot be written.
    """
    place = check_folder(folder)
    settings = settings or FlatSettings()
    if not 1 <= count <= MOST:
        raise InvalidInput(f"a folder of {count} scenes", hint=f"Take 1 to {MOST}.")
    if seed < 0:
        raise InvalidInput(f"the seed {seed} is negative", hint="Take 0 or more.")
    check_size(size)
    check_split(split)
    if split == "train" and "held-out" in (pairs, settings.pairs):
        raise InvalidInput(
            "held-out pairs are not for training", hint="Take the validation or the test split."
        )
    written = WrittenScenes(folder=place, count=count, split=split, seed=seed, size=size)
    asked = _asked(written, settings, pairs)
    if held(place, RECORD, asked) is not None:
        return written
    tasks = _MAKING if pairs == "held-out" else TASKS
    with published(place) as partial:
        with (partial / LINES).open("w", encoding="utf-8") as lines:
            for start in range(0, count, _BATCH):
                scenes = sample_scenes(
                    split,
                    seed=seed,
                    start=start,
                    count=min(_BATCH, count - start),
                    settings=settings,
                )
                for line in _write_batch(partial, edits(scenes, tasks=tasks, pairs=pairs), size):
                    lines.write(json.dumps(line) + "\n")
                progress("render", (start + len(scenes)) / count)
        write_record(partial, RECORD, asked)
    return written


def picture_name(number: int) -> str:
    """Return the file name of a scene's pictures, counted from 0."""
    return f"{number:05d}.png"


def _write_batch(folder: Path, batch: Edits, size: int) -> list[dict[str, Any]]:
    pictures = {
        "pictures": render(batch.before, size=size),
        "edited": render(batch.after, size=size),
    }
    masks = {
        "regions": region_masks(batch, size=size),
        "targets": target_masks(batch, size=size),
    }
    before, after = (object_masks(scenes, size=size) for scenes in (batch.before, batch.after))
    lines = []
    for row, case in enumerate(batch.cases):
        name = picture_name(int(batch.before.index[row]))
        for kind, shown in pictures.items():
            write_png(folder / kind / name, to_bytes(shown[row]))
        for kind, mask in masks.items():
            # rounded up, so that what is touched at all is never 0
            write_png(folder / kind / name, np.ceil(mask[row] * 255).astype(np.uint8))
        lines.append(
            {
                "picture": f"pictures/{name}",
                "edited": f"edited/{name}",
                "region": f"regions/{name}",
                "target": f"targets/{name}",
                "caption": case.source_caption,
                "edited_caption": case.target_caption,
                "instruction": case.instruction,
                "task": case.task,
                "kind": case.kind,
                "phrase": case.phrase,
                "new": case.new,
                "side": case.side,
                "changed": case.number,
                "objects": _objects(batch.before, row, before[row]),
                "objects_after": _objects(batch.after, row, after[row]),
                "ground": batch.before.ground_name(row),
                "ground_after": case.ground,
            }
        )
    return lines


def _objects(scenes: Scenes, row: int, masks: Float32[np.ndarray, "4 h w"]) -> list[dict[str, Any]]:
    return [
        {
            "colour": thing.colour,
            "shape": thing.shape,
            "pattern": thing.pattern,
            "size": "big" if thing.big else "small",
            "x": round(thing.x, 4),
            "y": round(thing.y, 4),
            "radius": round(thing.radius, 4),
            "box": _box(masks[slot]),
        }
        for slot, thing in zip(scenes.slots(row), scenes.things(row), strict=True)
    ]


def _box(mask: Float32[np.ndarray, "h w"]) -> list[int]:
    """Return the box of what is covered by half or more: left, top, right, bottom, half-open."""
    rows, columns = np.nonzero(mask >= 0.5)
    left, top, right, bottom = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    return [int(left), int(top), int(right), int(bottom)]


def _asked(written: WrittenScenes, settings: FlatSettings, pairs: Pairs) -> dict[str, Any]:
    """Return all that decides what is written, as JSON gives it back."""
    asked = {**asdict(written), "settings": asdict(settings), "edits": pairs}
    del asked["folder"]
    asked["settings"]["shapes"] = list(settings.shapes)
    return {"form": _FORM, "world": "flat", **asked}
