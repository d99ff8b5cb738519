"""Loading a pipeline of diffusers from its folder, and laying it where memory allows."""

from __future__ import annotations

import logging
from typing import Any, Literal

import torch

from image_core.devices import Placement, free_memory
from image_core.editors.modern.checkpoint import Checkpoint
from image_core.weights import loaded

Memory = Literal["auto", "high", "low"]

_LOG = logging.getLogger("insitu.editors.modern")
_ROOM = 1.3  # times the weights: what a device needs to hold them and a call's activations


def load_pipeline(
    kind: Any, checkpoint: Checkpoint, placement: Placement, *, memory: Memory, compiled: bool
) -> Any:
    """Load a pipeline.

    Args:
        kind: The class.
        checkpoint: Where its weights lie.
        placement: Where to, in which precision.
        memory: ``high`` puts all networks on the device; ``low`` brings them there for their turn
            and works on the picture in tiles; ``auto`` does so where they would not fit.
        compiled: Compile the denoising network.

    Raises:
        MissingWeights: A file is missing.
        InvalidInput: The folder holds something else.
    """
    variant = {} if checkpoint.variant is None else {"variant": checkpoint.variant}
    made = loaded(kind, checkpoint.folder, dtype=placement.dtype, **variant)
    made.set_progress_bar_config(disable=True)
    _place(made, placement, memory)
    if compiled:
        made.transformer.compile()
    _LOG.info("loaded %s as %s, %s", checkpoint.folder, kind.__name__, placement)
    return made


def _place(pipeline: Any, placement: Placement, memory: Memory) -> None:
    sizes = _sizes(pipeline)
    free = free_memory(placement.device) if placement.device.type == "cuda" else 1 << 62
    fits = free >= _ROOM * sum(sizes)
    if memory == "high" or (memory == "auto" and fits):
        pipeline.to(placement.device)
        return
    pipeline.vae.enable_tiling()
    if placement.device.type != "cuda":
        pipeline.to(placement.device)
    elif free >= _ROOM * max(sizes):
        pipeline.enable_model_cpu_offload(device=placement.device)
    else:
        pipeline.enable_sequential_cpu_offload(device=placement.device)


def _sizes(pipeline: Any) -> list[int]:
    """Return the bytes of each network."""
    networks = [part for part in pipeline.components.values() if isinstance(part, torch.nn.Module)]
    return [sum(p.numel() * p.element_size() for p in network.parameters()) for network in networks]
