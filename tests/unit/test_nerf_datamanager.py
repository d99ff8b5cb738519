"""Views in memory: in the data set's order, by name, written one at a time, in checkpoints."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

pytest.importorskip("nerfstudio", reason="the extra insitu[nerf] is not installed")

import nerf_runs
from nerf_captures import write_capture

from nerf.capture import read_capture


def manager(folder, *, seed=0, **parser):
    """Return the data manager of a capture, made after seeding the random generators."""
    config = nerf_runs.config_for(folder, folder).pipeline.datamanager
    for name, value in parser.items():
        setattr(config.dataparser, name, value)
    random.seed(seed)
    torch.manual_seed(seed)
    return config.setup(device="cpu", test_mode="val", world_size=1, local_rank=0)


@pytest.fixture
def scene(tmp_path):
    return write_capture(tmp_path / "scene", views=12)


def test_a_views_number_means_the_same_whatever_the_seed(tmp_path, scene):
    managers = [manager(tmp_path / "scene", seed=seed) for seed in (0, 1)]
    trained = [int(name[-8:-4]) - 1 for name in managers[0].names]
    assert len(trained) == 11
    assert trained == sorted(trained)
    for made in managers:
        assert made.names == managers[0].names
        assert made._cache()["image_idx"].tolist() == list(range(11))
        np.testing.assert_array_equal(made.originals, [scene[number] for number in trained])
        expected = made.originals.astype(np.float32) / np.float32(255)
        np.testing.assert_array_equal(made._cache()["image"].numpy(), expected)


def test_names_are_those_of_the_capture_also_where_reduced_pictures_are_read(tmp_path, scene):
    folder = tmp_path / "scene"
    names = [view.name for view in read_capture(folder).views]
    small = folder / "images_2"
    small.mkdir()
    for number, samples in enumerate(scene):
        Image.fromarray(samples[::2, ::2]).save(small / f"{number + 1:04}.png")
    made = manager(folder, downscale_factor=2)
    assert made.originals.shape[1:3] == (8, 12)
    assert made.names == manager(folder).names
    assert set(made.names) < set(names)


def test_names_do_not_depend_on_how_the_capture_is_named(tmp_path, scene, monkeypatch):
    expected = manager(tmp_path / "scene").names
    monkeypatch.chdir(tmp_path)
    assert manager(Path("scene")).names == expected
    assert manager(Path("scene/transforms.json")).names == expected


def test_an_edited_view_is_written_to_its_own_pixels_alone(tmp_path, scene):
    made = manager(tmp_path / "scene")
    before = made._cache()["image"].clone()
    picture = 255 - made.originals[3]
    made.write(3, picture)
    now = made._cache()["image"]
    expected = picture.astype(np.float32) / np.float32(255)
    np.testing.assert_array_equal(now[3].numpy(), expected)
    others = [view for view in range(11) if view != 3]
    assert torch.equal(now[others], before[others])
    _, batch = made.next_train(0)
    at = batch["indices"]
    assert torch.equal(batch["image"], now[at[:, 0], at[:, 1], at[:, 2]])  # what is trained on
    assert made.originals[3].tolist() == (255 - picture).tolist()
    made.forget_edits()
    assert torch.equal(made._cache()["image"], before)


def test_opaque_alpha_is_dropped(tmp_path, scene):
    folder = tmp_path / "scene"
    for number, samples in enumerate(scene):
        opaque = np.concatenate([samples, np.full((16, 24, 1), 255, np.uint8)], axis=-1)
        Image.fromarray(opaque).save(folder / f"images/{number + 1:04}.png")
    made = manager(folder)
    assert made._cache()["image"].shape == (11, 16, 24, 3)
    np.testing.assert_array_equal(made.originals[0], scene[int(made.names[0][-8:-4]) - 1])


def test_the_record_goes_through_a_state_dict_and_an_old_one_without_it_loads(tmp_path, scene):
    made = manager(tmp_path / "scene")
    made.record = {"instruction": "make it blue", "views": [{"edited": None}], "step": 3}
    torch.save(made.state_dict(), tmp_path / "state")
    other = manager(tmp_path / "scene", seed=4)
    other.load_state_dict(torch.load(tmp_path / "state", weights_only=True))
    assert other.record == made.record
    shutil.rmtree(tmp_path / "scene/images")  # pictures are read before, once
    assert other.next_train(1)[1]["image"].shape == (64, 3)
