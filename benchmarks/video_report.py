"""The figures of ``benchmarks.video`` as a page of tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmarks.running import where

Figures = Mapping[str, Any]

_AIM_STEADY = 0.6  # ours by naive, at most
_AIMS = {"pointwise": 60, "canonical": 180}  # seconds by the clock on two idle cores, at most
_ABOVE_STATIC = 6  # dB over a picture that stands still, from which hash fields are of use


def page(found: Figures) -> str:
    """Return the page of what was measured."""
    lines = [
        "# Video editing: time, steadiness, what is reached",
        "",
        "`python -m benchmarks.video --results`. Each part says where it was measured; *load* is "
        "the machine's at its beginning.",
    ]
    for part, written in _PARTS.items():
        if part in found:
            lines += ["", *written(found[part]), "", f"Measured on {where(found[part])}."]
    return "\n".join(lines) + "\n"


def _pointwise(found: Figures) -> list[str]:
    return [
        "## Pointwise route, from nothing",
        "",
        "One command in a fresh process with an empty cache: recolour the thing in the box. At "
        f"most {_AIMS['pointwise']} s by the clock are wanted.",
        "",
        *_commands(found["rows"]),
    ]


def _canonical(found: Figures) -> list[str]:
    return [
        "## Canonical route, from nothing",
        "",
        "The same: fill the thing in the box with stripes. At most "
        f"{_AIMS['canonical']} s by the clock are wanted.",
        "",
        *_commands(found["rows"]),
        "",
        *[f"- {row['subject']}: {said}" for row in found["rows"] for said in row["warnings"]],
    ]


def _second(found: Figures) -> list[str]:
    return [
        "## The second instruction on the same region",
        "",
        "After one of the same route: flow, region and fit are in the cache.",
        "",
        *_commands(found["rows"], words=True),
    ]


def _commands(rows: Sequence[Figures], *, words: bool = False) -> list[str]:
    stages = list(dict.fromkeys(stage for row in rows for stage in row["stages"]))
    first = "| clip | frames | " + ("instruction | " if words else "")
    lines = [
        first + "clock (s) | CPU (s) | peak (MiB) | load | " + " | ".join(stages) + " |",
        "|---|---:|" + "---|" * words + "---:|" * (4 + len(stages)),
    ]
    for row in rows:
        cells = [
            f"{row['stages'][stage]:.2f}" if stage in row["stages"] else "" for stage in stages
        ]
        said = f"{row['instruction']} | " if words else ""
        lines.append(
            f"| {row['subject']} | {row['frames']} | {said}{row['wall']:.1f} | {row['cpu']:.1f} "
            f"| {row['peak'] / 2**20:.0f} | {row['load']:g} | {' | '.join(cells)} |"
        )
    return lines


def _steadiness(found: Figures) -> list[str]:
    lines = [
        "## Steadiness",
        "",
        "Warp error inside the region divided by the mean gradient inside it, along the source's "
        "flow: by about how many pixels things jump from frame to frame. All versions are "
        "measured on the same pixels, our region's. *Naive* edits each frame by itself with the "
        "same operator: the region cut from a box (of our own clip the true one of each frame) or "
        "found by the phrase, all statistics taken there. At most "
        f"{_AIM_STEADY} of naive is wanted.",
        "",
        "| clip | edit | version | steadiness (px) | ours / it | flicker (levels) "
        "| frames it missed |",
        "|---|---|---|---:|---:|---:|---:|",
    ]
    for row in found["rows"]:
        for version, value in row["steadiness"].items():
            share = row["ratio"].get(version)
            lines.append(
                f"| {row['subject']} | {row['kind']} | {version} | {value:.3f} "
                f"| {'' if share is None else f'{share:.2f}'} | {row['flicker'][version]:.2f} "
                f"| {row['missed'].get(version, '')} |"
            )
    return lines


def _truth(found: Figures) -> list[str]:
    recolour, painted = found["recolour"], found["painted"]
    return [
        "## Our own clip, beside the truth",
        "",
        f"- Region: IoU {recolour['region_iou']:.3f} on average, {recolour['region_iou_least']:.3f}"
        f" in the worst frame ({recolour['region_iou_least_frame']}); wanted: 0.85 and 0.7.",
        f"- Recolouring: {_number(recolour['inside_psnr'], 1)} dB inside to the truly edited "
        f"frames, {_number(recolour['inside_psnr_least'], 1)} in the worst "
        f"({recolour['inside_psnr_least_frame']}), the untouched source "
        f"{_number(recolour['inside_psnr_of_source'], 1)}; wanted: 26.",
        f"- A pattern painted on each part's reference frame ({painted['fits']} canonical "
        "pictures): points miss their true places by "
        f"{_number(painted['drift_median'], 2)} px (median), "
        f"{_number(painted['drift_p95'], 2)} px (95 %) over {painted['points']} points in all "
        f"frames but the reference; {100 * painted['within_a_pixel']:.0f} % lie within a pixel.",
        f"- Carried to the frames, it comes to {_number(painted['psnr'], 1)} dB inside of the truly"
        f" painted ones ({_number(painted['psnr_least'], 1)} in the worst, "
        f"{painted['psnr_least_frame']}).",
    ]


def _fits(found: Figures) -> list[str]:
    lines = [
        "## Fits: what seconds buy",
        "",
        "CPU seconds of the fit alone, flow measured before; hash fields count reading the "
        "footage and reading out the result too. PSNR of what the canonical picture shows of the "
        "frames, inside the part, at the fit's own size; *folds* is the share of it "
        "that folds; *slip* is by how many pixels a painted pattern slips from frame to frame "
        "(its warp error along the frames' own flow by its slope); *blur* is the slope of what is "
        "shown by the frames' own. A picture that stands still (the frames' mean at "
        f"{found['side']} px) is what any fit must beat: by {_ABOVE_STATIC} dB before hash fields "
        "are more than an experiment.",
        "",
        "| clip | part | model | CPU (s) | clock (s) | PSNR (dB) | worst frame | over the mean "
        "(dB) | folds | slip (px) | blur |",
        "|---|---|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for still in found["static"]:
        start = f"| {still['subject']} | {still['part']} | "
        lines.append(start + f"the frames' mean | | | {still['psnr']:.2f} | | | | | |")
        for row in found["rows"]:
            if (row["subject"], row["part"]) == (still["subject"], still["part"]):
                steps = f", {row['steps']} steps" if "steps" in row else ""
                lines.append(
                    start + f"{row['model']}{steps} | {row['cpu']:.1f} | {row['wall']:.1f} "
                    f"| {row['psnr']:.2f} | {row['psnr_least']:.2f} "
                    f"| {row['psnr'] - still['psnr']:+.2f} | {100 * row['folds']:.2f} % "
                    f"| {row['slip']:.2f} | {row['blur']:.2f} |"
                )
    return lines


def _memory(found: Figures) -> list[str]:
    lines = [
        "## Memory",
        "",
        "A pointwise edit of our own clip at 160 x 120, and of one many times as long (the same "
        "frames forwards and backwards in turn).",
        "",
        "| frames | peak (MiB) | clock (s) |",
        "|---:|---:|---:|",
    ]
    for row in found["rows"]:
        lines.append(f"| {row['frames']} | {row['peak'] / 2**20:.0f} | {row['wall']:.1f} |")
    return [*lines, "", f"- {found['ratio']:.2f} times the memory for the longer clip."]


_PARTS: Mapping[str, Callable[[Figures], list[str]]] = {
    "pointwise": _pointwise,
    "canonical": _canonical,
    "second": _second,
    "steadiness": _steadiness,
    "truth": _truth,
    "fits": _fits,
    "memory": _memory,
}


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
