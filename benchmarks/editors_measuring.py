"""What the editors' benchmarks measure with: interleaved seconds, rows by hooks, the machine."""

from __future__ import annotations

import datetime
import os
import platform
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from image_core.diffusion.network import LatentDiffusion


def nothing() -> None:
    """Do nothing before a case."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """Something to time.

    Attributes:
        run: What is timed.
        before: Brings caches to the state that the case wants; not timed.
    """

    run: Callable[[], object]
    before: Callable[[], None] = nothing


@dataclass(kw_only=True)
class Times:
    """What the runs of a case took.

    Attributes:
        wall: Seconds by the clock.
        busy: Seconds of processor time in this process: what the clock would say on a machine that
            does nothing else.
        outside: The part of ``busy`` that was spent outside all networks.
        rows: Rows through the UNet in one run.
    """

    wall: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)
    outside: list[float] = field(default_factory=list)
    rows: int = 0


def interleaved(
    cases: Mapping[str, Case], network: LatentDiffusion, rounds: int
) -> dict[str, Times]:
    """Run all cases in turn on the CPU, round after round, every second one the other way round.

    Args:
        cases: By name; warmed up.
        network: The networks that they all use.
        rounds: How often.
    """
    times = {name: Times() for name in cases}
    for number in range(rounds):
        order = list(cases)[:: -1 if number % 2 else 1]
        for name in order:
            case = cases[name]
            case.before()
            inside = InsideTime(network.placement.device)
            with rows_through(unet=network.unet) as rows, inside.of(networks_of(network)):
                wall, busy = time.perf_counter(), time.process_time()
                case.run()
                wall, busy = time.perf_counter() - wall, time.process_time() - busy
            times[name].wall.append(wall)
            times[name].busy.append(busy)
            times[name].outside.append(busy - inside.seconds())
            times[name].rows = rows["unet"]
    return times


def networks_of(network: LatentDiffusion) -> list[Any]:
    """Return a checkpoint's networks, none of which calls another."""
    return [network.unet, network.vae.encoder, network.vae.decoder, *network.text.encoders]


@contextmanager
def rows_through(**networks: Any) -> Iterator[Counter[str]]:
    """Count samples that go through networks by hooks on them, whatever the editor counts."""
    rows: Counter[str] = Counter()

    def counter(name: str) -> Callable[..., None]:
        def hook(module: Any, given: tuple[Any, ...]) -> None:
            del module
            rows[name] += len(given[0])

        return hook

    with ExitStack() as hooks:
        for name, network in networks.items():
            hooks.callback(network.register_forward_pre_hook(counter(name)).remove)
        yield rows


class InsideTime:
    """Seconds between networks' entries and exits.

    On a GPU they are read off its own clock; on the CPU they are processor time, so that other work
    on the machine is left out.
    """

    def __init__(self, device: torch.device) -> None:
        """Start at none."""
        self._events = device.type == "cuda"
        self._spans: list[list[Any]] = []

    @contextmanager
    def of(self, networks: Sequence[Any]) -> Iterator[None]:
        """Watch networks that do not call each other."""
        with ExitStack() as hooks:
            for network in networks:
                hooks.callback(network.register_forward_pre_hook(self._enter).remove)
                hooks.callback(network.register_forward_hook(self._leave).remove)
            yield

    def seconds(self) -> float:
        """Return the sum."""
        settle()
        if self._events:
            return float(sum(start.elapsed_time(end) for start, end in self._spans)) / 1000
        return float(sum(end - start for start, end in self._spans))

    def _enter(self, module: Any, given: tuple[Any, ...]) -> None:
        del module, given
        self._spans.append([self._now()])

    def _leave(self, module: Any, given: tuple[Any, ...], output: Any) -> None:
        del module, given, output
        self._spans[-1].append(self._now())

    def _now(self) -> Any:
        if not self._events:
            return time.process_time()
        kind: Any = torch.cuda.Event  # has no types
        event = kind(enable_timing=True)
        event.record()
        return event


def settle() -> None:
    """Wait until the GPU, where there is one, has done all it was given."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def middle(values: Sequence[float]) -> dict[str, float]:
    """Return median and range."""
    return {"median": statistics.median(values), "low": min(values), "high": max(values)}


def ratio(slow: Sequence[float], quick: Sequence[float]) -> dict[str, float]:
    """Return median and range of the quotients of runs that were made side by side."""
    return middle([a / b for a, b in zip(slow, quick, strict=True)])


def machine(device: torch.device | None = None) -> dict[str, object]:
    """Tell where and with what something was measured."""
    name = _processor()
    if device is not None and device.type == "cuda":
        name = torch.cuda.get_device_name(device)
    return {
        "device": name,
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "load": round(os.getloadavg()[0], 1),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        **{package: version(package) for package in ("torch", "diffusers", "transformers")},
    }


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    if path.is_file():
        for line in path.read_text().splitlines():
            if line.startswith("model name"):
                return f"{line.partition(':')[2].strip()} ({platform.machine()})"
    return platform.machine()
