"""The figures of ``benchmarks.nerf`` as pages of tables."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from benchmarks.nerf_quality import EDITED, UNEDITED
from benchmarks.nerf_training import STAGES
from benchmarks.running import where

Figures = Mapping[str, Any]


def page(found: Figures) -> str:
    """Return the page of what was measured on the CPU."""
    lines = [
        "# NeRF editing: time, what is kept, what is reached",
        "",
        "`python -m benchmarks.nerf`. Each part says where it was measured; *load* is the "
        "machine's at its beginning. Ranges in brackets.",
    ]
    for part, written in _PARTS.items():
        if part in found:
            lines += ["", *written(found[part]), "", f"Measured on {where(found[part])}."]
    return "\n".join(lines) + "\n"


def device_page(found: Figures) -> str:
    """Return the page of what was measured on a device."""
    what = "miniature networks, to try the benchmark" if found["miniature"] else "full size"
    lines = [
        "# NeRF editing on one device",
        "",
        f"Presets with InstructPix2Pix (20 steps) and the masked DDIM (50 steps), {what}, random "
        "weights, one round. *Views a second* is of the whole loop, training between updates "
        "included; *rest* is the loop's share outside rendering, editing and training. "
        "The edit's first call is in it. *Peak* is of tensors on a GPU, else of the process.",
        "",
        f"Measured on {where(found)}.",
        "",
        "| preset | editor | views at once | views a second | rendering (s a view) "
        "| editing (s a view) | training (s a view) | rest | peak (GiB) |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for cell in found["cells"]:
        start = f"| {cell['preset']} | {cell['method']} | {cell['batch']} | "
        if "failed" in cell:
            lines.append(start + f"{cell['failed']} | | | | | |")
            continue
        seconds = cell["seconds_per_view"]
        lines.append(
            start + f"{cell['views_per_second']:.3g} | {seconds['rendering']:.3f} "
            f"| {seconds['editing']:.3f} | {seconds['training']:.3f} "
            f"| {100 * cell['rest']:.1f} % | {cell['peak_gib']:.2f} |"
        )
    return "\n".join(lines) + "\n"


def _stages(found: Figures) -> list[str]:
    lines = [
        "## From nothing to edited, by stage",
        "",
        "`ns-train insitu-cpu` from the start of its process to its end; seconds by the clock, and "
        "of processor time in brackets. The target is 240 s by the clock on two idle cores.",
        "",
        "| capture | threads | " + " | ".join(STAGES) + " | all | steps | peak (GiB) |",
        "|---|---:|" + "---:|" * (len(STAGES) + 3),
    ]
    for row in found["rows"]:
        cells = [_pair(row["stages"][stage]) for stage in STAGES]
        lines.append(
            f"| {row['subject']} | {row['threads']} | {' | '.join(cells)} "
            f"| {_pair((row['wall'], row['cpu']))} | {row['steps']} | {row['peak'] / 2**30:.2f} |"
        )
    return lines


def _quality(found: Figures) -> list[str]:
    rows = found["rows"]
    lines = [
        "## Kept outside, reached inside",
        "",
        "Held-out views, means over seeds (of `--machine.seed` and `--pipeline.seed`), lowest and "
        "highest in brackets. *Outside* compares with the originals, 2 pixels and more away from "
        "the region; *unedited* trains as many steps without an edit; the rival is the same "
        "operator, with the whole picture as its region. *Way* is how much of the colour distance "
        "from the original to the true edit was gone, inside, in Oklab and in RGB; an unedited "
        "run's is what its renders differ from the photographs.",
        "",
        "| capture | run | seeds | outside PSNR (dB) | outside SSIM | way, Oklab (%) "
        "| way, RGB (%) | inside PSNR to the true edit (dB) | steps | wall (s) |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for subject, variant in dict.fromkeys((row["subject"], row["variant"]) for row in rows):
        these = _of(rows, subject, variant)
        cells = [
            _spread(these, "outside_psnr", 2),
            _spread(these, "outside_ssim", 3),
            _spread(these, "way_oklab", 1, 100),
            _spread(these, "way_rgb", 1, 100),
            _spread(these, "inside_psnr_to_truth", 2),
            _spread(these, "steps", 0),
            _spread(these, "wall", 0),
        ]
        lines.append(f"| {subject} | {variant} | {len(these)} | {' | '.join(cells)} |")
    lines.append("")
    for subject in dict.fromkeys(row["subject"] for row in rows):
        lines += _kept(subject, rows)
    return lines


def _kept(subject: str, rows: Sequence[Figures]) -> list[str]:
    plain = {row["seed"]: row["outside_psnr"] for row in _of(rows, subject, UNEDITED)}
    apart = [
        row["outside_psnr"] - plain[row["seed"]]
        for row in _of(rows, subject, EDITED)
        if row["seed"] in plain
    ]
    said = [
        f"- {subject}: outside, edited less unedited {_of_values(apart, 2)} dB, seed by seed "
        f"(at least −0.4 on average is wanted: {_verdict(statistics.mean(apart) >= -0.4)})."
    ]
    ways = [row["way_oklab"] for row in _of(rows, subject, EDITED)]
    if None not in ways:
        said.append(
            f"- {subject}: {100 * statistics.mean(ways):.1f} % of the way inside (at least 80 % "
            f"is wanted: {_verdict(statistics.mean(ways) >= 0.8)})."
        )
    return said


def _region(found: Figures) -> list[str]:
    lines = [
        "## One region in 3D from spoilt regions",
        "",
        f"Our scene's true regions, {100 * found['share']:.0f} % of those that show the target "
        "spoilt: dropped, or another thing's in their place, be it the floor's; "
        f"{found['views']} training views, {found['iterations']} steps of the region, "
        "the reconstruction of the first run above. Mean IoU with the true regions over all views: "
        "of the *spoilt* ones, of the one region *as rendered*, and of what is then *edited*. "
        "Areas are shares of a view.",
        "",
        "| spoilt | seeds | IoU, spoilt | IoU, as rendered | IoU, edited | area, true "
        "| area, spoilt | area, as rendered | area, edited |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for kind in dict.fromkeys(row["spoilt"] for row in found["rows"]):
        these = [row for row in found["rows"] if row["spoilt"] == kind]
        ious = [_spread(these, f"iou_{name}", 3) for name in ("given", "rendered", "fused")]
        areas = [
            f"{100 * statistics.mean(row[f'area_{name}'] for row in these):.2f} %"
            for name in ("true", "given", "rendered", "fused")
        ]
        lines.append(f"| {kind} | {len(these)} | {' | '.join([*ious, *areas])} |")
    return lines


def _loop(found: Figures) -> list[str]:
    names = [*found["inside"], "rest"]
    lines = [
        "## The loop beside rendering, editing and training",
        "",
        f"`insitu-cpu` on our scene, an editor that blends the render ({found['views']} edits, one "
        f"view at a time; threads: {found['threads']}), from the first update to the last: "
        f"{found['total'][0]:.1f} s by the clock, {found['total'][1]:.1f} s of processor time. "
        "At most 5 % of *rest* is wanted. The edit itself takes next to nothing here: with a "
        "diffusion network the rest's share is smaller.",
        "",
        "| share of the loop | " + " | ".join(names) + " |",
        "|---|" + "---:|" * len(names),
    ]
    for kind, label in (("wall", "by the clock"), ("cpu", "of processor time")):
        shares = found[f"{kind}_shares"]
        lines.append(
            f"| {label} | " + " | ".join(f"{100 * shares[name]:.2f} %" for name in names) + " |"
        )
    return lines


def _steps(found: Figures) -> list[str]:
    lines = [
        "## The hash grid and the whole step, nerfstudio's way and ours",
        "",
        f"{found['blocks']} blocks of {found['steps']} each, in turn; threads: {found['threads']}; "
        f"the hash grid at {found['points']} points with `insitu-cpu`'s 8 levels. "
        "Milliseconds; medians.",
        "",
        "| what | nerfstudio's, clock | ours, clock | nerfstudio's, CPU | ours, CPU "
        "| times as fast, clock | times as fast, CPU |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for what in ("hash grid, forwards and back", "training step"):
        one = found[what]
        cells = [
            _middle(values, 1000, 1) for kind in ("wall", "cpu") for values in one[kind].values()
        ]
        cells += [_middle(one["wall_ratio"], 1, 2), _middle(one["cpu_ratio"], 1, 2)]
        lines.append(f"| {what} | {' | '.join(cells)} |")
    return lines


_PARTS: Mapping[str, Callable[[Figures], list[str]]] = {
    "stages": _stages,
    "quality": _quality,
    "region": _region,
    "loop": _loop,
    "steps": _steps,
}


def _of(rows: Iterable[Figures], subject: str, variant: str) -> list[Figures]:
    return [row for row in rows if (row["subject"], row["variant"]) == (subject, variant)]


def _pair(seconds: Sequence[float]) -> str:
    return f"{seconds[0]:.1f} ({seconds[1]:.1f})"


def _spread(rows: Sequence[Figures], key: str, digits: int, scale: float = 1) -> str:
    values = [row[key] for row in rows]
    if None in values:
        return "–"
    return _of_values([scale * value for value in values], digits)


def _of_values(values: Sequence[float], digits: int) -> str:
    mean = f"{statistics.mean(values):.{digits}f}"
    if max(values) == min(values):
        return mean
    return f"{mean} [{min(values):.{digits}f} to {max(values):.{digits}f}]"


def _middle(figures: Figures, scale: float, digits: int) -> str:
    median, low, high = (figures[name] * scale for name in ("median", "low", "high"))
    return f"{median:.{digits}f} [{low:.{digits}f}–{high:.{digits}f}]"


def _verdict(met: bool) -> str:
    return "met" if met else "not met"
