"""A checkpoint's safety checker is heeded, its refusal passed on, and nothing is given out."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import torch

from image_core.devices import placement
from image_core.diffusion.safety import SafetyChecker
from image_core.editors.masked_ddim import InstructEditConfig
from image_core.errors import EditFailed, MissingWeights
from image_core.evaluations import counting
from image_core.testing import STEPS, batch_of, scene
from image_core.testing.miniature.clip import add_safety_checker
from image_core.testing.miniature.stable_diffusion import write_stable_diffusion
from image_core.types import Edit


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return write_stable_diffusion(tmp_path_factory.mktemp("weights") / "plain")


@pytest.fixture(scope="module")
def strict(plain: Path) -> Path:
    copy = shutil.copytree(plain, plain.parent / "strict")
    return add_safety_checker(copy, flags=True)


@pytest.fixture(scope="module")
def lenient(plain: Path) -> Path:
    copy = shutil.copytree(plain, plain.parent / "lenient")
    return add_safety_checker(copy, flags=False)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSITU_CACHE", str(tmp_path / "cache"))


def edited(folder: Path, **options: Any) -> Edit:
    config = InstructEditConfig(
        model=str(folder), steps=2, resolution=32, crop="none", device="cpu", **options
    )
    image, alpha = scene(32, 32)
    return config.build().prepare(STEPS["replace"], ()).edit(batch_of([image], [alpha]))


def test_a_picture_that_the_checker_flags_is_refused_as_such(strict: Path) -> None:
    with pytest.raises(EditFailed, match="safety checker refused") as caught:
        edited(strict)
    assert "Nothing was written" in caught.value.hint


def test_switched_off_it_is_not_asked(strict: Path, plain: Path) -> None:
    made = edited(strict, safety_checker="off")
    assert "safety checker" not in made.rows
    np.testing.assert_array_equal(made.images[0], edited(plain).images[0])


def test_a_checker_that_flags_nothing_changes_nothing_but_the_count(
    lenient: Path, plain: Path
) -> None:
    made, without = edited(lenient), edited(plain)
    np.testing.assert_array_equal(made.images[0], without.images[0])
    assert made.rows == {**without.rows, "safety checker": 1}


def test_a_checkpoint_without_a_checker_has_none(plain: Path) -> None:
    assert SafetyChecker.of(plain, placement("cpu"), "auto") is None


def test_the_pictures_that_are_checked_stay_as_they_are(strict: Path) -> None:
    checker = SafetyChecker.of(strict, placement("cpu"), "auto")
    assert checker is not None
    images = [scene(24, 40)[0], scene(24, 40, seed=1)[0]]
    kept = [image.copy() for image in images]
    with counting() as rows, pytest.raises(EditFailed):
        checker.check(images)
    assert rows["safety checker"] == 2
    for image, before in zip(images, kept, strict=True):
        np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("size", [(3, 40), (1, 1), (40, 3)])
def test_thin_and_broken_pictures_are_checked_too(lenient: Path, size: tuple[int, int]) -> None:
    checker = SafetyChecker.of(lenient, placement("cpu"), "auto")
    assert checker is not None
    checker.check([np.full((*size, 3), np.nan, np.float32), scene(*size)[0]])


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_checker_stored_in_16_bits_is_heeded_whatever_the_networks_compute_in(
    plain: Path, tmp_path: Path, dtype: Any
) -> None:
    folder = add_safety_checker(shutil.copytree(plain, tmp_path / "sd"), flags=True, half=True)
    checker = SafetyChecker.of(folder, placement("cpu", dtype), "auto")
    assert checker is not None
    with pytest.raises(EditFailed, match="safety checker refused"):
        checker.check([scene(32, 32)[0]])


def test_a_checker_whose_weights_are_gone_is_not_passed_over(strict: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(strict, tmp_path / "torn")
    (folder / "safety_checker" / "model.safetensors").unlink()
    with pytest.raises(MissingWeights):
        edited(folder)


def test_a_checker_without_its_image_processor_is_not_passed_over(
    strict: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(strict, tmp_path / "torn")
    shutil.rmtree(folder / "feature_extractor")
    with pytest.raises(MissingWeights):
        edited(folder)
