"""A checkpoint is there as a whole, or the one before it is; nothing loads as random weights."""

from __future__ import annotations

import contextlib
import itertools
import logging
import multiprocessing
import os
import random
import resource
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from image_core.errors import InvalidInput  # noqa: E402
from nerf.checkpoints import (  # noqa: E402
    check_state,
    keep_newest,
    latest_loadable,
    random_state,
    restore_random_state,
    save_atomically,
)


def _state(step: int) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(step)
    return {
        "step": step,
        "pipeline": {"_model.grid": torch.rand(64, 2, generator=generator)},
        "schedulers": {"fields": {"_last_lr": [np.float64(0.01)]}},  # as nerfstudio's has it
    }


def _path(folder: Path, step: int) -> Path:
    return folder / f"step-{step:09d}.ckpt"


def _run(folder: Path, *steps: int) -> Path:
    models = folder / "run" / "nerfstudio_models"
    for step in steps:
        save_atomically(_state(step), _path(models, step))
    return models


def _everything(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@contextlib.contextmanager
def _files_end_at(size: int) -> Iterator[None]:
    """No file may grow beyond ``size`` bytes, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_saved_checkpoint_loads_with_weights_only_and_numpy_numbers(tmp_path: Path) -> None:
    models = _run(tmp_path, 7)
    path, state = latest_loadable(models)
    assert path == _path(models, 7)
    assert state["step"] == 7
    assert torch.equal(state["pipeline"]["_model.grid"], _state(7)["pipeline"]["_model.grid"])
    rate = state["schedulers"]["fields"]["_last_lr"][0]
    assert isinstance(rate, np.float64)
    assert rate == 0.01
    assert _everything(tmp_path) == {"run/nerfstudio_models/step-000000007.ckpt"}


@pytest.mark.parametrize("limit", [0, 100, 1000, 2000])
def test_a_full_disk_leaves_the_older_checkpoint_and_nothing_else(
    tmp_path: Path, limit: int
) -> None:
    models = _run(tmp_path, 10)
    before = _everything(tmp_path)
    with pytest.raises(InvalidInput, match="step-000000020") as caught, _files_end_at(limit):
        save_atomically(_state(20), _path(models, 20))
    assert "larger than allowed" in str(caught.value)
    assert caught.value.hint
    assert _everything(tmp_path) == before
    assert latest_loadable(models)[1]["step"] == 10


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has this device")
def test_a_disk_without_space_is_named_so(tmp_path: Path) -> None:
    models = _run(tmp_path, 10)
    # the temporary file is in truth the device that is always full
    (models.parent / "insitu-0.part").symlink_to("/dev/full")
    with pytest.raises(InvalidInput, match="the disk is full"):
        save_atomically(_state(20), _path(models, 20))
    assert _everything(tmp_path) == {"run/nerfstudio_models/step-000000010.ckpt"}


def test_a_failure_while_packing_leaves_nothing_behind(tmp_path: Path) -> None:
    models = _run(tmp_path, 10)
    with pytest.raises(AttributeError):  # a local function can't be pickled
        save_atomically({"step": 20, "hook": lambda: None}, _path(models, 20))
    assert _everything(tmp_path) == {"run/nerfstudio_models/step-000000010.ckpt"}


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InvalidInput, match="file"):
        save_atomically(_state(1), _path(tmp_path / "file" / "models", 1))


def _save_for_ever(models: Path) -> None:
    for step in itertools.count():
        weights = torch.full((300_000,), float(step))
        save_atomically({"step": step, "weights": weights}, _path(models, step))
        keep_newest(models)


def test_every_checkpoint_of_a_killed_run_is_whole_and_all_names_are_numbers(
    tmp_path: Path,
) -> None:
    models = tmp_path / "run" / "nerfstudio_models"
    for kill in range(8):
        writer = multiprocessing.get_context("fork").Process(target=_save_for_ever, args=(models,))
        writer.start()
        try:
            while writer.is_alive() and not list(models.glob("step-*")):
                time.sleep(0.01)
            time.sleep(0.007 * kill)
        finally:
            writer.kill()
            writer.join()
        assert writer.exitcode == -signal.SIGKILL
        assert list(models.iterdir())
        for path in models.iterdir():
            step = int(path.name[path.name.find("-") + 1 : path.name.find(".")])
            state = latest_loadable(models, step)[1]
            assert state["step"] == step
            assert bool((state["weights"] == step).all())
            path.unlink()


def test_a_torn_checkpoint_falls_back_at_every_length(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    models = _run(tmp_path, 100, 200)
    whole = _path(models, 200).read_bytes()
    for length in [*range(0, len(whole), 37), len(whole) - 1]:
        _path(models, 200).write_bytes(whole[:length])
        caplog.clear()
        with caplog.at_level(logging.WARNING, "insitu.nerf"):
            path, state = latest_loadable(models)
        assert (path, state["step"]) == (_path(models, 100), 100)
        assert "step-000000200.ckpt" in caplog.text
    assert capfd.readouterr() == ("", "")


def test_overwritten_bytes_are_noticed_though_torch_would_load_them(tmp_path: Path) -> None:
    models = _run(tmp_path, 100, 200)
    whole = _path(models, 200).read_bytes()
    weights = _state(200)["pipeline"]["_model.grid"].numpy().tobytes()
    broken = bytearray(whole)
    broken[whole.index(weights) + 5] ^= 0x10
    _path(models, 200).write_bytes(bytes(broken))
    assert torch.load(_path(models, 200), weights_only=False)["step"] == 200
    assert latest_loadable(models)[1]["step"] == 100


def test_random_damage_falls_back_or_changes_nothing(tmp_path: Path) -> None:
    models = _run(tmp_path, 100, 200)
    whole = _path(models, 200).read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(200):
        broken = np.frombuffer(whole, np.uint8).copy()
        start = int(rng.integers(len(whole)))
        broken[start : start + int(rng.integers(1, 200))] = rng.integers(256)
        _path(models, 200).write_bytes(broken.tobytes())
        _, state = latest_loadable(models)
        expected = _state(state["step"])
        assert torch.equal(state["pipeline"]["_model.grid"], expected["pipeline"]["_model.grid"])


def test_a_named_step_loads_or_is_refused(tmp_path: Path) -> None:
    models = _run(tmp_path, 100, 200)
    assert latest_loadable(models, 100)[1]["step"] == 100
    with pytest.raises(InvalidInput, match="step 150") as missing:
        latest_loadable(models, 150)
    assert "200, 100" in missing.value.hint
    _path(models, 200).write_bytes(b"PK")
    with pytest.raises(InvalidInput, match="damaged or cut off"):
        latest_loadable(models, 200)


def test_without_any_whole_checkpoint_the_error_says_so(tmp_path: Path) -> None:
    models = _run(tmp_path, 100)
    _path(models, 100).write_bytes(b"")
    with pytest.raises(InvalidInput, match="damaged or cut off: step-000000100"):
        latest_loadable(models)
    _path(models, 100).unlink()
    with pytest.raises(InvalidInput, match="holds no checkpoint"):
        latest_loadable(models)
    with pytest.raises(InvalidInput, match="cannot list") as caught:
        latest_loadable(tmp_path / "nowhere")
    assert caught.value.hint


def test_files_with_other_names_are_left_out_of_account(tmp_path: Path) -> None:
    models = _run(tmp_path, 100, 200, 300)
    for name in ("notes.txt", "step-9.ckpt", "step-000000999.ckpt.bak", "insitu-0.part"):
        (models / name).write_bytes(b"mine")
    assert latest_loadable(models)[1]["step"] == 300
    keep_newest(models, 2)
    kept = {path.name for path in models.iterdir()}
    assert kept == {
        *("notes.txt", "step-9.ckpt", "step-000000999.ckpt.bak", "insitu-0.part"),
        *("step-000000200.ckpt", "step-000000300.ckpt"),
    }
    with pytest.raises(ValueError, match="at least one"):
        keep_newest(models, 0)


class _Foreign:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, ("exit 1",)


def test_a_pickle_of_code_is_refused_by_name_and_not_taken_for_torn(tmp_path: Path) -> None:
    models = _run(tmp_path, 100)
    torch.save({"step": 200, "payload": _Foreign()}, _path(models, 200))
    with pytest.raises(InvalidInput, match=r"is refused: .*system") as caught:
        latest_loadable(models)
    assert "foreign code" in caught.value.hint
    assert latest_loadable(models, 100)[1]["step"] == 100


def test_something_else_than_a_checkpoint_is_refused(tmp_path: Path) -> None:
    models = _run(tmp_path, 100)
    torch.save([1, 2, 3], _path(models, 200))
    with pytest.raises(InvalidInput, match="a list"):
        latest_loadable(models)


def _draws() -> list[float]:
    return [
        *(random.random() for _ in range(3)),
        *(random.gauss(0, 1) for _ in range(3)),
        *np.random.rand(3),
        *np.random.randn(3),
        *torch.rand(3).tolist(),
        *torch.randn(17).tolist(),
    ]


def test_the_random_state_goes_through_a_checkpoint_bit_for_bit(tmp_path: Path) -> None:
    before = random_state()
    try:
        random.seed(3)
        np.random.seed(4)
        torch.manual_seed(5)
        random.gauss(0, 1)
        np.random.randn()  # an odd number of draws: the second half of each pair waits
        save_atomically({"random": random_state()}, _path(tmp_path / "models", 1))
        expected = _draws()
        random.seed(13)
        np.random.seed(14)
        torch.manual_seed(15)
        assert _draws() != expected
        restore_random_state(latest_loadable(tmp_path / "models")[1]["random"])
        assert _draws() == expected
    finally:
        restore_random_state(before)


@pytest.mark.parametrize("part", ["python", "numpy", "torch", "cuda"])
@pytest.mark.parametrize("value", [None, [], [1, 2], "text", [3, [1], None]])
def test_a_damaged_random_state_is_refused(part: str, value: object) -> None:
    before = random_state()
    damaged = {**before, part: value}
    try:
        if part == "cuda" and (value or value == []) and not torch.cuda.is_available():
            restore_random_state(damaged)  # no GPU here that it could be for
            return
        with pytest.raises(InvalidInput, match="random state"):
            restore_random_state(damaged)
    finally:
        restore_random_state(before)


_MODEL = {"field.table": torch.zeros(4, 2), "field.mlp.weight": torch.zeros(3), "extra": {"n": 1}}


def test_the_same_state_passes() -> None:
    check_state(dict(_MODEL), _MODEL)


def test_missing_and_unknown_keys_are_named_three_of_each() -> None:
    loaded = {"extra": {}, **{f"old.{index}": torch.zeros(1) for index in range(5)}}
    with pytest.raises(InvalidInput) as caught:
        check_state(loaded, _MODEL)
    message = str(caught.value)
    assert "lacks field.table, field.mlp.weight" in message
    assert "adds old.0, old.1, old.2 and 2 more" in message
    assert "config.yml" in caught.value.hint


def test_optional_keys_may_be_on_one_side_only() -> None:
    loaded = {**_MODEL, "lpips.net": torch.zeros(1)}
    del loaded["extra"]
    check_state(loaded, _MODEL, optional=lambda key: key.startswith(("lpips.", "extra")))
    with pytest.raises(InvalidInput, match=r"lpips\.net"):
        check_state(loaded, _MODEL, optional=lambda key: key == "extra")


def test_another_shape_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"field\.table \(8, 2\) instead of \(4, 2\)"):
        check_state({**_MODEL, "field.table": torch.zeros(8, 2)}, _MODEL)


def test_the_two_hash_grids_are_told_apart() -> None:
    tcnn = {"field.mlp_base.tcnn_encoding.params": torch.zeros(9)}
    in_torch = {"field.mlp_base.model.0.hash_table": torch.zeros(4, 2)}
    with pytest.raises(InvalidInput, match=r"tinycudann, which is not installed.*random") as caught:
        check_state(tcnn, in_torch)
    assert "--pipeline.model.implementation torch" in caught.value.hint
    with pytest.raises(InvalidInput, match="trained in torch") as caught:
        check_state(in_torch, tcnn)
    assert "--pipeline.model.implementation torch" in caught.value.hint
