"""The editors' figures as pages of tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Figures = Mapping[str, Any]


def side_by_side(found: Figures) -> str:
    """Return the page of what was measured on the CPU."""
    lines = [
        "# Editors: rows, and time beside others",
        "",
        "`python -m benchmarks.editors`, random weights, one thread. *Clock* is seconds by the "
        "clock, *CPU* seconds of processor time, *outside* the part of those spent outside all "
        "networks; medians, ranges in brackets. A row is one sample through a network once.",
    ]
    if "rows" in found:
        lines += _rows(found["rows"])
    if "diffedit" in found:
        lines += _diffedit(found["diffedit"])
    if "overhead" in found:
        lines += _overhead(found["overhead"])
    return "\n".join(lines) + "\n"


def full_size(found: Figures) -> str:
    """Return the page of what was measured on a device."""
    what = "miniature networks, to try the benchmark" if found["miniature"] else "full size"
    lines = [
        "# Editors on one device",
        "",
        f"InstructEdit, {what}, random weights, {found['steps']} steps, r 0.5, nothing cached, "
        f"{found['precision']}; {_where(found['machine'])}. Medians of {found['rounds']} runs "
        "after one that warms up. *Most rows* is what one call of the UNet was held to.",
        "",
        "| checkpoint | picture | batch | s a picture | peak (GiB) | in the UNet "
        "| in all networks | most rows |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for cell in found["cells"]:
        start = f"| {cell['checkpoint']} | {cell['side']}² | {cell['batch']} | "
        if "failed" in cell:
            lines.append(start + f"{cell['failed']} | | | | |")
            continue
        lines.append(
            start + f"{_range(cell['seconds_per_picture'])} | {cell['peak_gib']:.2f} "
            f"| {cell['unet_share']:.1%} | {cell['networks_share']:.1%} | {cell['most_rows']} |"
        )
    return "\n".join(lines) + "\n"


def _rows(found: Figures) -> list[str]:
    lines = [
        "",
        "## Rows in one edit",
        "",
        "Counted at each call, at miniature size; the UNet's a second time by a hook on it. "
        f"{_where(found['machine'])}.",
        "",
        "| edit | UNet | by hook | at most | VAE encoder | VAE decoder | text encoder |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for line in found["lines"]:
        rows = line["rows"]
        cells = [rows.get(name, 0) for name in ("vae encoder", "vae decoder", "text encoder")]
        lines.append(
            f"| {line['label']} | {rows['unet']} | {line['by_hook']} | {line['most'] or '–'} | "
            + " | ".join(map(str, cells))
            + " |"
        )
    return lines


def _diffedit(found: Figures) -> list[str]:
    apart = found["apart"]
    lines = [
        "",
        "## Beside diffusers' DiffEdit pipeline",
        "",
        "`StableDiffusionDiffEditPipeline`, given our mask, over the very same networks (a UNet of "
        f"{found['unet_parameters'] / 1e6:.1f} M parameters, pictures of {found['picture']}²), 50 "
        f"steps. {_where(found['machine'])}; {found['rounds']} rounds of the "
        "long cases and three times as many of those of one edit at r 0.5, in turn.",
        "",
        "*Equal maths*: no guidance in the inversion, r 0.5, equal captions. On it the two paths "
        f"are {apart['paths']:.1e} apart and whole-picture edits "
        f"{apart['whole_picture_edits']:.1e} (of pictures in [0, 1] whose values spread by "
        f"{apart['spread_of_the_edit']:.2f}). "
        "*Defaults*: guidance 7.5 in the inversion too and strength 0.8, against ours at 0.8. The "
        "pipeline keeps nothing between calls: every edit is a first one.",
        "",
        "| case | UNet rows | clock (s) | CPU (s) | outside (ms) |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, case in found["cases"].items():
        lines.append(
            f"| {name} | {case['rows']} | {_range(case['wall'])} | {_range(case['busy'])} "
            f"| {_range(case['outside'], 1000, 0)} |"
        )
    lines += [
        "",
        "How many times as fast ours is, run by run (then by the medians and the quickest runs of "
        "each):",
        "",
        "| | rows | clock | CPU | CPU, medians | CPU, quickest runs | at least |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, one in found["ratios"].items():
        lines.append(
            f"| {name} | {one['rows']:.2f} | {_range(one['wall'])} | {_range(one['busy'])} "
            f"| {one['busy_medians']:.2f} | {one['busy_quickest']:.2f} | {one['target'] or '–'} |"
        )
    return lines


def _overhead(found: Figures) -> list[str]:
    ratio = found["loop_to_bare"]
    return [
        "",
        "## The loop over bare calls, at Stable Diffusion 1.5's size",
        "",
        f"A UNet of {found['unet_parameters'] / 1e6:.1f} M parameters in {found['precision']}, "
        f"pictures of {found['picture']}², {found['calls']} calls of {found['rows']} rows in all "
        f"(r 1). {_where(found['machine'])}; {found['rounds']} rounds.",
        "",
        "| | clock (s) | CPU (s) |",
        "|---|---:|---:|",
        f"| our loop | {_range(found['loop']['wall'])} | {_range(found['loop']['busy'])} |",
        f"| its calls, bare | {_range(found['bare']['wall'])} | {_range(found['bare']['busy'])} |",
        f"| ratio, run by run | {_range(ratio['wall'], 1, 3)} | {_range(ratio['busy'], 1, 3)} |",
        "",
        f"Outside the UNet the loop spent {_range(found['outside_seconds'], 1000, 1)} ms of "
        f"processor time: {_range(found['outside_share'], 100, 3)} % of the time inside it; at "
        f"most {found['target']:.0%} is allowed.",
    ]


def _range(figures: Figures, scale: float = 1, digits: int = 2) -> str:
    median, low, high = (figures[name] * scale for name in ("median", "low", "high"))
    return f"{median:.{digits}f} [{low:.{digits}f}–{high:.{digits}f}]"


def _where(machine: Figures) -> str:
    return (
        f"{machine['device']}, {machine['cores']} cores, load {machine['load']:g}, torch "
        f"{machine['torch']}, diffusers {machine['diffusers']}, {machine['date']}"
    )
