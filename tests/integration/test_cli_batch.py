"""Folders and globs: one line an image, one failure stops nothing, done work is not done again."""

from __future__ import annotations

import json

import imageio.v3 as iio
import pytest

SUIT = "make the orange suit royal blue"
DARKER = "make the picture darker"


@pytest.fixture
def folder(photo, tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("astronaut", "rocket", "coffee"):
        photo(name).rename(tmp_path / "in" / f"{name}.png")
    (tmp_path / "in" / "notes.txt").write_text("no photo")
    (tmp_path / "in" / "broken.png").write_bytes(b"no picture")
    return tmp_path / "in"


def _tree(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.parametrize("workers", [1, 2])
def test_every_photo_gets_a_line_and_failures_stop_nothing(insitu, folder, tmp_path, workers):
    ran = insitu("image", folder, DARKER, "-o", "out", "--workers", workers)
    assert ran.code == 10
    lines = ran.out.splitlines()
    assert len(lines) == 5
    assert sum(line.startswith("edited") for line in lines) == 3
    assert sum(line.startswith("failed") for line in lines) == 1
    assert lines[-1] == "4 photos: 3 edited, 1 failed"
    for name in ("astronaut", "rocket", "coffee"):
        assert insitu("verify", f"out/{name}.png").code == 0
    assert not (tmp_path / "out" / "broken.png").exists()


def test_pool_and_single_worker_write_the_same_bytes(insitu, folder, tmp_path):
    (folder / "broken.png").unlink()
    for output, workers in (("one", 1), ("two", 2)):
        options = ("-o", output, "--workers", workers)
        assert insitu("image", f"{folder}/*.png", DARKER, *options).code == 0
    for name in ("astronaut.png", "coffee.png", "rocket.png.mask.png"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_second_run_does_only_what_is_missing(insitu, folder, tmp_path):
    (folder / "broken.png").unlink()
    command = ("image", folder, DARKER, "-o", "out", "--workers", 1, "--format", "json")

    def statuses(*more):
        outcomes = [json.loads(line) for line in insitu(*command, *more).out.splitlines()]
        return [outcome["status"] for outcome in outcomes]

    assert statuses() == ["done"] * 3
    written = _tree(tmp_path / "out")
    assert statuses() == ["skipped"] * 3
    assert _tree(tmp_path / "out") == written
    (tmp_path / "out" / "coffee.png").write_bytes(b"torn")
    source = iio.imread(folder / "rocket.png")
    iio.imwrite(folder / "rocket.png", 255 - source)
    assert statuses() == ["skipped", "done", "done"]
    assert statuses("--strength", 0.5) == ["done"] * 3


def test_names_that_would_collide_are_kept_apart(insitu, folder, tmp_path):
    for path in folder.iterdir():
        if path.name != "rocket.png":
            path.unlink()
    iio.imwrite(folder / "rocket.jpg", iio.imread(folder / "rocket.png"))
    assert insitu("image", folder, DARKER, "-o", "out", "--workers", 1).code == 0
    sources = {
        json.loads(path.read_text())["source"]["path"].rsplit("/", 1)[1]
        for path in (tmp_path / "out").glob("*.json")
    }
    assert sources == {"rocket.png", "rocket.jpg"}


def test_a_dry_run_over_a_folder_writes_overlays_only(insitu, folder, tmp_path):
    ran = insitu("image", folder, SUIT, "--dry-run", "-o", "over", "--workers", 1)
    assert ran.code == 10
    written = {path.name for path in (tmp_path / "over").iterdir()}
    assert "astronaut.overlay.png" in written
    assert all(name.endswith(".overlay.png") for name in written)


@pytest.mark.parametrize(
    ("source", "options", "code"),
    [
        ("empty", ("-o", "out"), 7),
        ("in/*.webp", ("-o", "out"), 7),
        ("in", ("-o", "in/notes.txt"), 7),
        ("in", ("-o", "out", "--mask-out", "m.png"), 7),
        ("in", ("-o", "in"), 10),
    ],
)
def test_a_batch_that_cannot_be_is_refused(insitu, folder, tmp_path, source, options, code):
    (tmp_path / "empty").mkdir()
    before = _tree(folder)
    assert insitu("image", source, DARKER, *options, "--workers", 1).code == code
    assert {name: data for name, data in _tree(folder).items() if name in before} == before


def test_an_instruction_that_is_none_is_told_once(insitu, folder):
    assert insitu("image", folder, "asdf qwer", "-o", "out").code == 5
    assert insitu("image", folder, "", "-o", "out").code == 7


def test_subfolders_of_a_glob_are_kept(insitu, folder, tmp_path):
    (folder / "a").mkdir()
    (folder / "coffee.png").rename(folder / "a" / "coffee.png")
    insitu("image", "in/**/*.png", DARKER, "-o", "out", "--workers", 1)
    assert (tmp_path / "out" / "a" / "coffee.png").is_file()
    assert (tmp_path / "out" / "rocket.png").is_file()
