"""NeRF editing: time by stage, what is kept and reached, the region in 3D, the loop's own cost.

    python -m benchmarks.nerf                      # writes benchmarks/results/nerf.{json,md}
    python -m benchmarks.nerf --only loop steps    # these parts anew, the others as they were
    python -m benchmarks.nerf --pictures OUT --work WORK
    python -m benchmarks.nerf --quick              # tries all parts in minutes; writes no results
    python -m benchmarks.nerf --device cuda        # presets with full-size networks, random weights
    python -m benchmarks.nerf --device cpu --miniature    # tries that part; writes no results

The parts ``stages``, ``quality`` and ``region`` share trainings; with ``--work`` those that ended
are kept, and a benchmark that was broken off goes on after the last of them.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from benchmarks import nerf_device, nerf_loop, nerf_quality, nerf_region, nerf_report, nerf_steps
from benchmarks.editors_measuring import machine
from benchmarks.nerf_quality import FOX_FLAGS, FOX_INSTRUCTION, INSTRUCTION, Subject
from benchmarks.running import folder, tell

RESULTS = Path(__file__).parent / "results"
PARTS = ("stages", "quality", "region", "loop", "steps")
_QUICK_TRAINING = (
    *("--pipeline.reconstruct-steps", "150", "--pipeline.settle-steps", "50"),
    *("--pipeline.region-steps", "100"),
)
_QUICK_LOOP = (
    *("--pipeline.reconstruct-steps", "10", "--pipeline.rounds", "1"),
    *("--pipeline.update-every", "2", "--pipeline.region-3d", "off"),
)


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How much is done.

    Attributes:
        seeds: Of the trainings.
        threads: Tried by the stages; the first is what all else runs with.
        flags: Of the trainings for stages and quality.
        loop_flags: Of the loop's.
        region_steps: Training steps of the region in 3D.
        blocks: Of training steps that are compared.
        steps: In a block.
    """

    seeds: tuple[int, ...]
    threads: tuple[int, ...] = (1, 2)
    flags: tuple[str, ...] = ()
    loop_flags: tuple[str, ...] = ()
    region_steps: int = 400
    blocks: int = 10
    steps: int = 20


def main() -> None:
    """Run what was asked for, print it and write it down."""
    asked = _asked()
    with folder(asked.work) as work:
        if asked.device:
            _on_device(asked.device, work, miniature=asked.miniature)
        else:
            _on_cpu(asked, work)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.nerf")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART")
    parser.add_argument("--capture", type=Path, help="our scene, where it was rendered before")
    parser.add_argument("--fox", type=Path, help="instant-ngp's fox, where not shared")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="for the stages")
    parser.add_argument("--quick", action="store_true", help="next to no training; no results")
    parser.add_argument("--pictures", type=Path, help="a folder for held-out views")
    parser.add_argument("--work", type=Path, help="keep the trainings there")
    parser.add_argument("--device", help="measure full-size networks there instead")
    parser.add_argument("--miniature", action="store_true", help="with --device: tiny networks")
    return parser.parse_args()


def _shared_fox() -> Path | None:
    """Return the fox among the shared test pictures; None where they are not here."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    fox = Path(os.environ.get("INSITU_DATA", beside)) / "fox"
    return fox if (fox / "transforms.json").is_file() else None


def _scene(given: Path | None, work: Path, *, views: int, width: int, height: int) -> Path:
    from pocket import write_capture

    if given is not None:
        return given.resolve()
    folder = work / f"scene {views} {width}x{height}"
    write_capture(folder, views=views, width=width, height=height)
    return folder


def _on_cpu(asked: argparse.Namespace, work: Path) -> None:
    import torch

    sizes = Sizes(seeds=tuple(asked.seeds), threads=tuple(asked.threads))
    if asked.quick:
        sizes = Sizes(
            seeds=tuple(asked.seeds[:1]),
            threads=(1,),
            flags=_QUICK_TRAINING,
            loop_flags=_QUICK_LOOP,
            region_steps=100,
            blocks=2,
            steps=5,
        )
    torch.set_num_threads(sizes.threads[0])
    size = {"views": 12, "width": 96, "height": 72} if asked.quick else {}
    full = {"views": 40, "width": 160, "height": 120}
    capture = _scene(asked.capture, work, **(full | size))
    subjects = [
        Subject(name="our scene", capture=capture, instruction=INSTRUCTION, flags=sizes.flags)
    ]
    fox = asked.fox or (None if asked.quick else _shared_fox())
    if fox is not None:
        subjects.append(
            Subject(
                name="fox",
                capture=fox.resolve(),
                instruction=FOX_INSTRUCTION,
                region=FOX_FLAGS,
                flags=sizes.flags,
            )
        )
    path = RESULTS / "nerf.json"
    known = path.is_file() and not asked.quick
    found: dict[str, Any] = json.loads(path.read_text()) if known else {}
    for part in asked.only:
        where = machine()
        with redirect_stdout(sys.stderr):  # nerfstudio tells on stdout what it loads
            figures = _part(part, subjects, sizes, work, asked.pictures)
        found[part] = figures | {"machine": where}
        if not asked.quick:
            _write("nerf", found, nerf_report.page(found))
    print(nerf_report.page(found))


def _part(
    part: str, subjects: list[Subject], sizes: Sizes, work: Path, pictures: Path | None
) -> dict[str, Any]:
    ours, threads = subjects[0], sizes.threads[0]
    if part == "stages":
        each = [nerf_quality.stages(one, work, sizes.threads, tell) for one in subjects]
        return {"rows": list(chain.from_iterable(each))}
    if part == "quality":
        each = [
            nerf_quality.over_seeds(
                one, work, sizes.seeds, tell, threads=threads, pictures=pictures
            )
            for one in subjects
        ]
        return {"rows": list(chain.from_iterable(each))}
    if part == "region":
        run = nerf_quality.first_run(ours, work, threads=threads)
        return nerf_region.measured(
            run, ours.capture, sizes.seeds, tell, iterations=sizes.region_steps
        )
    if part == "loop":
        return nerf_loop.measured(
            ours.capture,
            work / "loop",
            ours.instruction,
            threads=threads,
            flags=sizes.loop_flags,
        )
    return nerf_steps.measured(ours.capture, work / "steps", blocks=sizes.blocks, steps=sizes.steps)


def _on_device(device: str, work: Path, *, miniature: bool) -> None:
    import torch

    size = {"width": 64, "height": 48} if miniature else {"width": 512, "height": 384}
    capture = _scene(None, work, views=5 if miniature else 18, **size)
    found = nerf_device.measured(device, capture, work, tell, miniature=miniature)
    text = nerf_report.device_page(found)
    print(text)
    if not miniature:
        name = torch.cuda.get_device_name(device) if device.startswith("cuda") else device
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        _write(f"nerf_{slug}", found, text)


def _write(name: str, found: dict[str, Any], text: str) -> None:
    (RESULTS / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n")
    (RESULTS / f"{name}.md").write_text(text)


if __name__ == "__main__":
    main()
