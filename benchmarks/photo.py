"""Seconds by stage, peak memory, and the ratio to plainly reading and writing the same file.

    python -m benchmarks.photo            # writes benchmarks/results/photo.md

Each case runs in a process of its own. The photo is scikit-image's astronaut, enlarged, with sensor
noise; the region is a disc of 10 % of the picture, given as a mask, by box, or by phrase. The plain
reading and writing that the ratios divide by runs in turn with the edit: once with a fast library
(OpenCV for PNG and JPEG, tifffile for TIFF) and once with Pillow, each with its default settings.
"""

from __future__ import annotations

import json
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

RUNS = 5
MEGAPIXELS = (0.5, 2, 12)
CASES = [
    ("png", "mask", "make it blue"),
    ("png", "box", "make it blue"),
    ("png", "phrase", "make the orange suit blue"),
    ("jpg", "mask", "make it blue"),
    ("tif", "mask", "make it blue"),
    ("tif16", "mask", "make it blue"),
]
RESULTS = Path(__file__).parent / "results" / "photo.md"


def picture(megapixels: float) -> np.ndarray:
    """Return the astronaut at about that many megapixels, 4:3, with a little noise."""
    from skimage import data

    width = round((megapixels * 1e6 * 4 / 3) ** 0.5)
    height = round(width * 3 / 4)
    large = cv2.resize(data.astronaut(), (width, height), interpolation=cv2.INTER_CUBIC)
    noise = np.random.default_rng(0).normal(0, 2, large.shape)
    return np.clip(large + noise, 0, 255).astype(np.uint8)


def plain_pillow(path: Path, output: Path) -> None:
    """Read and write a file with Pillow (which cannot hold 16-bit RGB)."""
    from PIL import Image

    with Image.open(path) as opened:
        opened.save(output)


def disc(height: int, width: int) -> tuple[np.ndarray, tuple[float, float, float, float]]:
    """Return a disc of 10 % of the picture over the suit, and its box."""
    radius = (0.1 * height * width / np.pi) ** 0.5
    cx, cy = 0.35 * width, 0.75 * height
    rows, columns = np.mgrid[:height, :width]
    inside = (rows - cy) ** 2 + (columns - cx) ** 2 < radius**2
    box = (cx - radius, cy - radius, cx + radius, min(height, cy + radius))
    return inside.astype(np.uint8) * 255, box


def plain(path: Path, output: Path) -> None:
    """Read and write a file without editing it."""
    if path.suffix == ".tif":
        import tifffile

        tifffile.imwrite(output, tifffile.imread(path), photometric="rgb")
    else:
        cv2.imwrite(str(output), cv2.imread(str(path), cv2.IMREAD_UNCHANGED))


def one(form: str, route: str, instruction: str, megapixels: float) -> dict[str, object]:
    """Run one case in this process and return its figures."""
    from image_core import LocalEditor, Photo, RegionHint
    from image_core.mask_file import read_mask

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        samples = picture(megapixels)
        mask, box = disc(*samples.shape[:2])
        suffix = ".tif" if form.startswith("tif") else f".{form}"
        source, output = folder / f"in{suffix}", folder / f"out{suffix}"
        if suffix == ".tif":
            import tifffile

            deep = samples.astype(np.uint16) * 257 if form == "tif16" else samples
            tifffile.imwrite(source, deep, photometric="rgb")
        else:
            cv2.imwrite(str(source), samples[..., ::-1])
        cv2.imwrite(str(folder / "mask.png"), mask)
        del samples, mask
        base, pillow, edits, stages = [], [], [], {}
        editor = LocalEditor.default()
        for _ in range(RUNS):
            start = time.perf_counter()
            plain(source, folder / f"plain{suffix}")
            base.append(time.perf_counter() - start)
            start = time.perf_counter()
            if form != "tif16":
                plain_pillow(source, folder / f"pillow{suffix}")
            pillow.append(time.perf_counter() - start)
            start = time.perf_counter()
            hint = {
                "mask": lambda: RegionHint(mask=read_mask(folder / "mask.png")),
                "box": lambda: RegionHint(boxes=(box,)),
                "phrase": lambda: None,
            }[route]()
            photo = Photo.open(source)
            read = time.perf_counter() - start
            result = editor.edit(photo, instruction, hint=hint)
            result.save(output)
            edits.append(time.perf_counter() - start)
            receipt = json.loads(output.with_name(output.name + ".json").read_text())
            for stage, seconds in {"read": read, **receipt["seconds"]}.items():
                stages.setdefault(stage, []).append(seconds)
    return {
        "first": edits[0],
        "warm": statistics.median(edits[1:]),
        "plain": statistics.median(base[1:]),
        "pillow": statistics.median(pillow[1:]),
        "ratio": _ratio(edits, base),
        "pillow_ratio": _ratio(edits, pillow) if form != "tif16" else None,
        "stages": {stage: statistics.median(values[1:]) for stage, values in stages.items()},
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _ratio(edits: list[float], base: list[float]) -> float:
    return statistics.median(e / b for e, b in zip(edits[1:], base[1:], strict=True))


def main() -> None:
    """Run all cases and write the table."""
    lines = [
        "# Photos: seconds and memory",
        "",
        f"`python -m benchmarks.photo` on {platform.machine()}, {_cores()} cores, no GPU. Medians "
        f"of {RUNS - 1} warm runs in one process; *first* is the run before them. *Fast* "
        "(OpenCV; tifffile) and *Pillow* read and write the same file without editing it, in turn "
        "with the edits; the ratios are of the whole edit to them, pair by pair. Peak memory "
        "includes Python and its libraries, and the making of the test picture.",
        "",
        "| megapixels | file | region | read | decode | locate | prepare | apply | composite "
        "| write | whole, warm (s) | first (s) | fast (s) | ratio "
        "| Pillow (s) | ratio | peak (MiB) |",
        "|" + "---|" * 17,
    ]
    for megapixels in MEGAPIXELS:
        for form, route, instruction in CASES:
            case = json.dumps([form, route, instruction, megapixels])
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.photo", case], capture_output=True, text=True
            )
            if done.returncode:
                lines.append(
                    f"| {megapixels} | {form} | {route} | failed: {done.stderr[-200:]!r} |"
                )
                continue
            found = json.loads(done.stdout)
            stages = found["stages"]
            names = ("read", "decode", "locate", "prepare", "apply", "composite", "write")
            cells = " | ".join(f"{stages[name]:.3f}" for name in names)
            lines.append(
                f"| {megapixels} | {form} | {route} | {cells} | {found['warm']:.2f} "
                f"| {found['first']:.2f} | {found['plain']:.2f} | {found['ratio']:.1f} "
                f"| {_cell(found['pillow'], found['pillow_ratio'])} "
                f"| {found['peak_mib']:.0f} |"
            )
            print(lines[-1], flush=True)
    RESULTS.write_text("\n".join(lines) + "\n")
    print(RESULTS.relative_to(Path.cwd()) if RESULTS.is_relative_to(Path.cwd()) else RESULTS)


def _cell(seconds: float, ratio: float | None) -> str:
    return "cannot | –" if ratio is None else f"{seconds:.2f} | {ratio:.2f}"


def _cores() -> int:
    import os

    return os.cpu_count() or 1


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(one(*json.loads(sys.argv[1]))))
    else:
        main()
