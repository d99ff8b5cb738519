"""``insitu demo --nerf``: a scene of our own reconstructed and edited on a CPU, from nothing."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

INSTRUCTION = "make the red ball blue"
_SHOWN = 3  # held-out views on the sheet
_LOG_TAIL = 12  # lines told when training fails


def nerf_demo(folder: Path) -> int:
    """Render a capture, train and edit it, measure it, and write before beside after.

    Args:
        folder: Where all of it goes; exists.

    Returns:
        The exit code. The last line printed is the sheet's path.

    Raises:
        MissingWeights: nerfstudio is not installed.
        EditFailed: Training ended with an error; the log's end is in the message.
    """
    import importlib.util

    from image_core.errors import MissingWeights
    from pocket import write_capture

    if importlib.util.find_spec("nerfstudio") is None:
        raise MissingWeights(
            "nerfstudio is not installed", hint="make demo-nerf, or pip install 'insitu[nerf]'."
        )
    began = time.monotonic()
    capture = folder / "capture"
    write_capture(capture)
    print(f"{capture}: 40 views of 160 x 120 pixels, rendered here, with the truth")
    run = folder / "runs" / "capture" / "insitu-cpu" / time.strftime("%Y-%m-%d_%H%M%S")
    print(f'ns-train insitu-cpu: reconstructing, then "{INSTRUCTION}"; some minutes, see train.log')
    _train(capture, folder, run.name)
    print(f"{run}: {time.monotonic() - began:.0f} s so far")
    print(_write_sheet(run, folder / "demo_nerf.png"))
    return 0


def _train(capture: Path, folder: Path, name: str) -> None:
    """Run ``ns-train`` in a process of its own, its words in a log file."""
    from image_core.errors import EditFailed

    log = folder / "train.log"
    arguments = ["insitu-cpu", "--data", str(capture), "--output-dir", str(folder / "runs")]
    arguments += ["--timestamp", name, "--pipeline.instruction", INSTRUCTION]
    with log.open("wb") as sink:
        ended = subprocess.run(
            [sys.executable, "-m", "nerfstudio.scripts.train", *arguments],
            stdout=sink,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if ended.returncode:
        lines = log.read_text(errors="replace").splitlines()[-_LOG_TAIL:]
        raise EditFailed(
            "ns-train ended with an error:\n" + "\n".join(lines), hint=f"All of it: {log}"
        )


def _write_sheet(run: Path, path: Path) -> Path:
    """Render held-out views before and after, print what was measured, and write the sheet."""
    import numpy as np

    from image_core.photo import write_atomically
    from insitu.overlay import captioned_row, encode_picture
    from nerf.evaluation import evaluate_run
    from nerf.rendered_run import load_run
    from nerf.truth import read_truth

    report = evaluate_run(run, pairs=0, clip="none")
    _print_numbers(report["held_out"])
    edited = load_run(run)
    before, after = load_run(run / "reconstruction.yml").held_out, edited.held_out
    truth = read_truth(edited.data / "truth")
    rows = []
    for view in range(min(_SHOWN, len(after))):
        original = after.original(view)
        height, width = original.shape[:2]
        true = truth.picture(after.names[view], width, height)
        panels = [original, before.rendered(view).rgb, after.rendered(view).rgb]
        panels += [original if true is None else true]
        captions = ("held-out view", "field before", f'field after "{INSTRUCTION}"', "true edit")
        rows.append(captioned_row([_bytes(panel) for panel in panels], captions, width=320))
    write_atomically(path, encode_picture(np.concatenate(rows), path))
    return path


def _print_numbers(held_out: dict[str, Any]) -> None:
    print(
        f"held-out views, outside the ball: {held_out['outside_psnr']:.1f} dB to the originals; "
        f"inside: {100 * held_out['way_oklab']:.0f} % of the way from red to the true blue"
    )


def _bytes(image: np.ndarray) -> np.ndarray:
    import numpy as np

    made: np.ndarray = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
    return made
