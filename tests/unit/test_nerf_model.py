"""nerfacto as the edit needs it: the same values, other losses while editing, a region beside."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch

pytest.importorskip("nerfstudio", reason="the extra insitu[nerf] is not installed")

import nerf_runs
from nerfstudio.cameras.rays import RayBundle
from nerfstudio.data.scene_box import SceneBox
from nerfstudio.field_components.spatial_distortions import SceneContraction

from nerf.contraction import QuickContraction, contracted, quicken
from nerf.perceptual import LazyPerceptual, lazily_made


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    folder = tmp_path_factory.mktemp("none")
    return nerf_runs.config_for(folder, folder).pipeline.model


def made(config, **settings):
    torch.manual_seed(0)
    box = SceneBox(aabb=torch.tensor([[-1.0] * 3, [1.0] * 3]))
    changed = dataclasses.replace(config, **settings)
    return changed.setup(scene_box=box, num_train_data=3, device="cpu")


def rays(count):
    generator = torch.Generator().manual_seed(count)
    return RayBundle(
        origins=torch.rand(count, 3, generator=generator) - 0.5,
        directions=torch.nn.functional.normalize(
            torch.randn(count, 3, generator=generator), dim=-1
        ),
        pixel_area=torch.full((count, 1), 1e-4),
        camera_indices=torch.zeros(count, 1, dtype=torch.int64),
        metadata={"directions_norm": torch.ones(count, 1)},
    )


def points():
    generator = torch.Generator().manual_seed(7)
    near = torch.rand(500, 3, generator=generator) * 2 - 1
    far = torch.randn(500, 3, generator=generator) * 30
    edges = torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.5, -2.0], [1e4, 1.0, -3.0], [-0.99, 0.1, 0.2]])
    return torch.cat([near, far, edges])


def test_the_quick_contraction_has_the_stock_ones_values_and_gradients():
    stock = SceneContraction(order=math.inf)
    results = []
    for contract in (stock, contracted):
        at = points().requires_grad_()
        value = contract(at)
        (value * torch.linspace(-1, 1, 3)).sum().backward()
        results.append((value.detach(), at.grad))
    (expected, slope), (value, own_slope) = results
    torch.testing.assert_close(value, expected.where(points().norm(dim=-1)[:, None] > 0, points()))
    assert value.abs().max() <= 2
    known = slope.isfinite()  # the stock one's is not at the origin
    assert known.sum() >= known.numel() - 3
    torch.testing.assert_close(own_slope[known], slope[known], rtol=1e-5, atol=1e-6)
    assert own_slope.isfinite().all()


def test_only_contractions_of_the_largest_coordinate_are_quickened():
    parts = torch.nn.ModuleList([SceneContraction(order=math.inf), SceneContraction(order=2)])
    assert quicken(parts) == 1
    assert [type(part) for part in parts] == [QuickContraction, SceneContraction]
    assert quicken(parts) == 0


def losses(config, *, editing, patch=1, **settings):
    """Return a model's losses for a made-up batch, and the batch's colours."""
    model = made(config, **settings)
    model.train()
    if editing:
        model.begin_editing(patch)
    outputs = model(rays(2 * patch**2 if patch > 1 else 10))
    batch = {
        "image": torch.rand(len(outputs["rgb"]), 3, generator=torch.Generator().manual_seed(1))
    }
    metrics = model.get_metrics_dict(outputs, batch)
    return model.get_loss_dict(outputs, batch, metrics), outputs["rgb"], batch["image"]


def test_colours_are_compared_by_l1_while_editing_if_asked_and_by_mse_else(config):
    editing = {"editing": True}
    found, rgb, wanted = losses(config, editing=True, edit_loss="l1")
    torch.testing.assert_close(found["rgb_loss"], (rgb - wanted).abs().mean())
    for case in ({"editing": False, "edit_loss": "l1"}, {**editing, "edit_loss": "mse"}):
        found, rgb, wanted = losses(config, **case)
        torch.testing.assert_close(found["rgb_loss"], ((rgb - wanted) ** 2).mean())
        assert "perceptual_loss" not in found


def test_cameras_and_appearance_do_not_take_up_what_views_disagree_about(config):
    model = made(config)
    model.begin_editing(1)
    assert not [p for p in model.camera_optimizer.parameters() if p.requires_grad]
    assert [p for p in model.field.mlp_base.parameters() if p.requires_grad]


def test_patches_are_compared_as_pictures_while_editing_only(config, monkeypatch):
    seen = []

    def distance(self, first, second):
        seen.append((first, second))
        return (first - second).abs().max()

    monkeypatch.setattr(LazyPerceptual, "__call__", distance)
    found, rgb, wanted = losses(config, editing=True, patch=4, perceptual_weight=0.5)
    ((first, second),) = seen
    assert first.shape == second.shape == (2, 3, 4, 4)
    for picture, colours in ((first, wanted), (second, rgb)):
        # the second patch's row 2, column 3 is its ray 2 * 4 + 3
        torch.testing.assert_close(picture[1, :, 2, 3], colours[16 + 2 * 4 + 3])
    torch.testing.assert_close(found["perceptual_loss"], 0.5 * (rgb - wanted).abs().max())
    assert "perceptual_loss" not in losses(config, editing=False, patch=4, perceptual_weight=0.5)[0]
    assert "perceptual_loss" not in losses(config, editing=True, patch=4, perceptual_weight=0.0)[0]
    assert len(seen) == 1


def test_lpips_without_its_weights_is_nan_and_neither_loaded_nor_fetched(monkeypatch, tmp_path):
    monkeypatch.setattr("torch.hub.get_dir", lambda: str(tmp_path))
    with lazily_made():
        from torchmetrics.image import lpip

        metric = lpip.LearnedPerceptualImagePatchSimilarity(normalize=True)
    assert isinstance(metric, LazyPerceptual)
    assert metric(torch.rand(1, 3, 16, 16), torch.rand(1, 3, 16, 16)).isnan()
    assert not issubclass(lpip.LearnedPerceptualImagePatchSimilarity, LazyPerceptual)
    assert list(tmp_path.iterdir()) == []


def test_a_metric_that_is_not_a_number_is_left_out(config, monkeypatch, tmp_path):
    monkeypatch.setattr("torch.hub.get_dir", lambda: str(tmp_path))
    model = made(config).eval()
    picture = torch.rand(12, 16, 3)
    outputs = {
        "rgb": picture * 0.5,
        "accumulation": torch.rand(12, 16, 1),
        "depth": torch.rand(12, 16, 1),
        "prop_depth_0": torch.rand(12, 16, 1),
        "region": torch.rand(12, 16, 1),
    }
    metrics, images = model.get_image_metrics_and_images(
        outputs, {"image": picture, "image_idx": 0}
    )
    assert set(metrics) == {"psnr", "ssim"}
    assert images["region"] is outputs["region"]


@pytest.mark.parametrize("steps", [0, 1, 3])
def test_a_trained_region_is_rendered_for_each_step_and_over_all(config, steps):
    model = made(config).eval()
    model.region_outputs.fill_(steps)
    with torch.no_grad():
        # an untrained region is empty; these weights make it something
        for parameter in model.region_field.parameters():
            parameter.uniform_(-1, 1, generator=torch.Generator().manual_seed(2))
        outputs = model(rays(20))
    each = [outputs[f"region_{k}"] for k in range(1, steps + 1)] if steps > 1 else []
    assert {name for name in outputs if name.startswith("region")} == {
        *(["region"] if steps else []),
        *(f"region_{k + 1}" for k in range(len(each))),
    }
    if steps:
        assert outputs["region"].shape == (20, 1)
        assert 0 <= outputs["region"].min() < outputs["region"].max() <= 1
    if each:
        assert torch.equal(outputs["region"], torch.stack(each).amax(dim=0))
    model.train()
    assert not [name for name in model(rays(20)) if name.startswith("region")]


def test_quick_ways_give_the_stock_colours(config):
    quick, stock = made(config), made(config, quick_on_cpu=False)
    stock.load_state_dict(quick.state_dict())
    with torch.no_grad():
        results = [model.eval()(rays(50))["rgb"] for model in (quick, stock)]
    torch.testing.assert_close(*results, rtol=0, atol=1e-4)
