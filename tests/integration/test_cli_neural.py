"""``insitu image`` with diffusion editors: real photos, miniatures of the real classes."""

from __future__ import annotations

import json
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

pytest.importorskip("torch")

from image_core.testing.miniature.clip import write_clip
from image_core.testing.miniature.stable_diffusion import write_stable_diffusion

REPLACE = "replace the orange suit with a tuxedo"
BOX = ("--box", 100, 100, 300, 300)


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    write_stable_diffusion(folder / "sd")
    write_clip(folder / "clip")
    write_stable_diffusion(folder / "ip2p", flavour="instruct-pix2pix")
    return folder


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("INSITU_CACHE", str(tmp_path_factory.mktemp("cache")))


def options(models, *more, model="sd"):
    return ("--editor-options", f"model={models / model}", "steps=4", "resolution=64", *more)


def _receipt(output="out.png"):
    return json.loads(Path(f"{output}.json").read_text())


def test_instructedit_replaces_the_named_thing_and_nothing_else(insitu, photo, models):
    source = photo()
    arguments = ("--editor", "instructedit", "-o", "out.png", *options(models))
    ran = insitu("image", source, REPLACE, *arguments)
    assert ran.code == 0, ran.err
    assert ran.err == ""
    mask = iio.imread("out.png.mask.png")
    before, after = iio.imread(source).astype(int), iio.imread("out.png").astype(int)
    assert not (before != after).any(axis=-1)[mask == 0].any()
    assert np.abs(before - after)[mask == 255].mean() > 3
    assert insitu("verify", "out.png").code == 0
    receipt = _receipt()
    assert receipt["parts"]["editors"] == ["instructedit"]
    assert receipt["parts"]["strengths"] == [0.7]
    assert receipt["evaluations_by_stage"]["apply"]["unet"] == 9
    assert receipt["plan"]["steps"][0]["edited_caption"] == "photo of a tuxedo"
    assert receipt["model_licences"][0]["licence"] == "unverified"
    assert "torch" in receipt["versions"]


def test_a_replay_gives_the_same_bytes(insitu, photo, models):
    insitu("image", photo(), REPLACE, "--editor", "instructedit", "-o", "out.png", *options(models))
    before = Path("out.png").read_bytes()
    ran = insitu("image", "--replay", "out.png.json", "-o", "again.png")
    assert (ran.code, ran.err) == (0, "")
    assert Path("again.png").read_bytes() == before
    assert _receipt("again.png")["evaluations_by_stage"]["apply"]["unet"] == 6  # path was cached


def test_strength_auto_tells_which_ratio_it_took(insitu, photo, models):
    more = ("samples=2", f"clip_model={models / 'clip'}")
    arguments = ("--editor", "instructedit", "--strength", "auto", *options(models, *more))
    ran = insitu("image", photo(), REPLACE, *BOX, "-o", "out.png", *arguments, "--format", "json")
    assert ran.code == 0, ran.err
    assert "encoding ratio" in ran.outcome["notes"][0]
    rows = _receipt()["evaluations_by_stage"]["apply"]
    assert rows["unet"] == 4 + 2 * (2 + 4)
    assert rows["clip image"] == 3


def test_captions_in_the_options_need_no_language_processor(insitu, photo, models):
    captions = ("source_caption=a suit", "edited_caption=a tuxedo", "crop=none")
    arguments = ("--editor", "instructedit", *options(models, *captions))
    ran = insitu("image", photo(), "xyzzy", *BOX, "-o", "out.png", *arguments)
    assert ran.code == 0, ran.err
    assert _receipt()["parts"]["language"] == "captions given"


def test_an_instruction_editor_takes_the_same_command(insitu, photo, models):
    arguments = ("--editor", "instruct-pix2pix", *options(models, model="ip2p"))
    ran = insitu("image", photo(), REPLACE, *BOX, "-o", "out.png", *arguments)
    assert ran.code == 0, ran.err
    assert insitu("verify", "out.png").code == 0


def test_a_folder_is_edited_with_one_load(insitu, photo, models, tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("astronaut", "coffee"):
        photo(name).rename(tmp_path / "in" / f"{name}.png")
    arguments = ("--editor", "instructedit", *BOX, *options(models), "--format", "json")
    ran = insitu("image", "in", "add a bird", "-o", "out", *arguments)
    assert ran.code == 0, ran.err
    assert [json.loads(line)["status"] for line in ran.out.splitlines()] == ["done", "done"]


def test_an_addition_goes_into_the_box_itself(insitu, photo, models):
    arguments = ("--editor", "instructedit", *BOX, *options(models))
    ran = insitu("image", photo(), "add a bird", "-o", "out.png", *arguments)
    assert ran.code == 0, ran.err
    mask = iio.imread("out.png.mask.png") > 0
    assert mask[100:300, 100:300].all()
    assert mask.sum() == 200 * 200


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--editor", "instructedit"), 6, "insitu models pull"),
        (("--editor", "instructedit", *BOX), 6, "insitu models pull"),
        (("--editor", "klein", "--strength", "0.5"), 5, "no strength"),
        (("--editor", "instruct-pix2pix", "--strength", "auto"), 5, "no automatic strength"),
        (("--editor", "instructedit", "--editor-options", "step=5"), 5, "step"),
        (("--editor", "instructedit", "--editor-options", "steps=many"), 7, "steps"),
        (("--editor", "instructedit", "--editor-options", "steps=0"), 7, "steps"),
        (("--editor", "instructedit", "--editor-options", "source_caption=a"), 7, "Give both"),
        (("--editor", "instructedit", "--device", "cuda:7"), 6, "insitu models pull"),
        (("--grounder", "grounding_dino"), 5, "models pull"),
        (("--grounder", "nobody"), 7, "nobody"),
        ((), 5, "klein"),
    ],
)
def test_what_cannot_be_done_ends_in_one_line_and_its_code(insitu, photo, arguments, code, words):
    ran = insitu("image", photo(), REPLACE, *arguments, "-o", "out.png")
    assert ran.code == code, ran.err
    assert words in ran.err


def test_a_grounder_without_weights_is_code_6(insitu, photo):
    ran = insitu("image", photo(), "make the suit blue", "--grounder", "grounding_dino")
    assert ran.code == 6
    assert "insitu models pull" in ran.err


def test_a_folder_that_is_no_checkpoint_is_told(insitu, photo, tmp_path):
    (tmp_path / "empty").mkdir()
    choice = ("--editor", "instructedit", "--editor-options", "model=empty")
    assert insitu("image", photo(), REPLACE, *BOX, *choice).code in (6, 7)
