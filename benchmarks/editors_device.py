"""Seconds an edit, peak memory and the networks' share, at full size with random weights.

InstructEdit on Stable Diffusion 1.5 and SDXL, pictures of 512 and 1024 pixels, 1, 4 and 8 at a
time, 50 steps, r 0.5, nothing cached. Trained weights take as long; what these paint is of no use.
"""

from __future__ import annotations

import gc
import logging
import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from benchmarks.editors_measuring import InsideTime, machine, middle, networks_of, settle
from benchmarks.editors_networks import Kind, in_memory
from image_core.devices import Placement
from image_core.diffusion.network import LatentDiffusion
from image_core.editors.generative import GenerativeEditor
from image_core.editors.generative.editor import GenerativeEdit
from image_core.editors.masked_ddim import InstructEditConfig
from image_core.editors.masked_ddim.method import MaskedDdim
from image_core.errors import EditFailed
from image_core.testing import STEPS, batch_of, scene
from image_core.types import EditBatch

_LOG = logging.getLogger("insitu.benchmarks")


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """What is tried.

    Attributes:
        kinds: Checkpoints.
        sides: Of the pictures.
        batches: Pictures at a time.
        steps: Levels of a full run; r is 0.5.
        rounds: Runs after the one that warms up.
        miniature: Tiny networks instead, to try the benchmark itself.
    """

    kinds: Sequence[Kind] = ("sd15", "sdxl")
    sides: Sequence[int] = (512, 1024)
    batches: Sequence[int] = (1, 4, 8)
    steps: int = 50
    rounds: int = 3
    miniature: bool = False


def measured(placement: Placement, sizes: Sizes) -> dict[str, object]:
    """Time every size; one that memory does not hold is told as such."""
    cells: list[dict[str, object]] = []
    for kind in sizes.kinds:
        network = in_memory(kind, placement, miniature=sizes.miniature)
        for side in sizes.sides:
            for batch in sizes.batches:
                cell: dict[str, object] = {"checkpoint": kind, "side": side, "batch": batch}
                cells.append(cell | _one(network, side, batch, sizes))
                _LOG.info("%s", cells[-1])
        del network
        _freed(placement.device)
    return {
        "machine": machine(placement.device),
        "precision": str(placement.dtype).removeprefix("torch."),
        "steps": sizes.steps,
        "rounds": sizes.rounds,
        "miniature": sizes.miniature,
        "cells": cells,
    }


def _one(network: LatentDiffusion, side: int, batch: int, sizes: Sizes) -> dict[str, object]:
    network.most_rows = type(network).most_rows
    edit = _edit(network, side, sizes.steps)
    scenes = [scene(side, side, seed=n) for n in range(batch)]
    work = batch_of([image for image, _ in scenes], [mask for _, mask in scenes])
    work = replace(work, strength=0.5)
    device = network.placement.device
    _freed(device)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    try:
        edit.edit(work)
        seconds = [_seconds(edit, work) for _ in range(sizes.rounds)]
        unet, nets = InsideTime(device), InsideTime(device)
        with unet.of([network.unet]), nets.of(networks_of(network)[1:]):
            watched = _seconds(edit, work, busy=device.type != "cuda")
        inside = unet.seconds()
    except (EditFailed, torch.OutOfMemoryError) as error:
        return {"failed": str(error).splitlines()[0]}
    return {
        "seconds_per_picture": middle([one / batch for one in seconds]),
        "unet_share": inside / watched,
        "networks_share": (inside + nets.seconds()) / watched,
        "peak_gib": _peak(device) / 2**30,
        "most_rows": network.most_rows,
    }


def _edit(network: LatentDiffusion, side: int, steps: int) -> GenerativeEdit:
    config = InstructEditConfig(
        steps=steps, resolution=side, crop="none", cache=False, device=str(network.placement.device)
    )
    method = MaskedDdim(network=network, config=config)
    editor = GenerativeEditor(
        "instructedit", config, config.build().capabilities, lambda config: method
    )
    captions = {"source": "a photo of a disc", "edited": "a photo of a ball"}
    return GenerativeEdit(editor=editor, step=STEPS["replace"], captions=captions)


def _seconds(edit: GenerativeEdit, work: EditBatch, *, busy: bool = False) -> float:
    now = time.process_time if busy else time.perf_counter
    settle()
    start = now()
    edit.edit(work)
    settle()
    return now() - start


def _peak(device: torch.device) -> int:
    """Return the most bytes held: on a GPU by tensors, else by the process since it began."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _freed(device: torch.device) -> None:
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
