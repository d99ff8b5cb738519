"""``insitu pocket scene --count``: a folder of flat scenes with their truth."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from insitu.__main__ import main
from pocket.flat import HELD_OUT, edits, expectation, render, sample_scenes, success, to_bytes


def run(folder: Path, *more: str, count: int = 70) -> int:
    return main(["pocket", "scene", "--count", str(count), "-o", str(folder), *more])


def lines_of(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "scenes.jsonl").read_text().splitlines()]


def read(path: Path) -> np.ndarray:
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    return picture[..., ::-1] if picture.ndim == 3 else picture


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_folder_holds_what_the_world_draws(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "scenes"
    assert run(folder) == 0
    assert capsys.readouterr().out.strip().splitlines()[-1] == str(folder)
    lines = lines_of(folder)
    assert len(lines) == 70
    batch = edits(sample_scenes("validation", count=70))
    pictures, edited = to_bytes(render(batch.before)), to_bytes(render(batch.after))
    for row, (line, case) in enumerate(zip(lines, batch.cases, strict=True)):
        assert np.array_equal(read(folder / line["picture"]), pictures[row])
        assert np.array_equal(read(folder / line["edited"]), edited[row])
        assert (line["instruction"], line["phrase"]) == (case.instruction, case.phrase)
        assert (line["kind"], line["caption"]) == (case.kind, case.source_caption)


def test_the_truth_on_disk_is_exact(tmp_path: Path) -> None:
    folder = tmp_path / "scenes"
    assert run(folder, "--split", "test", "--seed", "3", "--size", "96", "96", count=40) == 0
    batch = edits(sample_scenes("test", seed=3, count=40))
    for line, case in zip(lines_of(folder), batch.cases, strict=True):
        before, after = read(folder / line["picture"]), read(folder / line["edited"])
        region, target = read(folder / line["region"]), read(folder / line["target"])
        assert before.shape == (96, 96, 3)
        assert region.shape == (96, 96)
        changed = (before != after).any(axis=2)
        assert not (changed & (region == 0)).any()
        assert success(after.astype(np.float32) / 255, expectation(case)).right
        if line["task"] not in ("add", "ground"):
            boxes = [thing["box"] for thing in line["objects"]]
            rows, columns = np.nonzero(target >= 128)
            around = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
            # a pixel of which half is covered may be rounded either way
            assert np.abs(np.array(boxes) - around).max(axis=1).min() <= 1


def test_the_same_arguments_give_the_same_bytes_and_a_whole_folder_is_left_alone(
    tmp_path: Path,
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    assert run(first, count=12) == 0
    assert run(second, count=12) == 0
    assert files_of(first) == files_of(second)
    stamps = {path: path.stat().st_mtime_ns for path in first.rglob("*")}
    assert run(first, count=12) == 0
    assert stamps == {path: path.stat().st_mtime_ns for path in first.rglob("*")}
    # another count, or a file that was tampered with, is something else
    assert run(first, count=13) == 7
    (second / "scenes.jsonl").write_text("")
    assert run(second, count=12) == 7


def test_json_is_one_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "scenes"
    assert run(folder, "--pairs", "held-out", "--format", "json", count=20) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["status"] == "ok"
    assert (told["folder"], told["count"], told["pairs"]) == (str(folder), 20, "held-out")
    for line in lines_of(folder):
        made = line["objects_after"][line["changed"]]
        assert (made["colour"], made["shape"]) in HELD_OUT


def test_what_makes_no_sense_is_refused_and_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "scenes"
    for wrong in (
        ["--size", "64", "48"],
        ["--size", "8", "8"],
        ["--seed", "-1"],
        ["--target", "green cone"],
        ["--colour", "red"],
        ["--mask-out", str(tmp_path / "mask.png")],
        ["--split", "train", "--pairs", "held-out"],
    ):
        assert run(folder, *wrong, count=2) == 7, wrong
        assert "insitu:" in capsys.readouterr().err
    assert run(folder, count=0) == 7
    assert main(["pocket", "scene", "-o", str(tmp_path / "one.png"), "--split", "test"]) == 7
    assert list(tmp_path.iterdir()) == []
    folder.mkdir()
    (folder / "mine.txt").write_text("keep")
    assert run(folder, count=2) == 7
    assert [path.name for path in folder.iterdir()] == ["mine.txt"]
