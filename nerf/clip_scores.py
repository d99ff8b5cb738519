"""What CLIP says of an edited scene: the two measures of the Instruct-NeRF2NeRF paper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from image_core.plan_record import plan_of_record
from image_core.types import EditPlan, Image
from nerf.rendered_run import LoadedViews
from nerf.run_record import RunRecord

if TYPE_CHECKING:
    from image_core.metrics.clip_direction import ClipDirection

_MODELS = ("clip-large", "clip")  # that of the paper first


def clip_scores(
    record: RunRecord | None, views: LoadedViews, model: str
) -> tuple[dict[str, float | str | None] | None, tuple[str, ...]]:
    """Score the renders of held-out views.

    Args:
        record: Of the edit; None where there is none.
        views: Whose renders are compared with their originals.
        model: A CLIP by name or folder; ``auto`` for one that is here, ``none`` for no score.

    Returns:
        ``direction``, the mean cosine between the pictures' change and the captions' change, and
        ``consistency``, the mean cosine between the changes of successive views; None where they
        cannot be had, and notes that say why.

    Raises:
        MissingWeights: A model that was named is not on this machine.
    """
    if model == "none" or record is None:
        return None, ()
    captions = _captions(plan_of_record(record.plan))
    if captions is None:
        return None, ("no CLIP scores: the plan has no captions to compare with",)
    name = _present(model)
    if name is None:
        return None, ("no CLIP scores: no CLIP is here (insitu models pull clip)",)
    from image_core.devices import placement
    from image_core.metrics.clip_direction import ClipDirection

    scorer = ClipDirection.loaded(name, placement())
    originals = [views.original(index) for index in range(len(views))]
    shown = [views.rendered(index).rgb for index in range(len(views))]
    directions = scorer.scores(originals, shown, *captions)
    return {
        "model": name,
        "direction": float(np.mean(directions)),
        "consistency": _consistency(scorer, originals, shown),
    }, ()


def _consistency(
    scorer: ClipDirection, originals: Sequence[Image], shown: Sequence[Image]
) -> float | None:
    """Return the mean cosine between the edits' directions in successive views."""
    from image_core.metrics.clip_direction import directional_similarity

    if len(shown) < 2:
        return None
    change = scorer.embedded(shown) - scorer.embedded(originals)
    return float(directional_similarity(change[:-1], change[1:]).mean())


def _captions(plan: EditPlan) -> tuple[str, str] | None:
    """Return what the scene shows before and after all steps, where the plan says it."""
    before, after = plan.steps[0].source_caption, plan.steps[-1].edited_caption
    return (before, after) if before and after else None


def _present(model: str) -> str | None:
    from image_core.weights import is_present

    if model != "auto":
        return model
    return next((name for name in _MODELS if is_present(name)), None)
