"""``insitu pocket clip``: what it writes, prints and refuses."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from image_core.errors import InvalidInput, MissingWeights
from insitu.pocket_clip import PocketClip


def test_the_last_line_is_the_folder_and_the_one_before_says_how_to_edit_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "clip"
    assert PocketClip(output=str(folder), frames=3, size=(64, 48)).run() == 0
    printed = capsys.readouterr().out.strip().splitlines()
    assert printed[-1] == str(folder)
    truth = json.loads((folder / "truth/truth.json").read_text())
    box = " ".join(map(str, truth["key"]["box"]))
    assert printed[-2].strip() == f'"make the red ball blue" --box {box} --at 0.05'
    assert {path.name for path in folder.iterdir()} == {"clip.mp4", "lossless.mkv", "truth"}


def test_json_is_one_object_with_what_the_truth_is_about(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "clip"
    asked = PocketClip(
        output=str(folder), frames=4, size=(96, 64), fps=25, shots=2, seed=2,
        target="green box", colour="orange", format="json",
    )  # fmt: skip
    assert asked.run() == 0
    told = json.loads(capsys.readouterr().out)
    assert told["status"] == "ok"
    assert told["folder"] == str(folder)
    assert Path(told["clip"]).is_file()
    assert Path(told["lossless"]).is_file()
    assert told["instruction"] == "make the green box orange"
    assert (told["frames"], told["size"], told["fps"]) == (4, [96, 64], 25)
    assert (told["shots"], told["seed"]) == (2, 2)
    assert len(told["box"]) == 4


def test_a_bad_size_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="65 x 48"):
        PocketClip(output=str(tmp_path / "clip"), frames=3, size=(65, 48)).run()
    assert not any(tmp_path.iterdir())


def test_without_the_video_extra_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)  # as if it were not there: importing it fails
    with pytest.raises(MissingWeights, match="PyAV") as caught:
        PocketClip(output=str(tmp_path / "clip"), frames=3, size=(64, 48)).run()
    assert "insitu[video]" in caught.value.hint
    assert not any(tmp_path.iterdir())
