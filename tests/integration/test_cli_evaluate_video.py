"""``insitu evaluate video``: an edited clip in numbers, from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pocket.clip import ClipSettings, write_clip

FRAMES = 6


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    root = tmp_path_factory.mktemp("world")
    write_clip(root / "clip", ClipSettings(frames=FRAMES, width=128, height=96))
    return root


@pytest.fixture
def edited(insitu, world, tmp_path, monkeypatch):
    """Our own clip with its target recoloured, and the truth."""
    monkeypatch.setenv("INSITU_CACHE", str(world / "cache"))
    truth = json.loads((world / "clip/truth/truth.json").read_text())
    box = ("--box", *truth["key"]["box"], "--at", truth["key"]["time"])
    ran = insitu(
        "video", world / "clip/clip.mp4", truth["instruction"], *box, "-o", "out.mkv", "--lossless"
    )
    assert ran.code == 0, ran.err
    return Path("out.mkv")


def test_a_report_for_machines_and_on_disk(insitu, edited, world):
    asked = ("--truth", world / "clip", "--clip", "none", "-o", "report.json", "--format", "json")
    ran = insitu("evaluate", "video", edited, *asked)
    assert ran.code == 0, ran.err
    told = ran.outcome
    assert (told["status"], told["exit_code"], told["output"]) == ("done", 0, "report.json")
    written = json.loads(Path("report.json").read_text())
    assert written == {key: told[key] for key in written}
    assert (told["frames"], told["route"], told["how"]) == (FRAMES, "pointwise", "planes")
    assert told["outside"]["changed"] == 0
    assert told["outside"]["compared_in"] == "yuv420p"
    assert told["outside"]["planes"]["Y"]["compared"] > 0
    assert told["truth"]["region_iou"] > 0.85
    assert told["truth"]["inside_psnr"] > told["truth"]["inside_psnr_of_source"] + 10
    assert told["region"]["stability"] > 0.8
    assert told["steadiness"]["output"] > 0
    assert told["notes"] == []


def test_a_report_for_people(insitu, edited, world):
    ran = insitu("evaluate", "video", edited, "--truth", world / "clip", "--painted")
    assert ran.code == 0, ran.err
    lines = dict(line.split(": ", 1) for line in ran.out.splitlines())
    assert lines["outside.changed"] == "0"
    assert lines["truth.goal"] == "painted"
    assert lines["reconstruction"] == "not measured"
    assert "rows" not in ran.out


def test_a_source_that_was_moved_is_named(insitu, edited, world, tmp_path):
    moved = tmp_path / "moved.mp4"
    moved.write_bytes((world / "clip/clip.mp4").read_bytes())
    ran = insitu("evaluate", "video", edited, "--source", moved, "--format", "json")
    assert ran.code == 0, ran.err
    assert ran.outcome["source"] == str(moved)


def test_what_cannot_be_measured_ends_in_its_code(insitu, edited, world, tmp_path):
    codes = {
        ("none.mkv",): 7,
        (world / "clip/clip.mp4",): 7,  # no receipt
        (edited, "--source", "none.mp4"): 7,
        (edited, "--truth", tmp_path): 7,
        (edited, "--painted"): 7,
        (edited, "-o", "out.mkv"): 7,
        (edited, "-o", "out.mkv.json"): 7,
        (edited, "--clip", "none/such"): 6,
        (): 2,
        (edited, "--pairs", 8): 2,  # of runs, not of clips
    }
    for arguments, code in codes.items():
        assert insitu("evaluate", "video", *arguments).code == code, arguments
    Path("out.mkv.json").write_text("{}")
    assert insitu("evaluate", "video", edited).code == 8
