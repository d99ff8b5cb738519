"""What a run cannot use ends it with one clear message and a next step; nothing is lost."""

from __future__ import annotations

import json
import resource
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("nerfstudio", reason="the extra insitu[nerf] is not installed")

import nerf_runs

from image_core.errors import (
    EditFailed,
    InstructionNotUnderstood,
    InvalidInput,
    MissingWeights,
    TargetNotFound,
    UnsupportedEdit,
)
from nerf import perceptual
from pocket import write_capture


@pytest.fixture(scope="module")
def capture(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scene") / "table"
    return write_capture(folder, views=8, width=48, height=36).folder


def run_folder(output):
    return output / "run/insitu-cpu/a"


def checkpoints(output):
    return {path: path.read_bytes() for path in run_folder(output).rglob("*.ckpt")}


def refused(act):
    """Assert that something ends as ``ns-train`` should end, and return the error and its text."""
    with pytest.raises(SystemExit) as caught:
        act()
    error, said = caught.value.__cause__, str(caught.value.code)
    # a SystemExit of text goes to stderr and makes the exit code 1
    assert said == f"insitu: {type(error).__name__}: {error}" + f"\n{error.hint}" * bool(error.hint)
    return error


def refused_before_training(output, *settings, **changes):
    """Assert that a run is refused before its first step, and return the error."""
    error = refused(lambda: nerf_runs.trainer_for(*settings, **changes))
    assert checkpoints(output) == {}
    return error


def change(folder, edit):
    path = folder / "transforms.json"
    meta = json.loads(path.read_text())
    edit(meta)
    path.write_text(json.dumps(meta))


def _picture(folder, number):
    return folder / "images" / f"{number:04}.png"


def _saved(folder, number, samples):
    Image.fromarray(samples).save(_picture(folder, number))


def _not_finite(meta):
    meta["frames"][2]["transform_matrix"][0][3] = float("nan")


FAULTS = {
    "no json": (lambda f: (f / "transforms.json").unlink(), "transforms.json"),
    "missing pictures": (lambda f: _picture(f, 3).unlink(), "1 of 8 pictures are missing: .*0003"),
    "one picture": (lambda f: change(f, lambda m: m.update(frames=m["frames"][:1])), "1 picture,"),
    "other size": (
        lambda f: _saved(f, 4, np.zeros((30, 48, 3), np.uint8)),
        "different sizes, 48x36 .7., 48x30 .1.: .*0004",
    ),
    "alpha": (lambda f: _saved(f, 5, np.full((36, 48, 4), 200, np.uint8)), "transparent.*0005"),
    "torn": (lambda f: _picture(f, 6).write_bytes(b"\x89PNG"), "cannot be read: .*0006"),
    "NaN pose": (lambda f: change(f, _not_finite), "pose of 1 of 8 views has NaN .*0003"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_capture_that_cannot_be_trained_on_is_refused(capture, tmp_path, fault):
    spoil, told = FAULTS[fault]
    folder = Path(shutil.copytree(capture, tmp_path / "spoilt"))
    spoil(folder)
    error = refused_before_training(tmp_path, nerf_runs.config_for(folder, tmp_path))
    assert isinstance(error, InvalidInput)
    assert error.hint
    with pytest.raises(InvalidInput, match=told):
        raise error


BOX = (10.0, 8.0, 30.0, 28.0)
SETTINGS = {
    "unknown editor": ({"editor": "photoshop"}, InvalidInput, "photoshop"),
    "unknown option": (
        {"editor": nerf_runs.BLENDS, "editor_options": ("colour=3",)},
        UnsupportedEdit,
        "colour",
    ),
    "option without value": (
        {"editor": nerf_runs.BLENDS, "editor_options": ("share",)},
        InvalidInput,
        "share",
    ),
    "options for no editor": ({"editor_options": ("share=1",)}, InvalidInput, "--pipeline.editor "),
    "strength above 1": ({"strength": (0.5, 1.5)}, InvalidInput, "1.5"),
    "strength NaN": ({"strength": (float("nan"),)}, InvalidInput, "nan"),
    "no rounds": ({"rounds": 0}, InvalidInput, "rounds"),
    "no steps between updates": ({"update_every": 0}, InvalidInput, "update-every"),
    "negative reconstruction": ({"reconstruct_steps": -1}, InvalidInput, "reconstruct-steps"),
    "share above 1": ({"min_share": 1.5}, InvalidInput, "min-share"),
    "box without view": ({"box": BOX}, InvalidInput, "one view"),
    "view without box": ({"box_view": "0001.png"}, InvalidInput, "box"),
    "unknown view": ({"box": BOX, "box_view": "0999.png"}, InvalidInput, "0999.png"),
    "held-out view": ({"box": BOX, "box_view": "0008.jpg"}, InvalidInput, "0008.jpg"),
    "box outside": ({"box": (60.0, 8.0, 90.0, 28.0), "box_view": "0001.png"}, InvalidInput, "box"),
    "box and masks": (
        {"box": BOX, "box_view": "0001.png", "mask_dir": Path("masks")},
        InvalidInput,
        "exclude",
    ),
    "no mask folder": ({"mask_dir": Path("nowhere")}, InvalidInput, "nowhere"),
    "region without instruction": (
        {"instruction": "", "box": BOX, "box_view": "0001.png"},
        InvalidInput,
        "instruction",
    ),
    "words that name no edit": (
        {"instruction": "quo usque tandem"},
        InstructionNotUnderstood,
        "quo usque",
    ),
    "nothing matches": (
        {"instruction": "make the orange bottle blue"},
        TargetNotFound,
        "none of the 8 views",
    ),
    "add": (
        {"instruction": "add a hat to the red ball", "region_3d": "box"},
        UnsupportedEdit,
        "no editor that could do it",
    ),
    "remove": (
        {"instruction": "remove the red ball", "region_3d": "box"},
        UnsupportedEdit,
        "networks",
    ),
    "texture": ({"instruction": "make the red ball striped"}, UnsupportedEdit, "texture"),
    "five steps": (
        {
            "then": tuple(f"make the red ball {c}" for c in ("green", "pink", "white", "black")),
            "region_3d": "field",
        },
        UnsupportedEdit,
        "up to 4 steps",
    ),
}


@pytest.mark.parametrize("case", SETTINGS)
def test_settings_that_no_edit_can_have_are_refused_before_training(capture, tmp_path, case):
    settings, kind, told = SETTINGS[case]
    config = nerf_runs.config_for(capture, tmp_path, **settings)
    error = refused_before_training(tmp_path, config)
    assert type(error) is kind
    assert told in f"{error} {error.hint}"


def test_resampled_pictures_are_refused_since_edits_would_vanish(capture, tmp_path):
    config = nerf_runs.config_for(capture, tmp_path)
    config.pipeline.datamanager.train_num_images_to_sample_from = 3
    error = refused_before_training(tmp_path, config)
    assert isinstance(error, InvalidInput)
    assert "-1" in str(error)


def test_more_than_one_process_is_refused(capture, tmp_path):
    config = nerf_runs.config_for(capture, tmp_path)
    trainer = config._target(config, local_rank=0, world_size=2)
    error = refused(trainer.setup)
    assert isinstance(error, InvalidInput)
    assert "--machine.num-devices 1" in error.hint


def test_a_patch_larger_than_the_views_is_refused_and_the_reconstruction_kept(capture, tmp_path):
    config = nerf_runs.config_for(capture, tmp_path)
    config.pipeline.datamanager.edit_patch_size = 37
    trainer = nerf_runs.trainer_for(config)
    error = refused(trainer.train)
    assert isinstance(error, InvalidInput)
    assert "48x36" in str(error)
    assert checkpoints(tmp_path)


def test_without_its_weights_the_perceptual_loss_is_refused(capture, tmp_path, monkeypatch):
    monkeypatch.setattr("torch.hub.get_dir", lambda: str(tmp_path))
    config = nerf_runs.config_for(capture, tmp_path)
    config.pipeline.model.perceptual_weight = 1.0
    error = refused_before_training(tmp_path, config)
    assert isinstance(error, MissingWeights)
    assert "alexnet" in error.hint
    assert "perceptual-weight 0" in error.hint
    assert not perceptual.is_present()


def test_an_editor_that_fails_on_every_view_ends_the_run_and_no_view_changes(capture, tmp_path):
    editor = f"{nerf_runs.EDITORS}:GivesNaN"
    config = nerf_runs.config_for(capture, tmp_path, editor=editor, editor_options=("every=1",))
    trainer = nerf_runs.trainer_for(config)
    error = refused(trainer.train)
    assert isinstance(error, EditFailed)
    assert error.hint
    assert not list(run_folder(tmp_path).glob("edits/*.png"))
    data = trainer.pipeline.datamanager
    shown = data._cache()["image"].numpy()
    np.testing.assert_array_equal(np.rint(shown * 255).astype(np.uint8), data.originals)


@pytest.mark.parametrize("views", [1, 6])
def test_a_full_disk_at_the_nth_update_leaves_a_run_that_can_be_resumed(capture, tmp_path, views):
    settings = {"editor": nerf_runs.BLENDS, "steps_per_save": 3}
    trainer = nerf_runs.trainer_for(nerf_runs.config_for(capture, tmp_path, **settings))
    data, free = trainer.pipeline.datamanager, resource.getrlimit(resource.RLIMIT_FSIZE)
    write, written, before = data.write, [], {}

    def fills_the_disk(view, picture):
        write(view, picture)
        written.append(view)
        if len(written) == views:
            before.update(checkpoints(tmp_path))
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, free[1]))

    data.write = fills_the_disk
    try:
        error = refused(trainer.train)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, free)
    assert isinstance(error, InvalidInput)
    assert "can" in str(error)
    assert error.hint
    assert len(written) == views
    assert checkpoints(tmp_path) == before
    assert before
    again = {**settings, "load_dir": run_folder(tmp_path) / "nerfstudio_models"}
    resumed = nerf_runs.run(nerf_runs.config_for(capture, tmp_path, **again))
    record = json.loads((run_folder(tmp_path) / "edits/record.json").read_text())
    assert record["phase"] == "done"
    assert all(view["edited"] for view in record["views"])
    assert resumed._start_step == 1 + max(int(path.stem.split("-")[1]) for path in before)
