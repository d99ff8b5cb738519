"""The summary as tables for people."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pocket.scoring.summary import ALL, Difference, Mean, Row

if TYPE_CHECKING:
    from rich.table import Table

WIDTH = 140
"""Columns that a table takes where nobody's terminal says."""

_SURE = "true edit"  # is right on every kind, or a note says where not
_NUMBERS = (
    "made", "right %", "95 %", "found IoU", "edited IoU", "in MAE", "in dB", "out MAE", "rows", "s",
)  # fmt: skip
_REFUSALS = {
    "TargetNotFound": "not found",
    "AmbiguousTarget": "ambiguous",
    "UnsupportedEdit": "unsupported",
    "InstructionNotUnderstood": "not understood",
    "EditFailed": "failed",
    "NonFiniteOutput": "not finite",
}


def table_by_kind(rows: Iterable[Row], title: str) -> Table:
    """Draw a table with a line a kind of edit, the editors' names where they begin."""
    table = _headed(title, "kind")
    last = None
    for row in rows:
        if row.task == ALL or row.label == _SURE:
            continue
        who = (row.label, row.regions)
        table.add_row(*(who if who != last else ("", "")), row.task, *_cells(row))
        last = who
    return table


def table_of_all(rows: Iterable[Row], title: str) -> Table:
    """Draw a table with a line an editor, over all kinds of edit."""
    table = _headed(title)
    for row in rows:
        if row.task == ALL:
            table.add_row(row.label, row.regions, *_cells(row))
    return table


def table_of_differences(found: Iterable[Difference], title: str) -> Table:
    """Draw a table with a line a pair of editors: how much the first exceeds the second."""
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for name in ("first", "less the second"):
        table.add_column(name, overflow="fold")
    table.add_column("pairs", no_wrap=True)
    for name in _COMPARED:
        table.add_column(name, justify="right", no_wrap=True)
    for one in found:
        right, iou, outside = (one.means.get(name) for name in _COMPARED.values())
        table.add_row(
            one.first,
            one.second,
            one.pairs,
            _with_ends(right, 100, ".0f"),
            _with_ends(iou, 1, ".2f"),
            _with_ends(outside, 1, ".4f"),
        )
    return table


_COMPARED = {"right %": "right", "found IoU": "found_iou", "out MAE": "outside_mae"}


def _with_ends(mean: Mean | None, scale: float, form: str) -> str:
    if mean is None:
        return "-"
    value, low, high = (
        format(scale * part, "+" + form) for part in (mean.mean, mean.low, mean.high)
    )
    return f"{value} ({low} to {high})"


def _headed(title: str, *more: str) -> Table:
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    table.add_column("editor", overflow="fold")
    for name in ("regions", *more):
        table.add_column(name, no_wrap=True)
    for name in _NUMBERS:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("refused", overflow="fold", min_width=14)
    return table


def _cells(row: Row) -> tuple[str, ...]:
    means = row.means
    right = means["right"]
    return (
        f"{row.made}/{row.count}",
        f"{100 * right.mean:.0f}",
        f"{100 * right.low:.0f}-{100 * right.high:.0f}",
        _told(means.get("found_iou"), ".2f"),
        _told(means.get("region_iou"), ".2f"),
        _told(means.get("inside_mae"), ".3f"),
        _told(means.get("inside_psnr"), ".1f"),
        _told(means.get("outside_mae"), ".4f"),
        f"{means['rows'].mean:.0f}" if row.rows else "-",
        f"{means['seconds'].mean:.2f}" if row.regions else "-",
        ", ".join(f"{count} {_REFUSALS.get(name, name)}" for name, count in row.refusals.items()),
    )


def _told(mean: Mean | None, form: str) -> str:
    return "-" if mean is None else format(mean.mean, form)
