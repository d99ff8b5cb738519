"""What every editor must keep, held over all operators, and that the check itself finds cheats."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from image_core.editors import ClassicConfig
from image_core.errors import EditCancelled, UnsupportedEdit
from image_core.testing import STEPS, batch_of, check_editor, scene
from image_core.types import Capabilities, Edit, EditBatch, EditStep

TONES = [replace(STEPS["tone"], operation=name) for name in ("contrast", "saturation", "warmth")]
FILTERS = [
    replace(STEPS["filter"], operation=name)
    for name in ("sharpen", "pixelate", "grayscale", "sepia", "invert")
]
PATTERNS = [
    replace(STEPS["texture"], value=value) for value in ("black and white checks", "blue dots")
]
COLOURS = [replace(STEPS["recolor"], value=value) for value in ("white", "black", "#30e060")]


@pytest.mark.parametrize("kind", sorted(ClassicConfig().build().capabilities.kinds))
def test_the_classic_editor_keeps_the_contract_for_each_kind(kind: str) -> None:
    check_editor(ClassicConfig().build(), kinds=[kind])  # type: ignore[list-item]


@pytest.mark.parametrize(
    "step", TONES + FILTERS + PATTERNS + COLOURS, ids=lambda step: step.operation + step.value
)
def test_the_classic_editor_keeps_the_contract_for_each_operator(step: EditStep) -> None:
    check_editor(ClassicConfig().build(), steps=[step])


def test_the_classic_editor_keeps_the_contract_with_a_reference_texture(tmp_path: Path) -> None:
    tile = np.random.default_rng(4).integers(0, 255, (20, 30, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "tile.png"), tile)
    editor = ClassicConfig(reference=str(tmp_path / "tile.png")).build()
    check_editor(editor, steps=[replace(STEPS["texture"], value="brick")])


@pytest.mark.parametrize("kind", sorted(set(STEPS) - ClassicConfig().build().capabilities.kinds))
def test_the_classic_editor_refuses_other_kinds_before_any_work(kind: str) -> None:
    image, alpha = scene()
    with pytest.raises(UnsupportedEdit):
        ClassicConfig().build().prepare(STEPS[kind], [batch_of([image], [alpha])])


def test_a_cancelled_edit_says_so() -> None:
    image, alpha = scene()
    work = batch_of([image], [alpha])
    prepared = ClassicConfig().build().prepare(STEPS["remove"], [work])
    with pytest.raises(EditCancelled):
        prepared.edit(replace(work, cancelled=lambda: True))


class Darken:
    """A plug-in as short as they come, with room for a fault."""

    capabilities = Capabilities(kinds=frozenset({"tone"}))
    pointwise = True

    def prepare(self, step: EditStep, reference: Iterable[EditBatch]) -> Darken:
        for _ in reference:
            pass
        return self

    def edit(self, work: EditBatch) -> Edit:
        factor = np.float32(1 - 0.5 * work.strength)
        pairs = zip(work.images, work.regions, strict=True)
        return Edit(
            images=[
                np.where(region.alpha[..., None] > 0, np.clip(image, 0, 1) * factor, image)
                for image, region in pairs
            ]
        )

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        del state


class EditsEverywhere(Darken):
    """Allowed: the caller takes only what lies in the region."""

    def edit(self, work: EditBatch) -> Edit:
        factor = np.float32(1 - 0.5 * work.strength)
        return Edit(images=[np.clip(image, 0, 1) * factor for image in work.images])


class IgnoresStrength(Darken):
    def edit(self, work: EditBatch) -> Edit:
        return super().edit(replace(work, strength=1.0))


class Random(Darken):
    def edit(self, work: EditBatch) -> Edit:
        made = super().edit(work)
        noise = np.random.default_rng().random((), np.float32) * np.float32(work.strength > 0)
        return replace(made, images=[image * (1 - 0.1 * noise) for image in made.images])


class WritesIntoItsArguments(Darken):
    def edit(self, work: EditBatch) -> Edit:
        for image in work.images:
            image *= np.float32(1 - 0.5 * work.strength)
        return Edit(images=[image.copy() for image in work.images])


class LosesAnImage(Darken):
    def edit(self, work: EditBatch) -> Edit:
        return replace(super().edit(work), images=[])


class GivesDoubles(Darken):
    def edit(self, work: EditBatch) -> Edit:
        made = super().edit(work)
        return Edit.__new__(Edit) if not made else _with(made, [np.float64(i) for i in made.images])


class StateIsNoJson(Darken):
    def state_dict(self) -> dict[str, Any]:
        return {"mean": np.float32(0.5)}


class ForgetsItsState(Darken):
    def __init__(self) -> None:
        self.mean = 0.0

    def prepare(self, step: EditStep, reference: Iterable[EditBatch]) -> Darken:
        super().prepare(step, reference)
        fresh = type(self)()
        fresh.mean = float(np.mean([b.images[0].mean() for b in reference] or [0.0]))
        return fresh

    def edit(self, work: EditBatch) -> Edit:
        return super().edit(replace(work, strength=work.strength * min(1.0, self.mean)))


class LeavesTheRange(Darken):
    def edit(self, work: EditBatch) -> Edit:
        made = super().edit(work)
        return replace(made, images=[image * 3 for image in made.images])


def _with(edit: Edit, images: list[np.ndarray]) -> Edit:
    object.__setattr__(edit, "images", images)  # what a run without type checks would let through
    return edit


@pytest.mark.parametrize("plug_in", [Darken, EditsEverywhere])
def test_a_short_plug_in_passes(plug_in: type[Darken]) -> None:
    check_editor(plug_in())


@pytest.mark.parametrize(
    ("cheat", "says"),
    [
        (IgnoresStrength, "strength 0 must leave the image"),
        (Random, "edited the same twice"),
        (WritesIntoItsArguments, "writes into its arguments"),
        (LosesAnImage, "gave back 0"),
        (GivesDoubles, "must be float32"),
        (StateIsNoJson, "not JSON-able"),
        (ForgetsItsState, "after load_state_dict"),
        (LeavesTheRange, "leave [0, 1]"),
    ],
)
def test_the_check_finds_a_broken_promise(cheat: type[Darken], says: str) -> None:
    with pytest.raises(AssertionError) as caught:
        check_editor(cheat())
    assert says in str(caught.value)


def test_the_check_refuses_kinds_that_are_not_declared() -> None:
    with pytest.raises(AssertionError, match="asked to check"):
        check_editor(Darken(), kinds=["remove"])
