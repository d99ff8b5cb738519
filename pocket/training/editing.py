"""Scoring edited pictures in training: strictly, by what can be measured in them."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32

from pocket.flat.edits import Edits, edits, region_masks
from pocket.flat.instructions import TASKS
from pocket.flat.render import render
from pocket.flat.success import expectation, success
from pocket.training.pictures import EASY, validation_scenes

_EDITS = 60


def scored_edits() -> Edits:
    """Return the validation edits that trainings are scored by: one or two objects, all tasks."""
    return edits(validation_scenes(_EDITS, start=2000, settings=EASY))


def edit_scores(batch: Edits, pictures: Float32[np.ndarray, "n h w 3"]) -> dict[str, float]:
    """Return shares of edits that came out right, over all and by task, and the error outside.

    Args:
        batch: The edits.
        pictures: What was made of them.

    Returns:
        ``right``, ``right_TASK`` for each task that occurs, and ``outside``: the mean absolute
        error where nothing was to change.
    """
    verdicts = [
        success(picture, expectation(case)).right
        for picture, case in zip(pictures, batch.cases, strict=True)
    ]
    scores = {"right": float(np.mean(verdicts))}
    for task in TASKS:
        own = [
            right for right, case in zip(verdicts, batch.cases, strict=True) if case.task == task
        ]
        if own:
            scores[f"right_{task}"] = float(np.mean(own))
    outside = region_masks(batch) == 0
    apart = np.abs(pictures - render(batch.before)).mean(axis=3)
    scores["outside"] = float(apart[outside].mean())
    return scores
