"""``insitu pocket train``: a glimpse of it, an interrupted one that goes on, and bad values."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest


def test_a_glimpse_of_one_model_is_a_folder_that_the_library_loads(insitu, tmp_path: Path) -> None:
    from transformers import SamModel

    ran = insitu(
        "pocket", "train", "-o", "zoo", "--only", "sam", "--minutes", 0.1, "--format", "json"
    )
    assert ran.code == 0, ran.err
    told = json.loads(ran.out)
    assert (told["status"], told["done"]) == ("ok", ["sam"])
    SamModel.from_pretrained(tmp_path / "zoo" / "sam")
    assert "sam" in (tmp_path / "zoo" / "README.md").read_text()


def test_a_training_that_is_asked_to_stop_ends_in_130_and_goes_on(tmp_path: Path, insitu) -> None:
    command = [sys.executable, "-m", "insitu", "pocket", "train", "-o", str(tmp_path / "zoo")]
    command += ["--only", "sam", "--minutes", "0.2"]
    process = subprocess.Popen(command, env=os.environ | {"OMP_NUM_THREADS": "1"})
    kept = tmp_path / "zoo" / "work" / "sam.pt"
    curve = tmp_path / "zoo" / "curves" / "sam.jsonl"
    until = time.monotonic() + 240
    while not (curve.exists() or kept.exists()) and process.poll() is None:
        assert time.monotonic() < until, "nothing was written"
        time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    code = process.wait(timeout=240)
    if code == 0:
        pytest.skip("it was done before it could be stopped")
    assert code == 130
    assert kept.exists()
    again = insitu("pocket", "train", "-o", "zoo", "--only", "sam", "--minutes", 0.2)
    assert again.code == 0, again.err


@pytest.mark.parametrize(
    "wrong", [("--minutes", -1), ("--only", "owl"), ("--processes", 0)], ids=str
)
def test_bad_values_end_in_7_and_write_nothing(insitu, tmp_path: Path, wrong) -> None:
    ran = insitu("pocket", "train", "-o", "zoo", *wrong)
    assert ran.code == 7, ran.err
    assert not (tmp_path / "zoo").exists()
