"""The regions of a key frame, freed of what stays behind when their things move."""

from __future__ import annotations

from dataclasses import replace
from operator import is_

import numpy as np

from image_core.compositing import on_8_bit_grid
from image_core.segmentation.edges import dilated
from image_core.types import EditPlan, EditStep, Location, Region
from video.bare_keys import in_hand
from video.finding import ShotKey
from video.fine_alpha import fine_alpha, resized_alpha
from video.flow_types import Flows
from video.frames import Frames, ScaledFrames
from video.motion_evidence import motion_evidence, without_background
from video.pointing import Pointing

_BESIDE = 4  # px of the flow's size around what is taken away, where the edge is drawn anew
_OUTLINED = {"recolor", "tone", "filter", "texture", "style", "attribute", "remove"}


def freed_key(
    frames: Frames, flows: Flows, key: ShotKey, plan: EditPlan, pointing: Pointing
) -> ShotKey:
    """Return a key frame whose regions have lost what goes with the background.

    What the user marked by hand stays, and so does what is no thing's own outline. Where the thing
    or the camera does not move, or motion is unclear, nothing is changed.

    Args:
        frames: At full size.
        flows: Between them.
        key: What was found; it is returned itself where nothing is changed.
        plan: Its steps.
        pointing: What the user pointed at.
    """
    if in_hand(pointing) or len(key.span) < 2:
        return key
    regions = tuple(
        _freed(frames, flows, key, region) if _is_outline(step) else region
        for step, region in zip(plan.steps, key.location.regions, strict=True)
    )
    if all(map(is_, regions, key.location.regions)):
        return key
    location = Location(regions=regions, candidates=key.location.candidates)
    return replace(key, location=location)


def _is_outline(step: EditStep) -> bool:
    """Tell whether a step's region is the outline of one thing, which moves as one."""
    several = step.target.all or step.target.inverted
    return step.kind in _OUTLINED and not step.whole_image and not several


def _freed(frames: Frames, flows: Flows, key: ShotKey, region: Region) -> Region:
    small = resized_alpha(region.alpha, flows.size)
    evidence = motion_evidence(flows, key.span, key.index, small)
    picture = ScaledFrames(frames, flows.size, kept=1).rgb(key.index)
    gone = without_background(picture, small, evidence)
    if not gone.any():
        return region
    width, height = frames.size
    kept = fine_alpha(frames.rgb(key.index), (small > 0.5) & ~gone)
    beside = dilated(gone, _BESIDE).astype(np.float32)
    near = resized_alpha(beside, (width, height)) > 0
    alpha = np.where(near, np.minimum(region.alpha, kept), region.alpha)
    if not (alpha > 0.5).any():
        return region
    said = f"{region.evidence}; without what stays when it moves"
    return replace(region, alpha=on_8_bit_grid(alpha.astype(np.float32)), evidence=said)
