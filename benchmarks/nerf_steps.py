"""A training step with nerfstudio's hash grid and contraction, and with ours, in turn.

Both are ``insitu-cpu`` on the same capture; they differ in ``quick_on_cpu`` alone.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.editors_measuring import middle, ratio

STOCK, QUICK = "nerfstudio's", "ours"
_WARM_UP = 50  # steps
_RAYS_A_STEP = 256
_SAMPLES_A_RAY = 24


def measured(capture: Path, work: Path, *, blocks: int, steps: int) -> dict[str, Any]:
    """Time blocks of both in turn, every second pair the other way round.

    Args:
        capture: The data.
        work: Where what nerfstudio writes goes.
        blocks: Of each.
        steps: Of training in a block.
    """
    import torch

    encoding = _in_turn(_encodings(), blocks, steps)
    training = _in_turn(
        {name: _training(capture, work / name, quick=name == QUICK) for name in (STOCK, QUICK)},
        blocks,
        steps,
    )
    return {
        "threads": torch.get_num_threads(),
        "points": _RAYS_A_STEP * _SAMPLES_A_RAY,
        "blocks": blocks,
        "steps": steps,
        "hash grid, forwards and back": encoding,
        "training step": training,
    }


def _in_turn(cases: dict[str, Callable[[], object]], blocks: int, steps: int) -> dict[str, Any]:
    wall: dict[str, list[float]] = {name: [] for name in cases}
    cpu: dict[str, list[float]] = {name: [] for name in cases}
    for block in range(blocks):
        for name in list(cases)[:: -1 if block % 2 else 1]:
            start = time.perf_counter(), time.process_time()
            for _ in range(steps):
                cases[name]()
            wall[name].append((time.perf_counter() - start[0]) / steps)
            cpu[name].append((time.process_time() - start[1]) / steps)
    return {
        "wall": {name: middle(values) for name, values in wall.items()},
        "cpu": {name: middle(values) for name, values in cpu.items()},
        "wall_ratio": ratio(wall[STOCK], wall[QUICK]),
        "cpu_ratio": ratio(cpu[STOCK], cpu[QUICK]),
    }


def _encodings() -> dict[str, Callable[[], object]]:
    import torch
    from nerfstudio.field_components.encodings import HashEncoding

    from nerf.hash_encoding import accelerate

    grids: dict[str, Any] = {}
    for name in (STOCK, QUICK):
        torch.manual_seed(0)
        grids[name] = HashEncoding(
            num_levels=8, max_res=512, log2_hashmap_size=15, implementation="torch"
        )
    accelerate(grids[QUICK], position_gradient=False)
    positions = torch.rand(_RAYS_A_STEP * _SAMPLES_A_RAY, 3)

    def once(grid: Any) -> Callable[[], object]:
        def step() -> None:
            grid.zero_grad(set_to_none=True)
            grid(positions).square().sum().backward()

        step()
        return step

    return {name: once(grid) for name, grid in grids.items()}


def _training(capture: Path, folder: Path, *, quick: bool) -> Callable[[], object]:
    """Return one step of a training that is warm."""
    import torch
    from nerfstudio.engine.callbacks import TrainingCallbackLocation

    from configs.nerf import insitu_cpu

    config: Any = copy.deepcopy(insitu_cpu.config)
    config.output_dir, config.experiment_name, config.timestamp = folder, "steps", "run"
    config.data = config.pipeline.datamanager.data = capture
    config.pipeline.model.quick_on_cpu = quick
    torch.manual_seed(0)
    trainer: Any = config.setup()
    trainer.setup()
    done = 0

    def step() -> None:
        nonlocal done
        trainer.pipeline.train()
        for location in (
            TrainingCallbackLocation.BEFORE_TRAIN_ITERATION,
            None,
            TrainingCallbackLocation.AFTER_TRAIN_ITERATION,
        ):
            if location is None:
                trainer.train_iteration(done)
                continue
            for callback in trainer.callbacks:
                callback.run_callback_at_location(done, location=location)
        done += 1

    for _ in range(_WARM_UP):
        step()
    return step
