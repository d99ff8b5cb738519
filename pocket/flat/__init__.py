"""A flat world for miniature models: scenes as parameters, edits with exact truth, a strict reader.

::

    settings = FlatSettings()                    # all six shapes, up to four objects, seen pairs
    scenes = sample_scenes("train", seed=0, start=0, count=512, settings=settings)
    pictures = render(scenes, size=64)           # float32 (n, h, w, 3), sRGB in [0, 1]
    masks = object_masks(scenes, size=64)        # float32 (n, 4, h, w), shares of pixels
    words = caption(scenes, row, draw=3)         # "a big red ball and a blue star on a wavy …"

    batch = edits(scenes, draw=0)                # one edit a scene, of six tasks
    batch.cases[row]                             # instruction, phrase, captions, objects after
    render(batch.after)                          # the true edited pictures
    region_masks(batch), target_masks(batch)     # (n, h, w): what changes, what is pointed at

    measured = measure(picture)                  # objects and ground that a picture shows
    verdict = success(measured, expectation(batch.cases[row]))   # .objects strict, .right all

A scene depends on (split, seed, number, settings) alone, never on the batch that it is made in; the
streams ``train``, ``validation`` and ``test`` are disjoint. ``HELD_OUT`` lists (colour, shape)
pairs that no training picture, caption or edit contains: ``FlatSettings(pairs="held-out")`` draws
scenes that do, ``edits(…, pairs="held-out")`` edits, outside the training split. ``WORDS`` is the
closed vocabulary. ``scenes[3:7]`` and ``scenes[array]`` are batches again. The pictures before and
after an edit differ nowhere outside ``region_masks(batch) > 0``, to the last bit. Pictures that a
caption was drawn for are judged by ``shows(scenes, row, anywhere=True)``. Nothing needs torch.
"""

from __future__ import annotations

from pocket.flat.edits import EditCase, Edits, edits, region_masks, target_masks
from pocket.flat.folder import WrittenScenes, write_scenes
from pocket.flat.instructions import KINDS, TASKS, Task
from pocket.flat.measure import Measured, MeasuredThing, measure
from pocket.flat.phrases import caption
from pocket.flat.render import object_masks, render, to_bytes
from pocket.flat.sampling import sample_scenes
from pocket.flat.scenes import FlatThing, Scenes
from pocket.flat.settings import SPLITS, FlatSettings, Split
from pocket.flat.success import Expectation, Verdict, expectation, shows, success
from pocket.flat.words import COLOURS, GROUNDS, HELD_OUT, NOUNS, PATTERNS, SHAPES, WORDS

__all__ = [
    "COLOURS",
    "GROUNDS",
    "HELD_OUT",
    "KINDS",
    "NOUNS",
    "PATTERNS",
    "SHAPES",
    "SPLITS",
    "TASKS",
    "WORDS",
    "EditCase",
    "Edits",
    "Expectation",
    "FlatSettings",
    "FlatThing",
    "Measured",
    "MeasuredThing",
    "Scenes",
    "Split",
    "Task",
    "Verdict",
    "WrittenScenes",
    "caption",
    "edits",
    "expectation",
    "measure",
    "object_masks",
    "region_masks",
    "render",
    "sample_scenes",
    "shows",
    "success",
    "target_masks",
    "to_bytes",
    "write_scenes",
]
