"""Which edits are shown on the contact sheet."""

from __future__ import annotations

from collections.abc import Sequence

from pocket.flat.settings import Pairs
from pocket.scoring.records import Ledger, Record
from pocket.scoring.sheet import Sheet, SheetRow, Tile, drawn_sheet

_HELD_OUT = 0.25  # share of the rows that show edits to what training never showed
_FIRST = ("do nothing", "true edit")  # the columns on the left
_HEADINGS = {"do nothing": "source"}


def examples_sheet(records: Sequence[Record], ledger: Ledger, *, count: int) -> Sheet:
    """Draw the first cases of a scoring, whose tasks take turns, with all that was made of them.

    Args:
        records: Of all references and conditions.
        ledger: Has their pictures.
        count: How many cases.
    """
    by_column: dict[tuple[str, str], dict[str, Record]] = {}
    for record in records:
        by_column.setdefault((record.label, record.regions), {})[record.case] = record
    columns = sorted(by_column, key=lambda who: _FIRST.index(who[0]) if who[0] in _FIRST else 2)
    rows = []
    for case in _chosen(records, count):
        own = [by_column[column][case] for column in columns]
        one = own[0]
        below = one.task if one.pairs == "seen" else f"{one.task}, held-out pair"
        tiles = [_tile(record, ledger) for record in own]
        rows.append(SheetRow(instruction=one.instruction, below=below, tiles=tiles))
    headings = [
        f"{_HEADINGS.get(label, label)}{f' ({regions})' if regions else ''}"
        for label, regions in columns
    ]
    return drawn_sheet(headings, rows)


def _chosen(records: Sequence[Record], count: int) -> list[str]:
    cases: dict[Pairs, list[str]] = {"seen": [], "held-out": []}
    for pairs, names in cases.items():
        names += dict.fromkeys(record.case for record in records if record.pairs == pairs)
    held_out = cases["held-out"][: round(_HELD_OUT * count)]
    return [*cases["seen"][: count - len(held_out)], *held_out]


def _tile(record: Record, ledger: Ledger) -> Tile:
    right = None if record.label in _FIRST else record.measures.right
    return Tile(picture=ledger.picture(record), right=right, note=record.refusal)
