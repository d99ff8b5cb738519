"""Runs of the NeRF method small enough for tests: a field of a few thousand numbers, 48 x 36 views.

``in_a_process`` is for processes that the resume tests kill.
"""

from __future__ import annotations

import copy
import hashlib
import json
import os
import random
import resource
import signal
import sys
from pathlib import Path
from typing import Any

import nerf_editors
import numpy as np
import torch

from configs.nerf import insitu_cpu
from nerf.field_views import FieldViews

EDITORS = Path(nerf_editors.__file__)
BLENDS = f"{EDITORS}:BlendsTheRender"


def config_for(capture: Path, output: Path, **settings: Any) -> Any:
    """Return the CPU preset, shrunk; ``settings`` are fields of its pipeline or of the trainer."""
    config = copy.deepcopy(insitu_cpu.config)
    config.output_dir, config.experiment_name, config.timestamp = output, "run", "a"
    config.data = config.pipeline.datamanager.data = capture
    config.steps_per_save = 5
    config.vis = "tensorboard"
    config.steps_per_eval_batch = config.steps_per_eval_image = 10**9
    config.logging.local_writer.enable = False
    config.pipeline.datamanager.train_num_rays_per_batch = 64
    config.pipeline.datamanager.edit_rays_per_batch = 64
    model = config.pipeline.model
    model.num_levels, model.log2_hashmap_size, model.max_res = 4, 12, 64
    model.hidden_dim = model.hidden_dim_color = 16
    model.num_proposal_samples_per_ray, model.num_nerf_samples_per_ray = (16,), 8
    model.proposal_net_args_list = [
        {
            "hidden_dim": 8,
            "log2_hashmap_size": 10,
            "num_levels": 2,
            "max_res": 32,
            "use_linear": False,
        }
    ]
    small = {
        "reconstruct_steps": 10,
        "region_steps": 20,
        "rounds": 2,
        "update_every": 2,
        "views_per_update": 2,
        "settle_steps": 5,
        "instruction": "make the red ball blue",
        "region_3d": "off",
    }
    for name, value in (small | settings).items():
        target = config.pipeline if hasattr(config.pipeline, name) else config
        setattr(target, name, value)
    return config


def trainer_for(config: Any, seed: int = 42) -> Any:
    """Return a trainer that is set up, its random generators seeded as ``ns-train`` does."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    from nerfstudio.utils import writer  # which cannot be the first of nerfstudio's modules

    writer.EVENT_WRITERS.clear()  # those of a run before this one in the same process
    config.save_config()
    trainer = config.setup()
    trainer.setup()
    return trainer


def run(config: Any, seed: int = 42) -> Any:
    """Train a run to its end, and return the trainer."""
    trainer = trainer_for(config, seed)
    trainer.train()
    return trainer


def in_a_process(settings: dict[str, Any], log: Path, outcome: Path) -> None:
    """Train as settings say, in a process of its own, and write down how it ended.

    Args:
        settings: Of ``config_for``, ``capture`` and ``output`` among them; ``machine_seed`` is what
            ``ns-train`` seeds the random generators with, ``largest_file`` the bytes above which
            writing a file kills the process.
        log: Takes what is printed; beside it, in ``.steps``, a line for each training step.
        outcome: Takes ``what_came_of`` as JSON, or the error.
    """
    printed = log.open("a", buffering=1)
    sys.stdout = sys.stderr = printed
    os.dup2(printed.fileno(), 1)
    os.dup2(printed.fileno(), 2)
    torch.set_num_threads(1)
    settings = dict(settings)
    capture, output = settings.pop("capture"), settings.pop("output")
    seed, largest = settings.pop("machine_seed", 42), settings.pop("largest_file", None)
    trainer = trainer_for(config_for(capture, output, **settings), seed)
    steps = os.open(log.with_suffix(".steps"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    train_iteration = trainer.train_iteration

    def noted(step: int) -> Any:
        os.write(steps, f"{step}\n".encode())
        return train_iteration(step)

    trainer.train_iteration = noted
    if largest is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # Python ignores it
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
    trainer.train()
    outcome.write_text(json.dumps(what_came_of(trainer)))


def what_came_of(trainer: Any) -> dict[str, Any]:
    """Return hashes of all that a run ends with, its edited views by name, and its last step."""
    pipeline = trainer.pipeline
    state = {
        key: hashlib.sha256(value.contiguous().numpy().tobytes()).hexdigest()
        for key, value in pipeline.model.state_dict().items()
    }
    image = FieldViews(pipeline.datamanager, pipeline.model).image(1)
    edits = trainer.base_dir / "edits"
    record = json.loads((edits / "record.json").read_text())
    return {
        "state": state,
        "render": hashlib.sha256(image.tobytes()).hexdigest(),
        "edited": [view["edited"] for view in record["views"]],
        "files": {
            name: hashlib.sha256((edits / f"{name}.png").read_bytes()).hexdigest()
            for name in sorted(view["edited"] for view in record["views"] if view["edited"])
        },
        "supervised": hashlib.sha256(
            pipeline.datamanager._cache()["image"].numpy().tobytes()
        ).hexdigest(),
        "step": record["step"],
    }
