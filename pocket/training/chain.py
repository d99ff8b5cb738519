"""Scoring what is shipped by production code: from a phrase to a box to a mask."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from image_core.grounding.grounding_dino import GroundingDinoConfig
from image_core.instructions import RulesConfig
from image_core.segmentation.sam import SamConfig
from image_core.types import Mask
from pocket.flat.render import object_masks, render
from pocket.flat.scenes import Scenes
from pocket.flat.settings import FlatSettings
from pocket.flat.words import NOUNS
from pocket.training.auc import area_under_curve
from pocket.training.phrases import absent_pairs
from pocket.training.pictures import EASY, HARD, validation_scenes

_SCENES = 64
_FROM = 3000  # scenes that no training was scored by


@dataclass(frozen=True, kw_only=True)
class ChainScores:
    """How well phrases lead to masks.

    Attributes:
        easy: Mean IoU over scenes of one or two objects; a refusal counts 0.
        hard: Of one to four.
        auc: Chance that a phrase for an object that is there scores above one for none, over both.
        refused: Share of phrases for none that lead to nothing.
    """

    easy: float
    hard: float
    auc: float
    refused: float


def chain_scores(folder: Path, *, device: str) -> ChainScores:
    """Run Grounding DINO and SAM of a folder on validation scenes.

    Raises:
        MissingWeights: One of them is not there.
    """
    grounder = GroundingDinoConfig(model=str(folder / "grounding-dino"), device=device).build()
    segmenter = SamConfig(model=str(folder / "sam"), device=device).build()
    language = RulesConfig().build()

    def asked(picture: np.ndarray, phrase: str) -> tuple[float, Mask | None]:
        step = language.parse(f"remove the {phrase}").steps[0]
        found = grounder.ground([picture], step)[0]
        sure = [one for one in found if one.score >= grounder.min_confidence]
        best = found[0].score if found else 0.0
        regions = segmenter.segment([picture], [sure[:1]])[0]
        return best, regions[0].alpha if regions else None

    present: list[float] = []
    absent: list[float] = []
    refused: list[bool] = []

    def over(settings: FlatSettings) -> float:
        scenes = validation_scenes(_SCENES, start=_FROM, settings=settings)
        pictures, masks = render(scenes), object_masks(scenes)
        random = np.random.default_rng(_FROM)
        ious = []
        for row, picture in enumerate(pictures):
            slot = scenes.slots(row)[int(random.integers(len(scenes.slots(row))))]
            score, mask = asked(picture, _pair(scenes, row, slot))
            present.append(score)
            ious.append(0.0 if mask is None else _overlap(mask > 0.5, masks[row, slot] > 0.5))
            wrong = absent_pairs(scenes.things(row))
            score, mask = asked(picture, " ".join(wrong[int(random.integers(len(wrong)))]))
            absent.append(score)
            refused.append(mask is None)
        return float(np.mean(ious))

    easy, hard = over(EASY), over(HARD)
    return ChainScores(
        easy=easy,
        hard=hard,
        auc=area_under_curve(np.array(present), np.array(absent)),
        refused=float(np.mean(refused)),
    )


def _pair(scenes: Scenes, row: int, slot: int) -> str:
    thing = scenes.thing(row, slot)
    return f"{thing.colour} {NOUNS[thing.shape][0]}"


def _overlap(one: np.ndarray, other: np.ndarray) -> float:
    return float((one & other).sum() / max(1, (one | other).sum()))
