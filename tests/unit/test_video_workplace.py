"""What is kept on disk for clips: measurements within a limit, and jobs that go on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from image_core.errors import InvalidInput
from video.mask_store import MaskStore
from video.workplace import (
    job_folder,
    jobs,
    measures_folder,
    size_limit,
    trim_measures,
)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSITU_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("INSITU_CACHE_LIMIT", raising=False)


def test_the_same_clip_and_settings_lead_to_the_same_folder() -> None:
    first = measures_folder("flow", "abc", "dis")
    assert measures_folder("flow", "abc", "dis") == first
    assert measures_folder("flow", "abcd", "is") != first
    assert measures_folder("shots", "abc", "dis") != first


def test_the_measurements_used_longest_ago_go_first() -> None:
    folders = [measures_folder("flow", str(number)) for number in range(3)]
    for age, folder in zip((30, 10, 20), folders, strict=True):
        (folder / "data").write_bytes(bytes(1000))
        os.utime(folder, (1e9 - age, 1e9 - age))
    assert trim_measures(limit=2500) == 1000
    assert [folder.exists() for folder in folders] == [False, True, True]
    assert trim_measures(limit=1500, keep=(folders[2],)) == 1000
    assert [folder.exists() for folder in folders] == [False, False, True]


def test_the_limit_is_read_in_gigabytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSITU_CACHE_LIMIT", "0.5")
    assert size_limit() == 500_000_000
    monkeypatch.setenv("INSITU_CACHE_LIMIT", "much")
    with pytest.raises(InvalidInput, match="INSITU_CACHE_LIMIT"):
        size_limit()


def test_a_job_that_failed_is_found_again_and_one_that_ended_is_gone() -> None:
    def interrupted() -> None:
        with job_folder({"instruction": "x"}, "key") as folder:
            (folder / "part").write_text("made")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [about["instruction"] for _, about in jobs()] == ["x"]
    with job_folder({"instruction": "x"}, "key") as again:
        assert (again / "part").read_text() == "made"
    assert jobs() == []


def test_a_job_that_is_to_be_kept_stays() -> None:
    with job_folder({}, "key", keep=True) as folder:
        pass
    assert folder.is_dir()


def test_two_processes_do_not_work_on_one_job() -> None:
    code = (
        "from video.workplace import job_folder\n"
        "from image_core.errors import InvalidInput\n"
        "try:\n"
        "    with job_folder({}, 'key'): print('in')\n"
        "except InvalidInput as error: print(error)\n"
    )
    with job_folder({}, "key"):
        other = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
    assert "another process" in other.stdout


def test_a_cache_that_cannot_be_made_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("INSITU_CACHE", str(tmp_path / "file"))
    with pytest.raises(InvalidInput, match="working folder"):
        measures_folder("flow", "abc")


def test_masks_come_back_as_they_were_kept(tmp_path: Path) -> None:
    store = MaskStore(tmp_path / "masks")
    alpha = np.zeros((6, 8), np.float32)
    alpha[2, 3], alpha[4, 5] = 1.0, 0.0001
    store.keep(7, alpha)
    store.keep(2, np.zeros_like(alpha))
    back = store[7]
    assert back.dtype == np.float32
    assert np.array_equal(back > 0, alpha > 0)  # a trace of alpha is not rounded away
    assert back[2, 3] == 1
    assert list(store) == [2, 7]
    assert len(store) == 2
    assert 7 in store
    assert 3 not in store
    assert not store[2].any()
    store.keep(9, back)
    assert np.array_equal(store[9], back)


def test_a_torn_mask_is_as_good_as_none(tmp_path: Path) -> None:
    store = MaskStore(tmp_path)
    (tmp_path / "000003.png").write_bytes(b"\x89PNG torn")
    with pytest.raises(KeyError):
        store[3]
