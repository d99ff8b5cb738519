"""``insitu video --replay``: an edit from its receipt, bit for bit, or a reason why not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from video_files import write_clip

from image_core.receipt import seal
from pocket.clip import ClipSettings
from pocket.clip import write_clip as write_world

FRAMES = 8


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    root = tmp_path_factory.mktemp("replayed")
    write_world(root / "clip", ClipSettings(frames=FRAMES, width=96, height=72))
    return root


@pytest.fixture
def clip(world, tmp_path, monkeypatch):
    monkeypatch.setenv("INSITU_CACHE", str(world / "cache"))
    return Path(shutil.copy(world / "clip/clip.mp4", tmp_path / "clip.mp4"))


@pytest.fixture
def box(world):
    key = json.loads((world / "clip/truth/truth.json").read_text())["key"]
    return ("--box", *key["box"], "--at", key["time"])


def mask_of(box, folder):
    """Write the box as a picture, with an edge of grey levels; return the options for it."""
    x0, y0, x1, y1 = (round(side) for side in box[1:5])
    mask = np.zeros((72, 96), np.uint8)
    mask[y0:y1, x0:x1] = 255
    cv2.imwrite(str(folder / "mask.png"), cv2.blur(mask, (3, 3)))
    return ("--mask", folder / "mask.png", "--at", box[-1])


def receipt_of(output):
    return json.loads(Path(f"{output}.json").read_text())


def forged(output, **changed):
    """Write a receipt that says something else, with the hash that fits it."""
    content = {k: v for k, v in receipt_of(output).items() if k not in ("sha256", "insitu_receipt")}
    content |= changed
    Path("forged.json").write_bytes(seal(content))
    return "forged.json"


def check_same(insitu, output, again, *before):
    """Repeat an edit with nothing kept of the first one, and compare all that it wrote."""
    ran = insitu("video", *before, "--replay", f"{output}.json", "-o", again)
    assert ran.code == 0, ran.err
    assert "other bits" not in ran.err
    for ending in ("", ".mask.mkv"):
        assert Path(f"{again}{ending}").read_bytes() == Path(f"{output}{ending}").read_bytes()
    first, second = receipt_of(output), receipt_of(again)
    for receipt in (first, second):
        receipt["parts"].pop("editor")  # asked for: auto at first, then the one that it was
    for name in first.keys() - {"seconds", "sha256", "output", "mask"}:
        assert first[name] == second[name], name


@pytest.mark.parametrize(
    "asked",
    [
        ("make the red ball blue",),
        ("make it blue", "--then", "make it darker", "--strength", 0.5, "--seed", 3, "box"),
        ("make it blue", "--start", 0.08, "--end", 0.24, "--trim", "--quality", "draft", "box"),
        ("paint stripes on it", "box"),
        ("remove it", "box"),
        ("remove it", "mask"),
        ("make it blue", "mask"),
        ("make the picture brighter",),
    ],
    ids=[
        "phrase",
        "turns",
        "trimmed",
        "canonical",
        "removal",
        "removal by mask",
        "mask",
        "whole picture",
    ],
)
def test_a_repetition_gives_the_same_bits(
    insitu, clip, box, tmp_path, tmp_path_factory, monkeypatch, asked
):
    pointers = {"box": box, "mask": mask_of(box, tmp_path)}
    words = [word for word in asked if word not in pointers]
    pointed = pointers.get(asked[-1], ())
    ran = insitu("video", clip, *words, *pointed, "-o", "out.mkv", "--lossless")
    assert ran.code == 0, ran.err
    (tmp_path / "mask.png").unlink()
    monkeypatch.setenv("INSITU_CACHE", str(tmp_path_factory.mktemp("fresh cache")))
    check_same(insitu, "out.mkv", "again.mkv")
    assert insitu("verify", "again.mkv").code == 0


def test_masks_of_frames_are_repeated_without_their_files(insitu, clip, box, tmp_path):
    folder = tmp_path / "masks"
    folder.mkdir()
    mask_of(box, folder)
    for frame in (2, 6):
        shutil.copy(folder / "mask.png", folder / f"{frame:06d}.png")
    (folder / "mask.png").unlink()
    ran = insitu("video", clip, "make it blue", "--mask-dir", folder, "-o", "out.mp4", "--crf", 30)
    assert ran.code == 0, ran.err
    shutil.rmtree(folder)
    check_same(insitu, "out.mp4", "again.mp4")


def test_a_source_that_was_moved_is_named_and_another_one_is_refused(insitu, clip, box, tmp_path):
    assert insitu("video", clip, "make it blue", *box, "-o", "out.mkv", "--lossless").code == 0
    moved = clip.rename(tmp_path / "moved.mp4")
    gone = insitu("video", "--replay", "out.mkv.json", "-o", "again.mkv")
    assert gone.code == 7
    assert "insitu video INPUT --replay" in gone.err
    check_same_but_source = insitu("video", moved, "--replay", "out.mkv.json", "-o", "again.mkv")
    assert check_same_but_source.code == 0, check_same_but_source.err
    assert Path("again.mkv").read_bytes() == Path("out.mkv").read_bytes()
    other = write_clip(tmp_path / "other.mp4", frames=FRAMES, size=(96, 72))
    refused = insitu("video", other, "--replay", "out.mkv.json", "-o", "third.mkv")
    assert refused.code == 8
    assert "is not the file that the receipt was written for" in refused.err


def test_another_container_repeats_the_edit_in_it(insitu, clip, box):
    assert insitu("video", clip, "make it blue", *box, "-o", "out.mp4").code == 0
    ran = insitu("video", "--replay", "out.mp4.json", "-o", "again.mov", "--format", "json")
    assert ran.code == 0, ran.err
    assert ran.outcome["output"] == "again.mov"
    assert Path("again.mov.mask.mkv").read_bytes() == Path("out.mp4.mask.mkv").read_bytes()
    assert "other bits" not in ran.err


def test_receipts_that_cannot_be_repeated_say_why(insitu, clip, box, photo, tmp_path):
    assert insitu("video", clip, "make it blue", *box, "-o", "out.mkv", "--lossless").code == 0
    whole = receipt_of("out.mkv")

    def refused(receipt, code, words):
        ran = insitu("video", clip, "--replay", receipt, "-o", "again.mkv")
        assert ran.code == code, ran.err
        assert words in ran.err

    refused("none.json", 7, "there is no receipt")
    old = {name: value for name, value in whole["regions"][0].items() if name != "alphas"}
    refused(forged("out.mkv", regions=[old]), 7, "older version")
    refused(forged("out.mkv", clip=whole["clip"] | {"route": "painted"}), 7, "--canonical")
    settings = whole["asked"] | {"settings": {"speed": 9}}
    refused(forged("out.mkv", asked=settings), 7, "not those of this version")
    small = json.loads(json.dumps(whole["regions"]))
    small[0]["alphas"] = {index: ["aGFsbG8="] for index in small[0]["alphas"]}
    refused(forged("out.mkv", regions=small), 8, "8-bit picture of the clip's size")
    refused(forged("out.mkv", clip=whole["clip"] | {"route": "by air"}), 8, "cannot be read")
    refused(forged("out.mkv", clip=7), 8, "cannot be read")
    Path("torn.json").write_bytes(Path("out.mkv.json").read_bytes().replace(b"blue", b"pink"))
    refused("torn.json", 8, "changed after it was written")
    photo("astronaut")
    dark = ("make the picture darker", "-o", "dark.png")
    assert insitu("image", "astronaut.png", *dark).code == 0
    refused("dark.png.json", 7, "insitu image --replay")


@pytest.mark.parametrize(
    "more",
    [("make it red",), ("--seed", 3), ("--box", 1, 2, 3, 4), ("--lossless",), ("--dry-run",)],
)
def test_what_stands_in_the_receipt_is_not_asked_again(insitu, clip, more):
    assert insitu("video", clip, *more, "--replay", "out.mkv.json", "-o", "again.mkv").code == 2
