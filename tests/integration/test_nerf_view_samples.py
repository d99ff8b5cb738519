"""Samples of all views: kept or drawn anew, and a region carried from one view by their depth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("nerfstudio", reason="the extra insitu[nerf] is not installed")

import nerf_runs
import torch

from image_core.types import Location, Region
from nerf.field_views import FieldViews
from nerf.region_carrying import carried_from, hull_regions
from nerf.regions import iou
from nerf.view_samples import REDUCED, ViewSamples
from pocket import write_capture


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A reconstruction good enough for depth."""
    folder = tmp_path_factory.mktemp("samples")
    write_capture(folder / "capture", views=10, width=96, height=72)
    config = nerf_runs.config_for(
        folder / "capture", folder / "out", instruction="", reconstruct_steps=250
    )
    config.pipeline.datamanager.train_num_rays_per_batch = 256
    return nerf_runs.run(config)


@pytest.fixture(scope="module")
def views(run: Any) -> FieldViews:
    return FieldViews(run.pipeline.datamanager, run.pipeline.insitu_model)


def true_masks(views: FieldViews) -> list[np.ndarray]:
    from image_core.mask_file import read_mask

    folder = Path(views.datamanager.get_datapath()) / "truth" / "masks" / "red_ball"
    return [read_mask(folder / Path(name).name) for name in views.datamanager.names]


def test_rays_that_are_kept_are_those_that_are_drawn(views: FieldViews) -> None:
    kept, anew = ViewSamples(views), ViewSamples(views, keep=0)
    places = np.array([[3, 5, 7], [0, 2, 2], [3, 30, 40], [7, 0, 0]])
    positions, weights = kept.at(places)
    for place, at, weight in zip(places, positions, weights, strict=True):
        whole = kept.of(int(place[0]))
        assert torch.equal(at, whole.positions[place[1], place[2]])
        assert torch.equal(weight, whole.weights[place[1], place[2]])
    near, _ = anew.at(places)
    assert near.shape == positions.shape
    assert (near - positions).abs().max() < 0.05, "half a pixel away"
    assert not anew._kept


def test_the_depth_is_what_the_model_renders(views: FieldViews) -> None:
    samples = ViewSamples(views)
    rendered = views.outputs(2, reduced=REDUCED)["depth"][..., 0]
    assert np.allclose(samples.of(2).depth, rendered, rtol=1e-5)


def test_sampling_leaves_the_random_state_and_the_mode_alone(views: FieldViews) -> None:
    views.model.train()
    state = torch.get_rng_state()
    ViewSamples(views).of(1)
    assert views.model.training
    assert torch.equal(torch.get_rng_state(), state)


def test_a_region_of_one_view_is_found_in_the_others(views: FieldViews) -> None:
    masks = true_masks(views)
    samples = ViewSamples(views)
    known = Location(regions=(Region(alpha=masks[4]),))
    made = carried_from(samples, 4, known, list(views.datamanager.originals))
    overlaps = [
        iou(location.regions[0].alpha, mask)
        for view, (location, mask) in enumerate(zip(made, masks, strict=True))
        if location is not None and view != 4
    ]
    assert len(overlaps) >= 6
    assert np.median(overlaps) > 0.75
    boxes = hull_regions(samples, made, grow=1.2)
    covered = [
        np.count_nonzero((box.regions[0].alpha > 0) & (mask > 0.5)) / np.count_nonzero(mask > 0.5)
        for box, mask in zip(boxes, masks, strict=True)
        if box is not None
    ]
    assert np.median(covered) > 0.9
