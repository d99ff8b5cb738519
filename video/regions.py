"""The regions of a plan's steps in all frames of a shot, carried from its key frame."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from image_core.receipt import sha256
from image_core.types import EditPlan, Mask, Region, no_progress
from video.between import carry_between
from video.clip import Clip
from video.finding import ShotKey
from video.flow_store import FlowStore
from video.mask_store import MaskStore
from video.propagate import CarriedFrame, carry
from video.settings import VideoSettings
from video.workplace import measures_folder

_TRUST = "trust.jsonl"


@dataclass(frozen=True, kw_only=True)
class StepRegion:
    """Where one step of a plan applies in the frames of a span.

    Attributes:
        key: The region in the key frame; its confidence and evidence hold for all frames.
        name: A hash of all that the alphas depend on.
        alphas: Each frame's own, empty where the target is not seen; None for a step that means the
            whole picture.
        trust: The share of each frame's region whose motion is confirmed back and forth.
    """

    key: Region
    name: str = ""
    alphas: Mapping[int, Mask] | None
    trust: Mapping[int, float] = field(default_factory=dict)

    def at(self, index: int) -> Region:
        """Return the region in a frame."""
        alpha = self.key.alpha if self.alphas is None else self.alphas[index]
        return Region(alpha=alpha, confidence=self.key.confidence, evidence=self.key.evidence)


def carried_regions(
    clip: Clip,
    flows: FlowStore,
    key: ShotKey,
    plan: EditPlan,
    settings: VideoSettings,
    *,
    progress: Callable[[str, float], None] = no_progress,
) -> list[StepRegion]:
    """Carry each step's region from the key frame to all frames of its span.

    What was carried is kept by content: steps with one region share it, and so do later
    instructions about the same thing; after an interruption it is gone on with.

    Args:
        clip: The frames.
        flows: Between them.
        key: The key frame and its regions.
        plan: Its steps.
        settings: How they are carried.
        progress: Told the stage "carry".
    """
    made: list[StepRegion] = []
    for number, (step, region) in enumerate(zip(plan.steps, key.location.regions, strict=True)):
        if step.whole_image:
            made.append(StepRegion(key=region, alphas=None))
            continue
        place = _place(clip, flows, key, number, settings)
        store = MaskStore(place)
        for carried in _carried(clip, flows, key, number, store, settings, progress):
            alpha = carried.alpha if carried.alpha is not None else np.zeros_like(region.alpha)
            _note(place, carried)
            store.keep(carried.index, alpha)
        notes = _read_notes(place)
        made.append(StepRegion(key=region, name=place.name, alphas=store, trust=notes))
    return made


def regions_name(regions: Sequence[StepRegion]) -> str:
    """Return a text that is the same for the same regions."""
    return " ".join(region.name for region in regions)


def _place(
    clip: Clip, flows: FlowStore, key: ShotKey, number: int, settings: VideoSettings
) -> Path:
    """Return where a region's alphas are kept: by all that they depend on."""
    known = {key.index: key.location, **key.given}
    alphas = [
        (index, sha256(location.regions[number].alpha.tobytes()))
        for index, location in sorted(known.items())
    ]
    return measures_folder(
        "region",
        clip.info.sha256,
        flows.path(0).parent.name,  # itself a hash of how motion was measured
        repr((key.span, key.index, alphas, settings.carry)),
    )


def _carried(
    clip: Clip,
    flows: FlowStore,
    key: ShotKey,
    number: int,
    store: MaskStore,
    settings: VideoSettings,
    progress: Callable[[str, float], None],
) -> Iterator[CarriedFrame]:
    region = key.location.regions[number].alpha
    if key.given:
        masks = {index: location.regions[number].alpha for index, location in key.given.items()}
        masks[key.index] = region
        return carry_between(
            clip,
            flows,
            key.span,
            masks,
            settings=settings.carry,
            done=store,
            progress=progress,
        )
    return carry(
        clip,
        flows,
        key.span,
        key.index,
        region,
        settings=settings.carry,
        done=store,
        progress=progress,
    )


def _note(folder: Path, carried: CarriedFrame) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _TRUST).open("a") as file:
        file.write(json.dumps([carried.index, round(carried.trust, 4)]) + "\n")


def _read_notes(folder: Path) -> dict[int, float]:
    found: dict[int, float] = {}
    with contextlib.suppress(OSError):
        for line in (folder / _TRUST).read_text().splitlines():
            with contextlib.suppress(ValueError):  # the last line of a killed process
                index, trust = json.loads(line)
                found[index] = trust
    return found
