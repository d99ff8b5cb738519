"""``--models``: each editor with all of its models from one tree, at sizes that nobody typed.

The networks here are miniatures with random weights: what they paint is noise, where is not.
"""

from __future__ import annotations

import json
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

pytest.importorskip("torchvision")
pytest.importorskip("transformers")
pytest.importorskip("diffusers")

from image_core.testing.miniature.clip import write_clip
from image_core.testing.miniature.grounding import write_grounding_dino
from image_core.testing.miniature.segmentation import write_sam
from image_core.testing.miniature.stable_diffusion import write_stable_diffusion
from insitu import model_trees

REPLACE = "replace the square with a tuxedo"
FEW = ("--editor-options", "steps=2")


@pytest.fixture(scope="session")
def tree(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tree")
    write_stable_diffusion(folder / "stable-diffusion")
    write_stable_diffusion(folder / "instruct-pix2pix", flavour="instruct-pix2pix")
    write_stable_diffusion(folder / "inpainting", flavour="inpainting")
    write_clip(folder / "clip")
    write_sam(folder / "sam")
    write_grounding_dino(folder / "grounding-dino")
    return folder


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("INSITU_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.delenv("INSITU_POCKET_MODELS", raising=False)


@pytest.fixture
def scene(tmp_path):
    """Write a picture of 64 pixels with a blue square, and its mask; return the picture's path."""
    picture = np.full((64, 64, 3), 190, np.uint8)
    picture += np.random.default_rng(0).integers(0, 12, picture.shape, np.uint8)
    picture[20:44, 16:40] = (40, 60, 200)
    mask = np.zeros((64, 64), np.uint8)
    mask[18:46, 14:42] = 255
    (tmp_path / "scenes").mkdir()
    iio.imwrite(tmp_path / "scenes" / "scene.png", picture)
    iio.imwrite(tmp_path / "mask.png", mask)
    return tmp_path / "scenes" / "scene.png"


def receipt_of(output="out.png"):
    return json.loads(Path(f"{output}.json").read_text())


@pytest.mark.parametrize(
    ("editor", "folder", "more"),
    [
        ("instructedit", "stable-diffusion", ("--strength", "auto")),
        ("diffedit", "stable-diffusion", ()),
        ("instruct-pix2pix", "instruct-pix2pix", ()),
        ("inpainting", "inpainting", ()),
    ],
)
def test_each_editor_runs_from_the_tree(insitu, scene, tree, editor, folder, more):
    arguments = (scene, REPLACE, "--mask", "mask.png", "--editor", editor, "--models", tree)
    ran = insitu("image", *arguments, *FEW, *more, "-o", "out.png")
    assert ran.code == 0, ran.err
    before, after = iio.imread(scene).astype(int), iio.imread("out.png").astype(int)
    changed = (before != after).any(axis=-1)
    assert changed.any()
    assert not changed[iio.imread("mask.png") == 0].any()
    parts = receipt_of()["parts"]
    assert parts["model_tree"] == str(tree)
    assert str(tree / folder) in parts["models"]
    assert all(Path(model).parent == tree for model in parts["models"])
    assert insitu("verify", "out.png").code == 0


def test_grounder_and_segmenter_come_from_the_tree_too(insitu, scene, tree):
    asked = "replace the biggest square with a tuxedo"
    ran = insitu("image", scene, asked, "--editor", "diffedit", "--models", tree, *FEW)
    assert ran.code == 0, ran.err
    receipt = receipt_of(scene.with_name("scene.edited.png"))
    assert receipt["evaluations_by_stage"]["locate"]["grounding dino"] == 1
    parts = receipt["parts"]
    assert (parts["grounder"], parts["segmenter"]) == ("grounding_dino", "sam")
    assert {str(tree / "grounding-dino"), str(tree / "sam")} <= set(parts["models"])


def test_pocket_names_the_tree_that_belongs_to_insitu(
    insitu, scene, tree, monkeypatch, tmp_path_factory
):
    arguments = (scene, REPLACE, "--mask", "mask.png", "--editor", "inpainting", *FEW)
    monkeypatch.setattr(model_trees, "_IN_REPOSITORY", tmp_path_factory.mktemp("empty"))
    missing = insitu("image", *arguments, "--models", "pocket", "-o", "out.png")
    assert missing.code == 6
    assert "insitu pocket train -o DIR" in missing.err
    monkeypatch.setenv("INSITU_POCKET_MODELS", str(tree))
    assert insitu("image", *arguments, "--models", "pocket", "-o", "out.png").code == 0
    assert receipt_of()["parts"]["model_tree"] == str(tree)


def test_what_the_tree_lacks_is_missing_and_no_tree_is_a_bad_value(insitu, scene, tree):
    arguments = ("image", scene, REPLACE, "--mask", "mask.png", "-o", "out.png", "--editor")
    missing = insitu(*arguments, "klein", "--models", tree)
    assert missing.code == 6
    assert str(tree / "klein") in missing.err
    absent = insitu(*arguments, "inpainting", "--models", "nowhere")
    assert absent.code == 7
    assert "nowhere" in absent.err
    assert insitu(*arguments, "inpainting", "--models", scene.parent).code == 7


def test_a_receipt_repeats_an_edit_from_its_tree_also_where_that_was_moved_to(
    insitu, scene, tree, tmp_path_factory
):
    moved = tmp_path_factory.mktemp("moving") / "first"
    moved.mkdir()
    (moved / "inpainting").symlink_to(tree / "inpainting")
    arguments = (scene, REPLACE, "--mask", "mask.png", "--editor", "inpainting", *FEW)
    assert insitu("image", *arguments, "--models", moved, "-o", "out.png").code == 0
    replay = ("image", "--replay", "out.png.json", "-o", "again.png")
    assert insitu(*replay).code == 0
    assert Path("again.png").read_bytes() == Path("out.png").read_bytes()
    Path("again.png").unlink()
    moved.rename(moved.with_name("second"))
    assert insitu(*replay).code == 7
    assert insitu(*replay, "--models", moved.with_name("second")).code == 0
    assert Path("again.png").read_bytes() == Path("out.png").read_bytes()


def test_a_folder_of_photos_is_done_anew_with_another_tree(insitu, scene, tree, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    (other / "inpainting").symlink_to(tree / "inpainting")
    arguments = ("image", scene.parent, REPLACE, "--mask", "mask.png", "--editor", "inpainting")
    told = [
        insitu(*arguments, *FEW, "--models", models, "-o", "done", "--format", "json").outcome
        for models in (tree, tree, other)
    ]
    assert [one["status"] for one in told] == ["done", "skipped", "done"]
