"""The outline of what is removed, as it is carried from frame to frame.

A hole is larger than the thing; carried as if it were the thing, it would take what passes in front
for a part of it. So the thing is outlined once more without its hole's margin.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from image_core.compositing import on_8_bit_grid
from image_core.errors import InsituError
from image_core.local_editor import LocalEditor
from image_core.segmentation import with_supports
from image_core.types import EditPlan, Image, Location, Mask, RegionHint
from video.finding import ShotKey
from video.pointing import Pointing

_SOLID = 0.5  # alpha from which a pixel is the thing's


def in_hand(pointing: Pointing) -> bool:
    """Tell whether the user gave masks, which may not grow."""
    return bool(pointing.masks) or (pointing.hint is not None and pointing.hint.mask is not None)


def bare_key(editor: LocalEditor, plan: EditPlan, key: ShotKey, pointing: Pointing) -> ShotKey:
    """Return a key frame with the things' own outlines instead of their holes.

    Args:
        editor: Locates.
        plan: Its steps are removals.
        key: What was found.
        pointing: What the user pointed at; masks stay as they are.

    Raises:
        InsituError: The things can't be located.
    """
    if in_hand(pointing):
        return key
    # the same sought, as for an edit that keeps outlines
    steps = tuple(replace(step, kind="recolor") for step in plan.steps)
    outcome = editor.locate([key.image], replace(plan, steps=steps), [pointing.hint])[0]
    if isinstance(outcome, InsituError):
        raise outcome
    regions = tuple(
        replace(region, alpha=_standing(key.image, region.alpha, pointing.hint))
        for region in outcome.regions
    )
    return replace(key, location=Location(regions=regions, candidates=outcome.candidates))


def _standing(image: Image, alpha: Mask, hint: RegionHint | None) -> Mask:
    """Add what a thing that was found by its name stands on: it goes with it."""
    if hint is None:
        alpha = np.maximum(alpha, with_supports(image, alpha > _SOLID)).astype(np.float32)
    return on_8_bit_grid(alpha)
