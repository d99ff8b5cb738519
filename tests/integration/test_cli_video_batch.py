"""``insitu video`` over folders and globs: a line a clip, one failure stops nothing, resumable."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from video_files import frame_times, picture, write_clip

WORDS = "make it blue"
BOX = ("--box", 0, 0, 14, 12, "--at", 0)  # the small rectangle that ``video_files.picture`` moves


@pytest.fixture(scope="session")
def _clips(tmp_path_factory):
    """Three clips of three containers, made once, and a cache outside of the tests' folders."""
    root = tmp_path_factory.mktemp("clips")
    write_clip(root / "a.mp4", frames=4, sound=True)
    write_clip(root / "b.mov", frames=3, first=20)
    write_clip(
        root / "c.webm",
        frames=3,
        first=40,
        codec="libvpx-vp9",
        options={"deadline": "realtime", "cpu-used": "8"},
    )
    return root


@pytest.fixture
def folder(_clips, tmp_path, tmp_path_factory, monkeypatch):
    monkeypatch.setenv("INSITU_CACHE", str(tmp_path_factory.getbasetemp() / "batch cache"))
    return Path(shutil.copytree(_clips, tmp_path / "in"))


def outcomes(ran):
    return [json.loads(line) for line in ran.out.splitlines()]


def content(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_every_clip_gets_a_line_and_a_proof_and_failures_stop_nothing(insitu, folder):
    (folder / "b2.mp4").write_bytes(b"no film")
    (folder / "notes.txt").write_text("no clip")
    ran = insitu("video", folder, WORDS, *BOX, "-o", "out")
    assert ran.code == 10
    lines = ran.out.splitlines()
    assert [line.split()[0] for line in lines[:-1]] == ["edited", "edited", "failed", "edited"]
    assert lines[-1] == "4 clips: 3 edited, 1 failed"
    for name, source in (("a", "a.mp4"), ("b", "b.mov"), ("c", "c.webm")):
        assert insitu("verify", f"out/{name}.mkv").out.startswith(f"out/{name}.mkv: proved")
        assert len(frame_times(Path(f"out/{name}.mkv"))) == len(frame_times(folder / source))
    assert not list(Path("out").glob("b2*"))


def test_a_second_run_does_only_what_is_missing(insitu, folder):
    command = ("video", folder, WORDS, *BOX, "-o", "out", "--format", "json")

    def statuses(*more):
        return [outcome["status"] for outcome in outcomes(insitu(*command, *more))]

    assert statuses() == ["done"] * 3
    written = content(Path("out"))
    assert statuses() == ["skipped"] * 3
    assert content(Path("out")) == written
    (Path("out") / "c.mkv").write_bytes(b"torn")
    shutil.copy(folder / "b.mov", folder / "a.mp4")
    assert statuses() == ["done", "skipped", "done"]
    assert statuses("--strength", 0.5) == ["done"] * 3
    assert statuses("--strength", 0.5, "--end", 0.15) == ["done"] * 3


def test_a_glob_names_clips_and_a_named_coding_keeps_their_endings(insitu, folder):
    ran = insitu("video", f"{folder}/*.mo*", WORDS, *BOX, "-o", "out", "--codec", "h264")
    assert ran.code == 0, ran.err
    assert {path.name for path in Path("out").iterdir()} == {
        "b.mov",
        "b.mov.json",
        "b.mov.mask.mkv",
    }
    assert insitu("verify", "out/b.mov").out.startswith("out/b.mov: lossy")


def test_names_that_would_collide_are_kept_apart(insitu, folder):
    (folder / "c.webm").unlink()
    (folder / "b.mov").rename(folder / "a.mov")
    assert insitu("video", folder, WORDS, *BOX, "-o", "out").code == 0
    sources = {
        json.loads(path.read_text())["source"]["path"].rsplit("/", 1)[1]
        for path in Path("out").glob("*.json")
    }
    assert sources == {"a.mp4", "a.mov"}


def test_outputs_of_an_earlier_run_are_no_sources(insitu, folder):
    for _ in range(2):
        ran = insitu("video", f"{folder}/**/*.m*", WORDS, *BOX, "-o", folder / "out")
        assert ran.out.splitlines()[-1].startswith("2 clips: ")


def test_a_folder_of_pictures_is_one_clip_and_a_folder_of_both_is_refused(insitu, folder, tmp_path):
    from PIL import Image

    frames = tmp_path / "frames"
    frames.mkdir()
    for number in range(3):
        Image.fromarray(picture(number)).save(frames / f"{number}.png")
    for name, source in (("whole", frames), ("named", f"{frames}/*.png")):
        ran = insitu("video", source, WORDS, *BOX, "-o", f"{name}.mkv", "--lossless")
        assert ran.code == 0, ran.err
        assert len(frame_times(Path(f"{name}.mkv"))) == 3
    shutil.copy(frames / "0.png", folder / "0.png")
    for source in (folder, f"{folder}/*"):
        ran = insitu("video", source, WORDS, *BOX, "-o", "out")
        assert ran.code == 7
        assert "holds clips (a.mp4) and pictures (0.png)" in ran.err


def test_a_dry_run_writes_a_sheet_a_clip_and_nothing_else(insitu, folder):
    ran = insitu("video", folder, WORDS, *BOX, "-o", "out", "--dry-run", "--format", "json")
    assert ran.code == 0, ran.err
    assert [outcome["status"] for outcome in outcomes(ran)] == ["dry_run"] * 3
    assert {path.name for path in Path("out").iterdir()} == {
        "a.sheet.png",
        "b.sheet.png",
        "c.sheet.png",
    }


def test_as_json_stderr_says_which_clip_the_progress_is_of(insitu, folder):
    (folder / "c.webm").unlink()
    ran = insitu("video", folder, WORDS, *BOX, "-o", "out", "--format", "json")
    events = [json.loads(line) for line in ran.err.splitlines() if line.startswith("{")]
    begun = [event for event in events if event["event"] == "clip"]
    assert [(event["number"], event["of"]) for event in begun] == [(1, 2), (2, 2)]
    assert [Path(event["input"]).name for event in begun] == ["a.mp4", "b.mov"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((WORDS, *BOX, "-o", "in/a.mp4"), 7),
        ((WORDS, *BOX, "-o", "in"), 7),
        ((WORDS, *BOX, "--canonical-out", "canon"), 7),
        ((WORDS, *BOX, "--strength", 2.0), 7),
        (("sing a song", *BOX, "-o", "out"), 5),
        (("", *BOX, "-o", "out"), 7),
        ((), 2),
        ((WORDS, *BOX, "--lossless", "--codec", "h264"), 2),
    ],
)
def test_what_is_wrong_for_all_is_told_once_and_nothing_is_written(insitu, folder, arguments, code):
    assert insitu("video", folder, *arguments).code == code


def test_an_empty_folder_and_a_glob_of_nothing_are_refused(insitu, folder, tmp_path):
    (tmp_path / "empty").mkdir()
    assert insitu("video", "empty", WORDS, *BOX, "-o", "out").code == 7
    assert insitu("video", "in/*.avi", WORDS, *BOX, "-o", "out").code == 7
