"""The edit's controls in the viewer: pause, restart with other words, and words that fail."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("nerfstudio", reason="the extra insitu[nerf] is not installed")

import nerf_runs

from pocket import write_capture


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("viewer") / "capture"
    write_capture(folder, views=8, width=96, height=72)
    return folder


@pytest.fixture
def trainer(capture: Path, tmp_path: Path) -> Any:
    """A run that is set up, before its first step."""
    return nerf_runs.trainer_for(nerf_runs.config_for(capture, tmp_path, reconstruct_steps=0))


def views_of(trainer: Any) -> np.ndarray:
    batch = trainer.pipeline.datamanager._cache()
    return np.rint(batch["image"].numpy() * 255).astype(np.uint8)


def changed(trainer: Any) -> np.ndarray:
    """Return where each view differs from its original (n, h, w)."""
    originals = trainer.pipeline.datamanager.originals
    return (views_of(trainer) != originals).any(axis=-1)


def test_no_view_is_edited_while_the_edit_is_paused(trainer: Any) -> None:
    pipeline = trainer.pipeline
    pipeline.controls.pause.value = True
    pipeline.edit_before(0)
    assert not changed(trainer).any()
    pipeline.controls.pause.value = False
    pipeline.edit_before(1)
    assert changed(trainer).any(axis=(1, 2)).all()


def test_a_restart_edits_the_originals_by_the_words_in_the_viewer(trainer: Any) -> None:
    pipeline = trainer.pipeline
    pipeline.edit_before(0)
    first = changed(trainer)
    pipeline.controls.instruction.value = "make the green cone red"
    pipeline.controls.ask_for_restart()
    pipeline.edit_before(5)
    second = changed(trainer)
    assert second.any()
    assert not (first & second).any(), "the first edit is gone"
    assert pipeline.datamanager.record["instruction"] == "make the green cone red"
    pipeline.edit_before(6)
    assert np.array_equal(changed(trainer), second), "one restart for one press"


def test_words_that_lead_nowhere_leave_the_edit_as_it_was(trainer: Any) -> None:
    pipeline = trainer.pipeline
    pipeline.edit_before(0)
    before, record = views_of(trainer), pipeline.datamanager.record
    for words in ("make the zebra blue", "frobnicate"):
        pipeline.controls.instruction.value = words
        pipeline.controls.ask_for_restart()
        pipeline.edit_before(5)
        assert np.array_equal(views_of(trainer), before)
        assert pipeline.datamanager.record == record


def test_a_strength_that_is_no_number_is_refused_and_one_that_is_is_used(trainer: Any) -> None:
    pipeline = trainer.pipeline
    pipeline.edit_before(0)
    full = views_of(trainer).astype(int)
    pipeline.controls.strength.value = "half"
    pipeline.controls.ask_for_restart()
    pipeline.edit_before(1)
    assert np.array_equal(views_of(trainer), full)
    pipeline.controls.strength.value = "0.5"
    pipeline.controls.ask_for_restart()
    pipeline.edit_before(2)
    originals = pipeline.datamanager.originals.astype(int)
    half = views_of(trainer).astype(int)
    assert 0 < np.abs(half - originals).sum() < np.abs(full - originals).sum()
