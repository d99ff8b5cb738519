"""What a run trains on: originals outside the region, edited pixels inside, by the right rays."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import cv2
import numpy as np
import pytest
import torch

pytest.importorskip("nerfstudio", reason="the extra insitu[nerf] is not installed")

import nerf_runs
from nerfstudio.cameras.camera_optimizers import CameraOptimizerConfig
from nerfstudio.configs.method_configs import all_methods
from nerfstudio.data.scene_box import SceneBox

from nerf.field_views import FieldViews
from nerf.perceptual import LazyPerceptual
from nerf.regions import iou
from pocket import write_capture

INSTRUCTION = "make the red ball blue"


@pytest.fixture(scope="module")
def capture(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scene") / "table"
    return write_capture(folder, views=8, width=48, height=36).folder


@pytest.fixture(scope="module", autouse=True)
def from_the_command_line(capture, tmp_path_factory):
    """A run of ``ns-train`` in a process of its own, which goes on beside the other tests."""
    folder = tmp_path_factory.mktemp("command")
    command = [
        *(sys.executable, "-m", "nerfstudio.scripts.train", "insitu-cpu", "--data", capture),
        *("--output-dir", folder, "--experiment-name", "table", "--timestamp", "a"),
        *("--pipeline.instruction", INSTRUCTION, "--pipeline.region-3d", "off"),
        *("--pipeline.editor", nerf_runs.BLENDS),
        *("--pipeline.editor-options", "share=1.0", "noise=0.0"),
        *("--pipeline.strength", "0.9", "0.5", "--pipeline.rounds", "2"),
        *("--pipeline.reconstruct-steps", "3", "--pipeline.views-per-update", "8"),
        *("--pipeline.update-every", "2", "--pipeline.settle-steps", "1", "--pipeline.seed", "3"),
        *("--pipeline.datamanager.train-num-rays-per-batch", "32"),
        *("--pipeline.model.log2-hashmap-size", "10"),
    ]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    with (folder / "printed").open("w") as printed:
        process = subprocess.Popen(
            [str(word) for word in command], stdout=printed, stderr=subprocess.STDOUT, env=kept
        )
    yield process, folder
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def edited(capture, tmp_path_factory):
    """The trainer of a finished run of two rounds by an editor that blends the render."""
    folder = tmp_path_factory.mktemp("edited")
    return nerf_runs.run(nerf_runs.config_for(capture, folder, editor=nerf_runs.BLENDS))


def supervised(trainer):
    return trainer.pipeline.datamanager._cache()["image"].numpy()


def test_outside_the_region_views_are_supervised_by_the_originals_bit_for_bit(edited):
    originals = edited.pipeline.datamanager.originals.astype(np.float32) / 255
    now = supervised(edited)
    for view, location in enumerate(edited.pipeline.edit.regions):
        outside = location.regions[0].alpha == 0
        assert 0.8 < outside.mean() < 0.99
        np.testing.assert_array_equal(now[view][outside], originals[view][outside])
        inside = location.regions[0].alpha == 1
        assert np.abs(now[view][inside] - originals[view][inside]).mean() > 0.05


def test_the_views_that_are_trained_on_are_those_on_disk(edited):
    record = json.loads((edited.base_dir / "edits/record.json").read_text())
    for view, shown in zip(record["views"], supervised(edited), strict=True):
        stored = cv2.imread(str(edited.base_dir / f"edits/{view['edited']}.png"))[..., ::-1]
        np.testing.assert_array_equal(stored.astype(np.float32) / 255, shown)


def test_a_recolouring_reaches_every_view_at_once_from_its_original(capture, tmp_path):
    settings = {"reconstruct_steps": 2, "settle_steps": 3, "rounds": 9}
    trainer = nerf_runs.run(nerf_runs.config_for(capture, tmp_path, **settings))
    update = trainer.pipeline.edit.update
    assert update.pointwise
    assert update.edits == 8
    assert update.last_update == 2
    assert trainer._ended_at == 2 + 3 - 1
    originals = trainer.pipeline.datamanager.originals / 255
    for now, before, location in zip(
        supervised(trainer), originals, trainer.pipeline.edit.regions, strict=True
    ):
        inside = location.regions[0].alpha == 1
        assert before[inside].mean(axis=0).argmax() == 0  # red
        assert now[inside].mean(axis=0).argmax() == 2


def truth_of(capture, name):
    stem = name.rsplit("/", 1)[-1]
    (path,) = capture.rglob(f"*red*ball*/{stem}")
    return cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) / np.float32(255)


@pytest.fixture(scope="module")
def boxed(capture, tmp_path_factory):
    """The trainer of a run that was given a box in one view, and what overlaps with the truth."""
    name = "0004.png"
    rows, columns = np.nonzero(truth_of(capture, name) > 0.5)
    box = (columns.min() - 1.0, rows.min() - 1.0, columns.max() + 2.0, rows.max() + 2.0)
    settings = {
        **{"box": tuple(map(float, box)), "box_view": name, "region_3d": "field"},
        **{"reconstruct_steps": 150, "region_steps": 100, "settle_steps": 1},
        "steps_per_save": 1000,
    }
    config = nerf_runs.config_for(capture, tmp_path_factory.mktemp("boxed"), **settings)
    config.pipeline.datamanager.train_num_rays_per_batch = 128
    return nerf_runs.run(config), settings


def overlaps(trainer, capture):
    """Return the IoU with the true mask in each view."""
    names, regions = trainer.pipeline.datamanager.names, trainer.pipeline.edit.regions
    return [
        0.0 if location is None else iou(location.regions[0].alpha, truth_of(capture, name))
        for name, location in zip(names, regions, strict=True)
    ]


def test_a_box_in_one_view_finds_the_thing_in_the_others(boxed, capture):
    trainer, _ = boxed
    found = overlaps(trainer, capture)
    assert np.mean(found) > 0.5
    assert min(sorted(found)[2:]) > 0.3  # two may be missed by so young a reconstruction
    shown = FieldViews(trainer.pipeline.datamanager, trainer.pipeline.model).outputs(0)
    assert shown["region"].shape == (36, 48, 1)
    assert (
        iou(shown["region"][..., 0], truth_of(capture, trainer.pipeline.datamanager.names[0])) > 0.3
    )


def test_the_box_in_3d_leaves_room_around_the_thing(boxed, capture, tmp_path):
    trainer, settings = boxed
    changed = {
        **settings,
        **{"region_3d": "box", "region_grow": 1.5, "fresh_edit": True},
        "load_dir": trainer.checkpoint_dir,
    }
    again = nerf_runs.run(nerf_runs.config_for(capture, tmp_path, **changed))
    names = again.pipeline.datamanager.names
    shares = []
    for name, location in zip(names, again.pipeline.edit.regions, strict=True):
        truth = truth_of(capture, name) > 0.5
        region = np.zeros_like(truth) if location is None else location.regions[0].alpha > 0.5
        shares.append((region[truth].mean(), region.mean() / truth.mean()))
    covered, larger = np.array(shares).T
    assert np.median(covered) > 0.9
    assert 1.2 < np.median(larger) < 8


@pytest.fixture(scope="module")
def corrected(capture, tmp_path_factory):
    """A trainer with poses that are corrected, each its own way, and a code for each view."""
    config = nerf_runs.config_for(capture, tmp_path_factory.mktemp("corrected"))
    config.pipeline.model.camera_optimizer = CameraOptimizerConfig(mode="SO3xR3")
    config.pipeline.model.use_appearance_embedding = True
    trainer = nerf_runs.trainer_for(config)
    adjustment = trainer.pipeline.model.camera_optimizer.pose_adjustment
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        adjustment.copy_(torch.randn(adjustment.shape, generator=generator) * 0.05)
    return trainer


@pytest.mark.parametrize("view", [0, 5])
def test_a_view_is_rendered_through_the_rays_that_it_is_trained_on(corrected, view):
    data, model = corrected.pipeline.datamanager, corrected.pipeline.model
    grid = torch.stack(torch.meshgrid(torch.arange(36), torch.arange(48), indexing="ij"), dim=-1)
    places = torch.cat([torch.full((36 * 48, 1), view), grid.reshape(-1, 2)], dim=-1)
    trained = data.train_ray_generator(places)
    uncorrected = trained.origins.clone()
    model.camera_optimizer.apply_to_raybundle(trained)
    rendered = FieldViews(data, model).rays(view).flatten()
    assert (trained.origins - uncorrected).abs().max() > 1e-3
    torch.testing.assert_close(rendered.origins, trained.origins, rtol=0, atol=1e-6)
    torch.testing.assert_close(rendered.directions, trained.directions, rtol=0, atol=1e-6)
    torch.testing.assert_close(rendered.pixel_area, trained.pixel_area, rtol=1e-3, atol=0)
    assert (rendered.camera_indices == view).all()


def test_a_view_is_rendered_with_its_own_code_and_the_training_is_not_disturbed(corrected):
    data, model = corrected.pipeline.datamanager, corrected.pipeline.model
    model.train()
    asked = []
    codes = model.field.embedding_appearance.embedding
    hook = codes.register_forward_hook(lambda _, indices, __: asked.append(indices[0].unique()))
    before = {key: value.clone() for key, value in model.state_dict().items()}
    drawn, sampler = torch.get_rng_state(), model.proposal_sampler
    counted = (sampler._step, sampler._steps_since_update)
    views = FieldViews(data, model)
    image = views.image(6)
    hook.remove()
    assert [index.tolist() for index in asked] == [[6]] * len(asked)
    assert asked
    assert image.shape == (36, 48, 3)
    assert np.ptp(image) > 0
    assert model.training
    assert model.field.training
    assert counted == (sampler._step, sampler._steps_since_update)
    assert torch.equal(drawn, torch.get_rng_state())
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    np.testing.assert_array_equal(image, views.image(6))


def test_patches_are_consecutive_pixels_and_reach_every_row_and_column(capture, tmp_path):
    config = nerf_runs.config_for(capture, tmp_path)
    config.pipeline.datamanager.edit_patch_size = 8
    config.pipeline.datamanager.edit_rays_per_batch = 64 * 480
    data = config.pipeline.datamanager.setup(
        device="cpu", test_mode="val", world_size=1, local_rank=0
    )
    assert data.begin_editing() == 8
    torch.manual_seed(0)
    _, batch = data.next_train(0)
    places = batch["indices"].reshape(-1, 8, 8, 3)
    assert len(places) == 480
    first = places[:, :1, :1]
    steps = torch.stack(torch.meshgrid(*[torch.arange(8)] * 2, indexing="ij"), dim=-1)
    assert (places[..., 0] == first[..., 0]).all()
    assert torch.equal(places[..., 1:], first[..., 1:] + steps)
    assert places[..., 1].unique().tolist() == list(range(36))
    assert places[..., 2].unique().tolist() == list(range(48))
    expected = data.originals[tuple(batch["indices"].T.numpy())] / np.float32(255)
    np.testing.assert_array_equal(batch["image"].numpy(), expected)


LADDER = {
    "insitu": (16384, 32, 1.0),
    "insitu-small": (8192, 32, 1.0),
    "insitu-tiny": (4096, 1, 0.0),
    "insitu-cpu": (256, 1, 0.0),
}


@pytest.mark.parametrize("name", LADDER)
def test_a_preset_is_registered_and_makes_its_model_offline(name):
    config = all_methods[name]
    assert config.method_name == name
    data, model = config.pipeline.datamanager, config.pipeline.model
    rays = (data.edit_rays_per_batch, data.edit_patch_size, model.perceptual_weight)
    assert rays == LADDER[name]
    assert data.edit_rays_per_batch % data.edit_patch_size**2 == 0
    assert model.average_init_density == 0.01
    assert config.viewer.websocket_host == "127.0.0.1"
    box = SceneBox(aabb=torch.tensor([[-1.0] * 3, [1.0] * 3]))
    made = model.setup(scene_box=box, num_train_data=3, device="cpu")
    assert isinstance(made.perceptual, LazyPerceptual)
    assert not [key for key in made.state_dict() if "lpips" in key]
    assert set(made.get_param_groups()) <= set(config.optimizers)


def test_ns_train_edits_from_the_command_line(from_the_command_line, capture):
    process, folder = from_the_command_line
    process.wait(240)
    printed = (folder / "printed").read_text()
    assert process.returncode == 0, printed[-3000:]
    run = folder / "table/insitu-cpu/a"
    record = json.loads((run / "edits/record.json").read_text())
    assert record["instruction"] == INSTRUCTION
    assert record["seed"] == 3
    assert record["phase"] == "done"
    assert record["update"]["edits"] == 16
    assert record["step"] == 3 + 2 * 2 + 1 - 1
    for view in record["views"]:
        assert (run / f"edits/{view['edited']}.png").is_file()
    assert [path.name for path in sorted((run / "nerfstudio_models").iterdir())][-1] == (
        "step-000000007.ckpt"
    )
    assert "edit: round 2 of 2, view 16 of 16" in " ".join(printed.split())
