"""``insitu image --editor zone`` with miniature networks: real files, proved outside the layer."""

from __future__ import annotations

import json
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
from skimage import data

pytest.importorskip("torch")
pytest.importorskip("diffusers")

from image_core.testing.miniature.stable_diffusion import write_stable_diffusion


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    write_stable_diffusion(folder / "first", flavour="instruct-pix2pix")
    write_stable_diffusion(folder / "second", flavour="instruct-pix2pix", seed=1)
    return folder


@pytest.fixture
def zone(insitu, weights):
    """Run ZONE on a picture."""

    def run(picture, words, *more, options=()):
        models = (f"model={weights / 'first'}", f"second_model={weights / 'second'}")
        few = ("steps=2", "resolution=48", "segmenter=grabcut", *options)
        return insitu(
            "image", picture, words, *more, "--editor", "zone", "--editor-options", *models, *few
        )

    return run


def _cat(height: int, width: int) -> np.ndarray:
    return np.ascontiguousarray(data.chelsea()[:height, :width])


@pytest.mark.parametrize("words", ["make the cat wooden", "remove the collar", "add a red scarf"])
def test_each_action_ends_in_a_proved_file(zone, insitu, words):
    iio.imwrite("cat.png", _cat(120, 160))
    ran = zone("cat.png", words, "-o", "out.png")
    assert ran.code == 0, ran.err
    before, after = iio.imread("cat.png"), iio.imread("out.png")
    changed = (before != after).any(axis=-1)
    assert changed.any()
    assert not changed[iio.imread("out.png.mask.png") == 0].any()
    assert insitu("verify", "out.png").code == 0
    receipt = json.loads(Path("out.png.json").read_text())
    rows = receipt["evaluations_by_stage"]["apply"]
    assert rows["unet"] == (12 if words.startswith("remove") else 6)
    assert (rows["vae encoder"], rows["vae decoder"]) == (1, 1)
    action = {"make": "change", "remove": "remove", "add": "add"}[words.split()[0]]
    assert any(f"the action is {action}" in note for note in receipt["notes"])


@pytest.mark.parametrize(
    ("size", "kind"),
    [((70, 100), "rgb"), ((100, 70), "rgb"), ((20, 30), "rgb"), ((64, 64), "alpha"),
     ((64, 80), "deep"), ((60, 60), "grey")],
)  # fmt: skip
def test_sizes_alpha_depth_and_grey_are_kept(zone, insitu, size, kind):
    picture = _cat(*size)
    if kind == "alpha":
        alpha = np.linspace(0, 255, picture.shape[1]).astype(np.uint8)
        picture = np.dstack([picture, np.broadcast_to(alpha, picture.shape[:2])])
    elif kind == "deep":
        picture = picture.astype(np.uint16) * 257 + 3
    elif kind == "grey":
        picture = picture[..., 1]
    name = "cat.tif" if kind == "deep" else "cat.png"
    iio.imwrite(name, picture)
    ran = zone(name, "make the cat wooden", "-o", f"out{Path(name).suffix}")
    assert ran.code == 0, ran.err
    after = iio.imread(f"out{Path(name).suffix}")
    assert after.dtype == picture.dtype
    assert after.shape[:2] == picture.shape[:2]
    assert insitu("verify", f"out{Path(name).suffix}").code == 0


def test_a_mask_in_hand_bounds_it_and_turns_chain(zone, insitu):
    iio.imwrite("cat.png", _cat(96, 128))
    mask = np.zeros((96, 128), np.uint8)
    mask[20:90, 30:100] = 255
    iio.imwrite("mask.png", mask)
    ran = zone(
        "cat.png", "make the cat wooden", "--then", "remove its collar", "--mask", "mask.png",
        "-o", "out.png",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    changed = (iio.imread("cat.png") != iio.imread("out.png")).any(axis=-1)
    assert changed.any()
    assert not changed[mask == 0].any()
    assert insitu("verify", "out.png").code == 0


def test_what_cannot_be_done_ends_in_its_code(zone, insitu, weights):
    iio.imwrite("cat.png", _cat(64, 64))
    assert insitu("image", "cat.png", "make the cat wooden", "--editor", "zone").code == 6
    first = f"model={weights / 'first'}"
    lacking = insitu(
        "image", "cat.png", "remove the collar", "--editor", "zone", "--editor-options", first,
        "steps=2", "segmenter=none", "second_model=nobody/nothing",
    )  # fmt: skip
    assert lacking.code == 6
    assert zone("cat.png", "make the cat wooden", options=("beta=-1",)).code == 7
    assert zone("cat.png", "make the cat wooden", options=("action=paint",)).code == 7
    assert zone("cat.png", "make the cat wooden", options=("sampler=ddim",)).code == 5
