"""nerfstudio's own tools and ours on a finished run: offline, and with no editor at hand."""

from __future__ import annotations

import copy
import dataclasses
import json
import multiprocessing
import socket
import time
import urllib.request

import numpy as np
import pytest
import torch
from PIL import Image

pytest.importorskip("nerfstudio", reason="the extra insitu[nerf] is not installed")

import nerf_runs
from nerfstudio.configs.method_configs import method_configs
from nerfstudio.data.datamanagers.base_datamanager import VanillaDataManagerConfig
from nerfstudio.data.dataparsers.nerfstudio_dataparser import NerfstudioDataParserConfig
from nerfstudio.models.nerfacto import NerfactoModelConfig
from nerfstudio.scripts.eval import ComputePSNR
from nerfstudio.scripts.render import DatasetRender

from image_core.errors import InvalidInput
from insitu.__main__ import main
from nerf.capture import read_capture
from nerf.perceptual import lazily_made
from pocket import write_capture

_LOCAL = ("127.0.0.1", "localhost", "::1")


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    """Let no connection leave this machine, and hold every test to trying none."""
    attempts = []

    def guard(owner, name, address_of):
        allowed = getattr(owner, name)

        def guarded(*arguments, **options):
            address = address_of(arguments)
            host = address[0] if isinstance(address, tuple) else address
            if isinstance(address, tuple | str) and host not in _LOCAL and "/" not in str(host):
                attempts.append((name, address))
                raise OSError(f"{name} is blocked")
            return allowed(*arguments, **options)

        monkeypatch.setattr(owner, name, guarded)

    for name in ("connect", "connect_ex"):
        guard(socket.socket, name, lambda arguments: arguments[1])
    for name in ("getaddrinfo", "gethostbyname", "create_connection"):
        guard(socket, name, lambda arguments: arguments[0])
    yield
    assert attempts == []


@pytest.fixture(scope="module")
def capture(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scene") / "table"
    return write_capture(folder, views=10, width=48, height=36).folder


@pytest.fixture(scope="module")
def run(capture, tmp_path_factory):
    """The folder of a finished run whose editor, a plug-in file, is no longer there."""
    folder = tmp_path_factory.mktemp("runs")
    plug_in = folder / "gone.py"
    plug_in.write_text(nerf_runs.EDITORS.read_text())
    config = nerf_runs.config_for(
        capture,
        folder,
        editor=f"{plug_in}:BlendsTheRender",
        rounds=1,
        reconstruct_steps=60,
        steps_per_save=1000,
    )
    trainer = nerf_runs.run(config)
    plug_in.unlink()
    return trainer.base_dir


def test_ns_eval_measures_the_held_out_views(run, tmp_path):
    ComputePSNR(load_config=run / "config.yml", output_path=tmp_path / "eval.json").main()
    results = json.loads((tmp_path / "eval.json").read_text())["results"]
    assert 5 < results["psnr"] < 60
    assert 0 < results["ssim"] <= 1
    assert "lpips" not in results


def test_ns_render_renders_the_held_out_views(run, capture, tmp_path):
    out = tmp_path / "renders"
    DatasetRender(
        load_config=run / "config.yml", output_path=out, rendered_output_names=["rgb"]
    ).main()
    (picture,) = out.rglob("*.jpg")
    assert Image.open(picture).size == (48, 36)
    trained = {
        view["name"] for view in json.loads((run / "edits/record.json").read_text())["views"]
    }
    (held_out,) = (view for view in read_capture(capture).views if view.name not in trained)
    truth = np.asarray(Image.open(held_out.file), float)
    mean = np.asarray(Image.open(picture), float).mean(axis=(0, 1))
    assert np.abs(mean - truth.mean(axis=(0, 1))).max() < 60  # the room's colours, roughly


def test_ns_export_writes_the_cameras_and_a_point_cloud(run, tmp_path):
    pytest.importorskip(
        "open3d", reason="open3d cannot be loaded (libusb-1.0-0?)", exc_type=ImportError
    )
    from nerfstudio.scripts.exporter import ExportCameraPoses, ExportPointCloud

    ExportCameraPoses(load_config=run / "config.yml", output_dir=tmp_path / "cameras").main()
    poses = json.loads((tmp_path / "cameras/transforms_train.json").read_text())
    assert len(poses) == 9
    ExportPointCloud(
        load_config=run / "config.yml",
        output_dir=tmp_path / "points",
        num_points=200,
        num_rays_per_batch=256,
        remove_outliers=False,
        reorient_normals=False,
        normal_method="open3d",
    ).main()
    assert (tmp_path / "points/point_cloud.ply").read_bytes().startswith(b"ply")


def _view(config, port):
    from nerfstudio.scripts.viewer.run_viewer import RunViewer, ViewerConfigWithoutNumRays

    viewer = ViewerConfigWithoutNumRays(websocket_host="127.0.0.1", websocket_port=port)
    RunViewer(load_config=config, viewer=viewer).main()


def test_ns_viewer_starts_serves_and_stops(run):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    viewer = multiprocessing.get_context("fork").Process(
        target=_view, args=(run / "config.yml", port)
    )
    viewer.start()
    try:
        until = time.monotonic() + 60
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}", timeout=5) as answer:
                    assert answer.status == 200
                    assert b"<html" in answer.read().lower()
                break
            except OSError:
                assert viewer.is_alive()
                assert time.monotonic() < until
                time.sleep(0.1)
        time.sleep(0.5)
        assert viewer.is_alive()
    finally:
        viewer.terminate()
        viewer.join(20)
    assert not viewer.is_alive()


def test_the_edited_capture_is_exported_for_other_trainers(run, capture, tmp_path, capsys):
    out = tmp_path / "edited"
    assert main(["nerf", "export", "--load-config", f"{run / 'config.yml'}", "-o", f"{out}"]) == 0
    assert "edited: 9 views at 48x36" in capsys.readouterr().out
    before, after = read_capture(capture), read_capture(out)
    assert [view.name for view in after.views] == [view.name for view in before.views]
    changed = [
        not np.array_equal(np.asarray(Image.open(a.file)), np.asarray(Image.open(b.file)))
        for a, b in zip(after.views, before.views, strict=True)
    ]
    assert sum(changed) == 9  # all but the one that is held out


def test_a_run_is_evaluated_without_its_editor(run, capsys):
    command = ["evaluate", "nerf", "--load-config", f"{run / 'config.yml'}", "--format", "json"]
    assert main(command) == 0
    assert json.loads(capsys.readouterr().out)["status"] == "done"


@pytest.fixture(scope="module")
def nerfacto(capture, tmp_path_factory):
    """A stock nerfacto, trained for some steps: its trainer."""
    config = copy.deepcopy(method_configs["nerfacto"])
    ours = nerf_runs.config_for(capture, tmp_path_factory.mktemp("nerfacto"))
    for name in (
        *("output_dir", "experiment_name", "timestamp", "data", "machine", "vis", "logging"),
        *("mixed_precision", "steps_per_eval_batch", "steps_per_eval_image"),
    ):
        setattr(config, name, getattr(ours, name))
    config.max_num_iterations = config.steps_per_save = 8
    config.pipeline.datamanager = VanillaDataManagerConfig(
        dataparser=NerfstudioDataParserConfig(), data=capture, train_num_rays_per_batch=64
    )
    model, small = config.pipeline.model, ours.pipeline.model
    for name in ("num_levels", "log2_hashmap_size", "max_res", "hidden_dim", "hidden_dim_color"):
        setattr(model, name, getattr(small, name))
    model.num_proposal_samples_per_ray, model.num_nerf_samples_per_ray = (16, 12), 8
    model.proposal_net_args_list = [small.proposal_net_args_list[0]] * 2
    model.implementation, model.far_plane = "torch", 50.0
    with lazily_made():
        trainer = nerf_runs.trainer_for(config)
    trainer.train()
    return trainer


def test_a_nerfacto_run_is_a_start_with_its_own_settings_and_the_edit_begins_at_once(
    nerfacto, capture, tmp_path
):
    config = nerf_runs.config_for(
        capture, tmp_path, load_dir=nerfacto.checkpoint_dir, rounds=1, reconstruct_steps=30000
    )
    config.pipeline.model.quick_on_cpu = False  # quicker ones differ in the last bit
    trainer = nerf_runs.trainer_for(config)
    theirs, ours = nerfacto.config.pipeline.model, trainer.config.pipeline.model
    for setting in dataclasses.fields(NerfactoModelConfig):
        if setting.name not in ("_target", "eval_num_rays_per_chunk"):
            assert getattr(ours, setting.name) == getattr(theirs, setting.name), setting.name
    assert ours.far_plane == 50.0
    nerfacto.pipeline.model.proposal_sampler.set_anneal(1.0)  # as it is where nothing is trained
    renders = []
    for one in (nerfacto, trainer):
        one.pipeline.eval()
        camera = one.pipeline.datamanager.train_dataset.cameras[2:3]
        renders.append(one.pipeline.model.get_outputs_for_camera(camera)["rgb"])
    assert torch.equal(*renders)
    trainer.train()
    record = json.loads((trainer.base_dir / "edits/record.json").read_text())
    assert record["update"]["first_step"] == trainer._start_step == 8
    assert record["phase"] == "done"


def test_a_checkpoint_of_tinycudann_is_not_loaded_as_random_weights(nerfacto, capture, tmp_path):
    state = torch.load(max(nerfacto.checkpoint_dir.glob("*.ckpt")), weights_only=True)
    state["pipeline"] = {
        key.replace("hash_table", "tcnn_encoding.params"): value
        for key, value in state["pipeline"].items()
    }
    folder = tmp_path / "tcnn/nerfstudio_models"
    folder.mkdir(parents=True)
    torch.save(state, folder / "step-000000007.ckpt")
    (folder.parent / "config.yml").write_text((nerfacto.base_dir / "config.yml").read_text())
    with pytest.raises(SystemExit, match="tinycudann") as caught:
        nerf_runs.trainer_for(nerf_runs.config_for(capture, tmp_path, load_dir=folder))
    assert isinstance(caught.value.__cause__, InvalidInput)
