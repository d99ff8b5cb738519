"""``insitu nerf`` and ``insitu evaluate``: regions before training, the data set after it."""

from __future__ import annotations

import importlib.util
import json

import cv2
import numpy as np
import pytest
from nerf_captures import write_capture, write_run
from PIL import Image

from nerf.capture import read_capture, samples_of

BLUE = "make the red ball blue"


@pytest.fixture
def scene(tmp_path):
    """Five views of 96x72: a red disc on grey in all but the fourth."""
    write_capture(tmp_path / "scene", views=5, size=(96, 72))
    for number in range(5):
        picture = np.random.default_rng(number).integers(120, 126, (72, 96, 3), np.uint8)
        if number != 3:
            cv2.circle(picture, (30 + 8 * number, 36), 14, (200, 30, 30), -1)
        Image.fromarray(picture).save(tmp_path / "scene" / "images" / f"{number + 1:04}.png")
    return tmp_path / "scene"


def test_regions_are_shown_view_by_view_before_any_training(insitu, scene, tmp_path):
    ran = insitu("nerf", "regions", "scene", BLUE, "-o", "overlays")
    assert ran.code == 0
    assert "images/0004.png: not found, keeps its pixels" in ran.out
    assert "found in 4 of 5 views (80%)" in ran.out
    drawn = sorted(path.name for path in (tmp_path / "overlays").iterdir())
    assert drawn == ["0001.png", "0002.png", "0003.png", "0005.png"]
    overlay = samples_of(tmp_path / "overlays" / "0001.png")
    assert overlay.shape == (72, 96, 3)
    # the disc keeps its colour, what stays is dimmed
    assert tuple(overlay[40, 30]) == (200, 30, 30)
    assert overlay[65, 90].max() < 110


def test_regions_for_machines(insitu, scene):
    ran = insitu("nerf", "regions", "scene", BLUE, "-o", "overlays", "--format", "json")
    outcome = ran.outcome
    assert (outcome["status"], outcome["found"], outcome["of"]) == ("dry_run", 4, 5)
    first = outcome["views"][0]
    assert first["overlay"] == "overlays/0001.png"
    assert first["area"] == pytest.approx(np.pi * 14**2, rel=0.05)
    assert first["share"] == pytest.approx(first["area"] / (96 * 72), abs=1e-4)
    assert 0.5 <= first["confidence"] <= 1
    assert outcome["views"][3] == {"view": "images/0004.png", "found": False}


def test_a_box_shows_its_own_view_and_says_that_training_carries_it_on(insitu, scene, tmp_path):
    box = ("--box", 20, 18, 62, 54, "--box-view")
    ran = insitu("nerf", "regions", "scene", "make it blue", *box, "0002.png", "-o", "overlays")
    assert ran.code == 0
    assert [path.name for path in (tmp_path / "overlays").iterdir()] == ["0002.png"]
    assert "training carries it" in ran.out


def test_masks_of_ones_own_are_taken_as_they_are(insitu, scene, tmp_path):
    (tmp_path / "masks").mkdir()
    mask = np.zeros((72, 96), np.uint8)
    mask[10:20, 30:50] = 255
    cv2.imwrite(str(tmp_path / "masks" / "0002.png"), mask)
    asked = ("--mask-dir", "masks", "-o", "overlays", "--format", "json")
    outcome = insitu("nerf", "regions", "scene", BLUE, *asked).outcome
    assert [view["found"] for view in outcome["views"]] == [False, True, False, False, False]
    assert outcome["views"][1]["area"] == 200


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        (3, ("scene", "make the purple elephant blue")),
        (3, ("scene", BLUE, "--min-share", 0.9)),
        (7, ("scene", "")),
        (5, ("scene", "asdf qwer")),
        (7, ("none", BLUE)),
        (7, ("scene", BLUE, "--min-share", 0)),
        (7, ("scene", "make it blue", "--box", 1, 2, 30, 40)),
        (7, ("scene", "make it blue", "--box-view", "0001.png")),
        (7, ("scene", "make it blue", "--box", 1, 2, 30, 40, "--box-view", "none.png")),
        (7, ("scene", "make it blue", "--box", 30, 2, 1, 40, "--box-view", "0001.png")),
        (7, ("scene", "make it blue", "--mask-dir", "nowhere")),
        (7, ("scene", BLUE, "--grounder", "nobody")),
        (7, ("scene", BLUE, "-o", "no/such/folder")),
        (7, ("scene", BLUE, "-o", "scene")),
        (2, ("scene",)),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, tuple) else str(value),
)
def test_regions_that_cannot_be_found_end_in_their_code_and_draw_nothing(
    insitu, scene, code, arguments
):
    output = () if "-o" in arguments else ("-o", "overlays")
    assert insitu("nerf", "regions", *arguments, *output).code == code


def test_one_picture_is_no_capture(insitu, scene, tmp_path):
    meta = json.loads((scene / "transforms.json").read_text())
    (scene / "transforms.json").write_text(json.dumps({**meta, "frames": meta["frames"][:1]}))
    ran = insitu("nerf", "regions", "scene", BLUE, "-o", "overlays")
    assert ran.code == 7
    assert "insitu image" in ran.err


@pytest.fixture
def run(scene, tmp_path):
    originals = [samples_of(view.file) for view in read_capture(scene).views]
    write_run(tmp_path / "run", "scene", originals[:4], edited=(0, 2), missing=(3,))
    return tmp_path / "run"


def test_the_edited_capture_is_exported_and_told(insitu, run, tmp_path):
    ran = insitu("nerf", "export", "--load-config", "run/config.yml", "-o", "edited")
    assert ran.code == 0
    assert "edited: 2 views at 96x72" in ran.out
    assert "2 trained views (images/0002.png, images/0004.png), 1 held out" in ran.out
    assert "0 samples differ" in ran.out
    assert ran.out.splitlines()[-1] == "output: edited"
    assert len(read_capture(tmp_path / "edited").views) == 5


def test_an_export_for_machines_and_a_second_one_to_the_same_place(insitu, run):
    export = ("nerf", "export", "--load-config", "run", "-o", "edited", "--format", "json")
    outcome = insitu(*export).outcome
    assert outcome["edited"] == ["images/0001.png", "images/0003.png"]
    assert outcome["changed_outside"] == 0
    again = insitu(*export)
    assert (again.code, again.outcome["error"]["type"]) == (7, "InvalidInput")


def test_a_damaged_picture_is_8_and_a_run_without_edits_7(insitu, run):
    picture = sorted((run / "edits").glob("*.png"))[0]
    picture.write_bytes(picture.read_bytes()[:80])
    assert insitu("nerf", "export", "--load-config", "run", "-o", "edited").code == 8
    (run / "edits" / "record.json").unlink()
    assert insitu("nerf", "export", "--load-config", "run", "-o", "edited").code == 7
    assert insitu("nerf", "export", "--load-config", "nowhere", "-o", "edited").code == 7


def test_without_nerfstudio_the_evaluation_names_the_extra(insitu, run, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name == "nerfstudio" else found(name)
    )
    ran = insitu("evaluate", "nerf", "--load-config", "run/config.yml")
    assert ran.code == 6
    assert "pip install 'insitu[nerf]'" in ran.err


def test_an_evaluation_of_what_is_no_run_is_7(insitu, run):
    pytest.importorskip("nerfstudio")
    assert insitu("evaluate", "nerf", "--load-config", "scene").code == 7
    assert insitu("evaluate", "nerf", "--load-config", "run").code == 7  # its config is empty
    assert insitu("evaluate", "nerf", "--load-config", "run", "--pairs", -1).code == 7
    assert insitu("evaluate", "photo", "--load-config", "run").code == 2
