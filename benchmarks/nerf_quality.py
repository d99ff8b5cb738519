"""Time by stage, and how near to what was asked, over seeds: our scene and a photographed one.

Each seed trains the edit; nothing edited, as many steps; and, where the true edit is known, the
rival: the same operator with the whole picture as its region. All are measured with the same
regions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.nerf_training import train
from image_core.photo import write_atomically

METHOD = "insitu-cpu"
INSTRUCTION = "make the red ball blue"
FOX_FLAGS = ("--pipeline.box", "30", "19", "125", "152", "--pipeline.box-view", "0001.jpg")
FOX_INSTRUCTION = "make it blue"
EDITED, UNEDITED, WHOLE = "edited", "unedited", "region = whole picture"
_SHOWN = 3  # held-out views in a picture

Tell = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A capture and its edit.

    Attributes:
        name: For tables.
        capture: The data.
        instruction: The edit.
        region: Flags that say where, besides the words.
        flags: Of all of its trainings.
    """

    name: str
    capture: Path
    instruction: str
    region: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


def stages(subject: Subject, work: Path, threads: Sequence[int], tell: Tell) -> list[Any]:
    """Return the time of each stage of the first seed's edit, for numbers of threads."""
    rows = []
    for count in threads:
        ran = _train(subject, work, EDITED, 0, threads=count)
        rows.append({"subject": subject.name, "threads": count, **_times(ran)})
        tell(f"{subject.name}, {count} threads: {ran['wall']:.0f} s, {ran['cpu']:.0f} s of CPU")
    return rows


def first_run(subject: Subject, work: Path, *, threads: int) -> Path:
    """Return the run of the first seed's edit."""
    return Path(_train(subject, work, EDITED, 0, threads=threads)["run"])


def over_seeds(
    subject: Subject,
    work: Path,
    seeds: Sequence[int],
    tell: Tell,
    *,
    threads: int,
    pictures: Path | None,
) -> list[dict[str, Any]]:
    """Train and measure the three variants with each seed.

    Args:
        subject: Of what.
        work: Where the trainings lie; those that lie there are not made again.
        seeds: Of the machine and of the edit.
        tell: Told of each.
        threads: Of torch.
        pictures: Where held-out views of the first seed are shown; None for nowhere.
    """
    rows = []
    for seed in seeds:
        edited = _train(subject, work, EDITED, seed, threads=threads)
        steps = edited["steps"]
        runs = {
            EDITED: edited,
            UNEDITED: _train(subject, work, UNEDITED, seed, threads=threads, steps=steps),
        }
        if _truth(subject) is not None:
            runs[WHOLE] = _train(subject, work, WHOLE, seed, threads=threads)
        masks = _regions_of(Path(edited["run"]), work / f"masks {subject.name} {seed}")
        for variant, ran in runs.items():
            found = _measured(Path(ran["run"]), masks if _truth(subject) is None else None)
            row = {"subject": subject.name, "variant": variant, "seed": seed, **found}
            rows.append(row | {"steps": ran["steps"], "wall": ran["wall"], "cpu": ran["cpu"]})
            tell(f"{subject.name}, {variant}, seed {seed}: {found}")
        if pictures is not None and seed == seeds[0]:
            _show(subject, runs, pictures / f"{subject.name}.png")
    return rows


def _truth(subject: Subject) -> Path | None:
    folder = subject.capture / "truth"
    return folder if (folder / "truth.json").is_file() else None


def _train(
    subject: Subject,
    work: Path,
    variant: str,
    seed: int,
    *,
    threads: int,
    steps: int | None = None,
) -> dict[str, Any]:
    flags = [*subject.flags, "--machine.seed", str(seed), "--pipeline.seed", str(seed)]
    if variant == UNEDITED:
        flags += ["--pipeline.reconstruct-steps", str(steps)]
    else:
        flags += ["--pipeline.instruction", subject.instruction]
    if variant == EDITED:
        flags += subject.region
    if variant == WHOLE:
        white = _white_masks(subject.capture, work / f"white {subject.name}")
        flags += ["--pipeline.mask-dir", str(white), "--pipeline.region-3d", "off"]
    folder = work / f"{subject.name} {variant} {seed} {threads}"
    return train(METHOD, subject.capture, folder, flags, threads=threads)


def _times(ran: dict[str, Any]) -> dict[str, Any]:
    return {key: ran[key] for key in ("stages", "wall", "cpu", "steps", "peak")}


def _white_masks(capture: Path, folder: Path) -> Path:
    """Write a mask of the whole picture for each view."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted((capture / "images").iterdir()):
        height, width = _read(path).shape[:2]
        _write(folder / f"{path.stem}.png", np.full((height, width), 255, np.uint8))
    return folder


def _regions_of(run: Path, folder: Path) -> Path:
    """Write the held-out views' regions as the edited run shows them."""
    from nerf.rendered_run import load_run

    folder.mkdir(parents=True, exist_ok=True)
    views = load_run(run).held_out
    for index, name in enumerate(views.names):
        region = views.rendered(index).region
        assert region is not None
        _write(folder / f"{Path(name).stem}.png", _bytes(region))
    return folder


def _measured(run: Path, masks: Path | None) -> dict[str, Any]:
    from nerf.evaluation import evaluate_run

    report = evaluate_run(run, masks=masks, pairs=0, clip="none")["held_out"]
    keys = ("outside_psnr", "outside_ssim", "way_oklab", "way_rgb", "inside_psnr_to_truth")
    return {"views": report["count"], **{key: report.get(key) for key in keys}}


def _show(subject: Subject, runs: dict[str, dict[str, Any]], path: Path) -> None:
    """Write held-out views: the original, what each variant shows, and the true edit."""
    from insitu.overlay import captioned_row, encode_picture
    from nerf.rendered_run import load_run
    from nerf.truth import read_truth

    loaded = {variant: load_run(Path(ran["run"])).held_out for variant, ran in runs.items()}
    first = loaded[EDITED]
    folder = _truth(subject)
    truth = read_truth(folder) if folder is not None else None
    rows = []
    for view in np.unique(np.linspace(0, len(first) - 1, _SHOWN).astype(int)).tolist():
        original = first.original(view)
        height, width = original.shape[:2]
        panels = {"held-out view": original}
        panels |= {variant: views.rendered(view).rgb for variant, views in loaded.items()}
        true = truth.picture(first.names[view], width, height) if truth is not None else None
        if true is not None:
            panels["true edit"] = true
        rows.append(captioned_row([_bytes(panel) for panel in panels.values()], list(panels), 280))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, encode_picture(np.concatenate(rows), path))


def _bytes(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.rint(np.clip(values, 0, 1) * 255), np.uint8)


def _read(path: Path) -> np.ndarray:
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if picture is None:
        raise FileNotFoundError(path)
    return np.asarray(picture)


def _write(path: Path, picture: np.ndarray) -> None:
    if not cv2.imwrite(str(path), picture):
        raise OSError(f"{path} cannot be written")
