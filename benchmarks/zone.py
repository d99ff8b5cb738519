"""What looking at attention costs ZONE: seconds a step and bytes, with and without it in turn.

    python -m benchmarks.zone                       # SD 1.5's size, random weights, CPU, 256²
    python -m benchmarks.zone --side 512 --results  # and writes benchmarks/results/zone.{json,md}
    python -m benchmarks.zone --miniature           # tries the script

The UNet has InstructPix2Pix's shape: Stable Diffusion 1.5's with 8 input channels.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch

from benchmarks.editors_measuring import machine, middle, ratio, settle
from benchmarks.editors_networks import instruction_unet, parameters
from benchmarks.running import tell, where
from image_core.editors.zone.attention import Capture, captured
from image_core.editors.zone.fused import BRANCHES

RESULTS = Path(__file__).parent / "results"
_SHARE, _MEBIBYTES = 0.03, 20.0
"""Most that is wanted: of a step's time, and of memory that is held between steps."""

_LAST = 9  # the last mark's column of a short instruction


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(prog="benchmarks.zone")
    parser.add_argument("--side", type=int, default=256, help="of the picture, in pixels")
    parser.add_argument("--rounds", type=int, default=5, help="pairs of steps")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--miniature", action="store_true", help="a tiny UNet")
    parser.add_argument("--results", action="store_true", help="write benchmarks/results")
    asked = parser.parse_args()
    device = torch.device(asked.device)
    found = measured(device, side=asked.side, rounds=asked.rounds, miniature=asked.miniature)
    page = report(found)
    print(page)
    if asked.results and not asked.miniature:
        (RESULTS / "zone.json").write_text(json.dumps(found, indent=1) + "\n")
        (RESULTS / "zone.md").write_text(page)


def measured(
    device: torch.device, *, side: int, rounds: int, miniature: bool = False
) -> dict[str, Any]:
    """Time steps of three rows with and without capture, in turn.

    Args:
        device: Of the UNet.
        side: Of the picture.
        rounds: Pairs of steps.
        miniature: A tiny UNet instead.
    """
    unet = instruction_unet(device, miniature=miniature)
    cells = side // 8
    random = torch.Generator().manual_seed(0)
    width = unet.config.cross_attention_dim
    given = torch.randn(BRANCHES, 8, cells, cells, generator=random).to(device)
    text = torch.randn(BRANCHES, 77, width, generator=random).to(device)
    times: dict[bool, list[tuple[float, float]]] = {False: [], True: []}
    held = 0
    for number in range(rounds + 1):
        for looking in (False, True):
            context: Any = nullcontext()
            if looking:
                context = captured(unet, size=(cells, cells), jobs=1, last=_LAST)
            with context as capture, torch.no_grad():
                settle()
                wall, busy = time.perf_counter(), time.process_time()
                unet(given, 500, encoder_hidden_states=text)
                settle()
                taken = time.perf_counter() - wall, time.process_time() - busy
            if looking:
                held = _bytes(capture)
            if number:  # the first pair warms up
                times[looking].append(taken)
        tell(f"zone: pair {number} of {rounds}")
    without, looked = ([busy for _, busy in times[looking]] for looking in (False, True))
    return {
        "machine": machine(device),
        "unet_parameters": parameters(unet),
        "picture": side,
        "rounds": rounds,
        "plain": middle(without),
        "captured": middle(looked),
        "ratio": ratio(looked, without),
        "mebibytes": held / 2**20,
    }


def _bytes(capture: Capture) -> int:
    """Return what a capture holds between two steps."""
    maps = capture.untold()
    return sum(one.first.nbytes + one.last.nbytes for one in maps) * BRANCHES


def report(found: Mapping[str, Any]) -> str:
    """Return the page."""
    plain, looked, cost = found["plain"], found["captured"], found["ratio"]
    return "\n".join(
        [
            "# ZONE: what looking at attention costs",
            "",
            "`python -m benchmarks.zone --results`: a UNet of InstructPix2Pix's shape with random "
            f"weights ({found['unet_parameters'] / 1e6:.0f} million), three rows a step, a picture "
            f"of {found['picture']}², {found['rounds']} pairs of steps in turn. At most "
            f"{_SHARE:.0%} of the time and {_MEBIBYTES:g} MiB are wanted.",
            "",
            "| | seconds of processor a step, median [least, most] |",
            "|---|---|",
            f"| without | {_told(plain)} |",
            f"| with | {_told(looked)} |",
            f"| with to without | {_told(cost)} |",
            "",
            f"Held between two steps: {found['mebibytes']:.3f} MiB.",
            "",
            f"Measured on {where(found)}.",
            "",
        ]
    )


def _told(figures: Mapping[str, float]) -> str:
    return f"{figures['median']:.3f} [{figures['low']:.3f}, {figures['high']:.3f}]"


if __name__ == "__main__":
    main()
