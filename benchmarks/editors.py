"""The diffusion editors' speed: beside diffusers' DiffEdit, over bare calls, and in rows.

    python -m benchmarks.editors                   # writes benchmarks/results/editors.{json,md}
    python -m benchmarks.editors rows overhead     # these parts anew, the others as they were
    python -m benchmarks.editors --device cuda     # full size: results/editors_<device>.{json,md}
    python -m benchmarks.editors --device cpu --miniature    # tries the full-size part; no files

On the CPU everything runs in one thread. All weights are random: only time and rows are measured,
never how good a picture is.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import tempfile
from pathlib import Path
from typing import Any

import torch

from benchmarks import (
    editors_device,
    editors_diffedit,
    editors_overhead,
    editors_report,
    editors_rows,
)
from image_core.devices import placement

RESULTS = Path(__file__).parent / "results"
PARTS = ("rows", "diffedit", "overhead")


def main() -> None:
    """Run what was asked for, print it and write it down."""
    asked = _asked()
    _quieten()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as cache:
        os.environ["INSITU_CACHE"] = cache  # never the user's own
        if asked.device:
            _full_size(asked.device, miniature=asked.miniature)
        else:
            _side_by_side(asked.parts or PARTS, asked.rounds)


def _quieten() -> None:
    import diffusers.utils.logging
    import transformers.utils.logging
    from huggingface_hub.utils.tqdm import disable_progress_bars

    libraries: Any = (diffusers.utils.logging, transformers.utils.logging)
    for library in libraries:
        library.set_verbosity_error()
        library.disable_progress_bar()
    disable_progress_bars()


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.editors")
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="all unless named")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", help="measure full-size networks there instead")
    parser.add_argument("--miniature", action="store_true", help="with --device: tiny networks")
    return parser.parse_args()


def _side_by_side(parts: list[str] | tuple[str, ...], rounds: int) -> None:
    path = RESULTS / "editors.json"
    found: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    cpu = placement("cpu", "float32")
    for part in parts:
        if part == "rows":
            found[part] = editors_rows.measured()
        elif part == "diffedit":
            found[part] = editors_diffedit.measured(rounds)
        else:
            found[part] = editors_overhead.measured(cpu, side=256, steps=2, rounds=2)
        _write("editors", found, editors_report.side_by_side(found))
    print(editors_report.side_by_side(found))


def _full_size(device: str, *, miniature: bool) -> None:
    place = placement(device)
    sizes = editors_device.Sizes()
    if miniature:
        sizes = editors_device.Sizes(sides=(64,), batches=(1, 2), steps=4, rounds=2, miniature=True)
    found = editors_device.measured(place, sizes)
    text = editors_report.full_size(found)
    print(text)
    if not miniature:
        name = torch.cuda.get_device_name(place.device) if place.device.type == "cuda" else device
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        _write(f"editors_{slug}", found, text)


def _write(name: str, found: dict[str, Any], text: str) -> None:
    (RESULTS / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n")
    (RESULTS / f"{name}.md").write_text(text)


if __name__ == "__main__":
    main()
