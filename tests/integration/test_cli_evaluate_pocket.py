"""``insitu evaluate pocket``: the comparison, what it keeps, and how it goes on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from insitu.__main__ import main
from pocket.scoring import Setting
from pocket.scoring.cases import cases_of
from pocket.scoring.records import LINES

KNOWN = ("--grounder", "classic", "--segmenter", "grabcut")
QUICK = ("--kinds", "recolor", "add", "--held-out", "0")


@pytest.fixture(autouse=True)
def no_models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What this machine has trained shall not decide these tests."""
    monkeypatch.setenv("INSITU_POCKET_MODELS", str(tmp_path / "none"))
    monkeypatch.setenv("INSITU_CACHE", str(tmp_path / "cache"))


def run(*more: str, count: int = 4) -> int:
    quick = (*KNOWN, *QUICK, "--count", str(count))
    return main(["evaluate", "pocket", "--editors", "classic", *quick, *more])


def told(capsys: pytest.CaptureFixture[str]) -> dict:
    return json.loads(capsys.readouterr().out)


def test_the_report_is_the_same_again_and_nothing_is_done_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    arguments = ("--regions", "true", "--format", "json", "-o", str(folder))
    assert run(*arguments) == 0
    first = told(capsys)
    lines = (folder / LINES).read_bytes()
    assert len(lines.splitlines()) == 3 * 4  # true edit, do nothing, classic
    assert run(*arguments) == 0
    assert told(capsys) == first
    assert (folder / LINES).read_bytes() == lines
    # more scenes add to them
    assert run(*arguments, count=5) == 0
    assert (folder / LINES).read_bytes().startswith(lines)
    assert len((folder / LINES).read_bytes().splitlines()) == 3 * 5


def test_an_interrupted_run_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    arguments = ("--regions", "true", "--format", "json")
    assert run(*arguments, "-o", str(whole)) == 0
    expected = told(capsys)
    assert run(*arguments, "-o", str(broken), count=2) == 0
    capsys.readouterr()
    lines = (broken / LINES).read_bytes()
    (broken / LINES).write_bytes(lines[: len(lines) - 30])
    assert run(*arguments, "-o", str(broken)) == 0
    found = told(capsys)
    for report in (expected, found):
        for row in report["rows"]:
            row["means"].pop("seconds")
    assert found["rows"] == expected["rows"]


def test_the_numbers_tell_the_truth_of_the_pictures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    arguments = ("--kinds", "recolor", "texture", "--regions", "true", "found")
    assert run(*arguments, "--format", "json", "-o", str(folder)) == 0
    report = told(capsys)
    whole = {(row["label"], row["regions"]): row for row in report["rows"] if row["task"] == "all"}
    assert whole["true edit", ""]["means"]["right"]["mean"] == 1.0
    assert report["misread"] == []
    assert whole["do nothing", ""]["means"]["right"]["mean"] == 0.0
    given = whole["classic", "true"]["means"]
    assert given["outside_mae"]["mean"] == 0.0
    kinds = {(row["label"], row["task"]): row["means"] for row in report["rows"]}
    better, worse = kinds["classic", "recolor"], kinds["do nothing", "recolor"]
    assert better["inside_mae"]["mean"] < 0.5 * worse["inside_mae"]["mean"]
    records = [json.loads(line) for line in (folder / LINES).read_text().splitlines()]
    for name, right in (("true edit", True), ("do nothing", False)):
        assert all(one["measures"]["right"] is right for one in records if one["label"] == name)
    # outside errors are those of the pictures that lie there
    cases = cases_of(Setting(count=4, tasks=("recolor", "texture")))
    known = {case.name: case for case in cases}
    checked = 0
    for one in records:
        if one["label"] == "classic" and not one["refusal"]:
            case = known[one["case"]]
            place = folder / "pictures" / f"{one['key']}.png"
            picture = cv2.imread(str(place))[..., ::-1] / 255
            apart = np.abs(picture - case.source)[case.changed == 0].mean()
            assert one["measures"]["outside_mae"] == pytest.approx(apart, abs=1e-6)
            checked += 1
    assert checked >= 4


def test_people_get_tables_a_sheet_and_notes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    assert run("--examples", "3", "--held-out", "2", "-o", str(folder)) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert "true edit" in shown.out
    assert "pairs that training never showed: 2 edits" in shown.out
    assert "no autoencoder without --models" in shown.out
    sheet = Path(shown.out.splitlines()[-1])
    picture = cv2.imread(str(sheet))
    assert picture.shape[0] > 3 * 128
    assert json.loads((folder / "report.json").read_text())["setting"]["grounder"] == "classic"


def test_the_test_scenes_are_warned_of_and_the_commit_is_kept(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run("--split", "test", "--format", "json", "--regions", "true", count=1) == 0
    shown = capsys.readouterr()
    assert "one run" in shown.err
    report = json.loads(shown.out)
    assert report["warnings"]
    commit = report["commit"]
    assert commit is None or (commit in shown.err and len(commit.partition("+")[0]) == 40)


def test_missing_weights_are_told_before_anything_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    assert run("--editors", "classic", "instructedit", "-o", str(folder)) == 6
    assert "insitu pocket train" in capsys.readouterr().err
    assert run("--grounder", "grounding_dino", "-o", str(folder)) == 6
    assert not folder.exists()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--editors", "nobody"), 7),
        (("--options", "classic:steps=3"), 5),
        (("--options", "diffedit:steps=3"), 7),
        (("--sweep", "classic:strength=2"), 7),
        (("--count", "0"), 7),
        (("--examples", "0"), 7),
        (("--models", "no/such/folder"), 7),
        (("--device", "toaster"), 7),
        (("--split", "train"), 2),
        (("--kinds", "paint"), 2),
        (("--regions", "left"), 2),
    ],
)
def test_bad_values_are_refused_and_leave_nothing(
    arguments: tuple[str, ...], code: int, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    command = ["evaluate", "pocket", "--editors", "classic", *KNOWN, *QUICK, "-o", str(folder)]
    try:
        found = main([*command, *arguments])
    except SystemExit as stop:
        found = stop.code
    assert found == code
    assert not folder.exists()


def test_what_needs_no_weights_needs_no_torch() -> None:
    code = (
        "import sys; from insitu.__main__ import main; "
        "main(['evaluate', 'pocket', '--editors', 'classic', '--regions', 'true', "
        "'--grounder', 'classic', '--segmenter', 'grabcut', '--count', '1', '--held-out', '0']); "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0
