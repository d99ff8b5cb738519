"""Memory and views a second of the presets with full-size networks of random weights.

InstructPix2Pix at its 20 steps and the masked DDIM at its 50, 1, 4 and 8 views at once. What they
paint is of no use; trained weights take as long. LPIPS stands on an AlexNet without training.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.editors_measuring import machine
from benchmarks.nerf_loop import shares
from benchmarks.nerf_networks import METHODS, write_random_alexnet
from benchmarks.nerf_training import TrainingFailed, train

_LONG_PATH = re.compile(r"(?<!\S)/\S*/")  # folders of this machine are of no use to others
PRESETS = ("insitu", "insitu-small", "insitu-tiny")
_MODEL = "--pipeline.model."
_MINIATURE = (
    ("--mixed-precision", "False"),
    ("--pipeline.datamanager.train-num-rays-per-batch", "64"),
    ("--pipeline.datamanager.edit-rays-per-batch", "1024"),
    (_MODEL + "num-levels", "4"),
    (_MODEL + "log2-hashmap-size", "12"),
    (_MODEL + "num-proposal-iterations", "1"),
    (_MODEL + "num-proposal-samples-per-ray", "16"),
    (_MODEL + "num-nerf-samples-per-ray", "8"),
    ("--pipeline.reconstruct-steps", "10"),
    ("--pipeline.update-every", "2"),
    ("--pipeline.settle-steps", "2"),
)
_FULL = (
    ("--pipeline.reconstruct-steps", "200"),
    ("--pipeline.update-every", "10"),
    ("--pipeline.settle-steps", "10"),
)


def measured(
    device: str, capture: Path, work: Path, tell: Callable[[str], None], *, miniature: bool
) -> dict[str, Any]:
    """Train each preset with each method and number of views at once.

    Args:
        device: ``cuda`` or ``cpu``.
        capture: One with its truth, whose masks are the regions.
        work: Where the trainings lie.
        tell: Told of each.
        miniature: Tiny networks and fields, to try the benchmark itself.
    """
    import torch

    home = work / "torch"
    write_random_alexnet(home)
    batches = (2,) if miniature else (1, 4, 8)
    cells = []
    for preset in PRESETS:
        for method in METHODS:
            for batch in batches:
                flags = _flags(device, capture, method, batch, miniature=miniature)
                cell = {"preset": preset, "method": method, "batch": batch}
                cell |= _one(preset, capture, work / f"{preset} {method} {batch}", flags, home)
                cells.append(cell)
                tell(f"{cell}")
                gc.collect()
    return {
        "machine": machine(torch.device(device)),
        "miniature": miniature,
        "cells": cells,
    }


def _one(preset: str, capture: Path, folder: Path, flags: list[str], home: Path) -> dict[str, Any]:
    try:
        variables = {"TORCH_HOME": str(home)}
        ran = train(preset, capture, folder, flags, threads=None, environment=variables)
    except TrainingFailed as error:
        return {"failed": _LONG_PATH.sub("…/", error.reason)}
    loop = ran["loop"]
    seconds = {name: values[0] / loop["views"] for name, values in loop["inside"].items()}
    return {
        "views": loop["views"],
        "views_per_second": loop["views"] / loop["total"][0],
        "seconds_per_view": seconds,
        "rest": shares(loop)["wall_shares"]["rest"],
        "peak_gib": ran["peak"] / 2**30,
    }


def _flags(device: str, capture: Path, method: str, batch: int, *, miniature: bool) -> list[str]:
    masks = capture / "truth" / "masks" / "red_ball"
    own = {
        "--vis": "tensorboard",
        "--machine.device-type": device,
        "--pipeline.instruction": "turn the red ball into a blue ball",
        "--pipeline.editor": f"{Path(__file__).parent / 'nerf_networks.py'}:Random",
        "--pipeline.editor-device": device,
        "--pipeline.mask-dir": str(masks),
        "--pipeline.region-3d": "off",
        "--pipeline.rounds": "1",
        "--pipeline.views-per-update": str(batch),
    }
    flags = [part for flag in own.items() for part in flag]
    flags += [part for flag in (_MINIATURE if miniature else _FULL) for part in flag]
    options = [f"method={method}"] + (["miniature=true"] if miniature else [])
    return [*flags, "--pipeline.editor-options", *options]
