"""What every grounder must keep, held over all of ours, and that the check itself finds cheats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from image_core.grounding import ClassicGrounderConfig
from image_core.seams import Grounder
from image_core.testing.grounders import STEP, check_grounder
from image_core.types import Detection, EditStep, Image, Target

TARGETS = [
    replace(STEP.target, phrase="left orange disc", places=("left",)),
    Target(phrase="background", noun="background"),
    Target(phrase="second disc from the right", noun="disc", ordinal=2, ordinal_from="right"),
    Target(phrase="biggest disc next to the chair", noun="disc", relation="next to the chair"),
    Target(phrase="discs", noun="disc", all=True),
    Target(phrase="sky", noun="sky"),
]


@pytest.mark.parametrize("target", TARGETS[:2], ids=lambda target: target.phrase)
def test_the_classic_grounder_keeps_the_contract(target: Target) -> None:
    check_grounder(ClassicGrounderConfig().build(), step=replace(STEP, target=target))


@pytest.fixture(scope="module")
def grounding_dino(tmp_path_factory: pytest.TempPathFactory) -> Grounder:
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from image_core.grounding.grounding_dino import GroundingDinoConfig
    from image_core.testing.miniature.grounding import write_grounding_dino

    folder = write_grounding_dino(tmp_path_factory.mktemp("dino"))
    return GroundingDinoConfig(model=str(folder), device="cpu").build()


@pytest.fixture(scope="module")
def sam3(tmp_path_factory: pytest.TempPathFactory) -> Grounder:
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from image_core.grounding.sam3 import Sam3Config
    from image_core.testing.miniature.grounding import write_sam3

    folder = write_sam3(tmp_path_factory.mktemp("sam3"))
    return Sam3Config(model=str(folder), threshold=0.1, device="cpu").build()


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.phrase)
def test_grounding_dino_keeps_the_contract(grounding_dino: Grounder, target: Target) -> None:
    check_grounder(grounding_dino, step=replace(STEP, target=target), tolerance=2e-3)


@pytest.mark.parametrize("target", TARGETS[:4], ids=lambda target: target.phrase)
def test_sam3_keeps_the_contract(sam3: Grounder, target: Target) -> None:
    check_grounder(sam3, step=replace(STEP, target=target), tolerance=2e-3)


def test_the_authors_grounding_dino_keeps_the_contract(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("groundingdino", reason="groundingdino-py is not installed")
    from image_core.grounding.groundingdino_py import GroundingDinoPyConfig
    from image_core.testing.miniature.grounding import write_groundingdino_py

    folder = write_groundingdino_py(tmp_path)
    config = GroundingDinoPyConfig(
        model=str(folder / "tiny.pth"),
        settings=str(folder / "settings.py"),
        text_model=str(folder / "bert"),
        shortest=64,
        longest=128,
        device="cpu",
    )
    check_grounder(config.build(), tolerance=2e-3)


class Middle:
    """A grounder as short as they come, with room for a fault."""

    def ground(self, images: Sequence[Image], step: EditStep) -> list[list[Detection]]:
        if not step.target.phrase:
            return [[] for _ in images]
        return [self._look(image) for image in images]

    def _look(self, image: Image) -> list[Detection]:
        height, width = image.shape[:2]
        return [Detection(box=(0.0, 0.0, float(width), float(height)), evidence="all of it")]


class LeavesThePicture(Middle):
    def _look(self, image: Image) -> list[Detection]:
        return [Detection(box=(0.0, 0.0, image.shape[1] + 1.0, 1.0), evidence="too far")]


class WorstFirst(Middle):
    def _look(self, image: Image) -> list[Detection]:
        best = super()._look(image)[0]
        return [replace(best, score=0.2), best]


class SaysNothing(Middle):
    def _look(self, image: Image) -> list[Detection]:
        return [replace(super()._look(image)[0], evidence="")]


class FindsWhatIsNotNamed(Middle):
    def ground(self, images: Sequence[Image], step: EditStep) -> list[list[Detection]]:
        return [self._look(image) for image in images]


class LooksAtItsNeighbours(Middle):
    def ground(self, images: Sequence[Image], step: EditStep) -> list[list[Detection]]:
        rows = super().ground(images, step)
        return [[replace(found, score=1 / len(images)) for found in row] for row in rows]


class WritesIntoItsArguments(Middle):
    def _look(self, image: Image) -> list[Detection]:
        image *= np.float32(1)
        return super()._look(image)


def test_a_short_grounder_passes() -> None:
    check_grounder(Middle())


@pytest.mark.parametrize(
    ("cheat", "says"),
    [
        (LeavesThePicture, "leaves the picture"),
        (WorstFirst, "best first"),
        (SaysNothing, "must say why"),
        (FindsWhatIsNotNamed, "names nothing"),
        (LooksAtItsNeighbours, "one by one"),
        (WritesIntoItsArguments, "writes into its arguments"),
    ],
)
def test_the_check_finds_a_broken_promise(cheat: type[Middle], says: str) -> None:
    with pytest.raises(AssertionError, match=says):
        check_grounder(cheat())
