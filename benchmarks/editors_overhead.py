"""What our loop costs over the bare calls of the UNet that it makes, at SD 1.5's size.

Everything from the first call of the UNet to the moment before decoding is our loop: embedding,
guidance, DDIM steps, blending, writing the path to the cache. The very same calls, with the inputs
that the loop gave, are then made bare, in turn with it.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch

from benchmarks.editors_measuring import (
    InsideTime,
    Times,
    machine,
    middle,
    networks_of,
    ratio,
    settle,
)
from benchmarks.editors_networks import in_memory, parameters
from image_core.devices import Placement
from image_core.diffusion.network import LatentDiffusion
from image_core.diffusion.trajectories import TrajectoryCache
from image_core.disk_cache import DiskCache
from image_core.editors.generative import Job, Task
from image_core.editors.masked_ddim import InstructEditConfig
from image_core.editors.masked_ddim.method import MaskedDdim
from image_core.testing import STEPS, scene


class Span:
    """Seconds from the first entry into the UNet to the entry into the VAE's decoder."""

    def __init__(self, network: LatentDiffusion) -> None:
        """Watch nothing yet."""
        self._network = network
        self.calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
        self._started: tuple[float, float] | None = None
        self.wall = self.busy = 0.0

    def over(self, work: Callable[[], object]) -> None:
        """Run something and watch it."""

        def begin(module: Any, given: tuple[Any, ...], named: dict[str, Any]) -> None:
            del module
            if self._started is None:
                self._started = _now()
            self.calls.append((given, named))

        def end(module: Any, given: tuple[Any, ...]) -> None:
            del module, given
            settle()
            wall, busy = _now()
            assert self._started is not None
            self.wall, self.busy = wall - self._started[0], busy - self._started[1]

        unet, vae = self._network.unet, self._network.vae
        with ExitStack() as hooks:
            hooks.callback(unet.register_forward_pre_hook(begin, with_kwargs=True).remove)
            hooks.callback(vae.post_quant_conv.register_forward_pre_hook(end).remove)
            work()


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def measured(
    placement: Placement, *, side: int, steps: int, rounds: int, miniature: bool = False
) -> dict[str, object]:
    """Time the loop and its bare calls in turn; r is 1, so that every level is visited both ways.

    Args:
        placement: Where and in which precision.
        side: Of the picture.
        steps: Levels.
        rounds: Pairs of runs.
        miniature: A tiny UNet instead, to try the benchmark itself.
    """
    network = in_memory("sd15", placement, miniature=miniature, only_unet=True)
    loop, bare = Times(), Times()
    inside = []
    with tempfile.TemporaryDirectory() as name:
        method = MaskedDdim(
            network=network,
            config=InstructEditConfig(steps=steps, resolution=side),
            cache=TrajectoryCache(
                store=DiskCache(name="trajectories", suffix=".npy", root=Path(name))
            ),
        )
        image, mask = scene(side, side)
        job = Job(image=image, condition=image, mask=mask, key=0)
        task = Task(
            step=STEPS["replace"], source_caption="a disc", edited_caption="a ball", strength=1.0
        )
        network.embed(""), network.embed("a disc"), network.embed("a ball")
        for _ in range(rounds):
            for path in Path(name).rglob("*.npy"):
                path.unlink()
            span, within = Span(network), InsideTime(placement.device)
            with within.of(networks_of(network)[:1]):
                span.over(lambda: method.run([job], task))
            loop.wall.append(span.wall)
            loop.busy.append(span.busy)
            inside.append(within.seconds())
            wall, busy = _replayed(network, span.calls)
            bare.wall.append(wall)
            bare.busy.append(busy)
    loop.outside = [total - net for total, net in zip(loop.busy, inside, strict=True)]
    return {
        "machine": machine(placement.device),
        "unet_parameters": parameters(network.unet),
        "precision": str(placement.dtype).removeprefix("torch."),
        "picture": side,
        "calls": len(span.calls),
        "rows": sum(len(given[0]) for given, _ in span.calls),
        "rounds": rounds,
        "loop": {"wall": middle(loop.wall), "busy": middle(loop.busy)},
        "bare": {"wall": middle(bare.wall), "busy": middle(bare.busy)},
        "loop_to_bare": {"wall": ratio(loop.wall, bare.wall), "busy": ratio(loop.busy, bare.busy)},
        "outside_seconds": middle(loop.outside),
        "outside_share": middle([out / net for out, net in zip(loop.outside, inside, strict=True)]),
        "target": 0.05,
    }


@torch.no_grad()
def _replayed(
    network: LatentDiffusion, calls: list[tuple[tuple[Any, ...], dict[str, Any]]]
) -> tuple[float, float]:
    wall, busy = _now()
    for given, named in calls:
        network.unet(*given, **named)
    settle()
    after = _now()
    return after[0] - wall, after[1] - busy
