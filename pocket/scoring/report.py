"""A scoring as plain values, whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from pocket.flat.words import HELD_OUT
from pocket.scoring.conditions import Condition
from pocket.scoring.parts import Parts
from pocket.scoring.records import Record
from pocket.scoring.setting import Setting
from pocket.scoring.summary import differences, summed


def report_of(
    setting: Setting,
    conditions: Sequence[Condition],
    parts: Parts,
    records: Sequence[Record],
    *,
    commit: str | None,
) -> dict[str, Any]:
    """Return what a scoring came to, JSON-able.

    Args:
        setting: What was the same for all.
        conditions: What was compared.
        parts: Who read and found.
        records: From ``scored``.
        commit: Of the code, where it is known.
    """
    told = asdict(setting) | {"models": None if setting.models is None else str(setting.models)}
    return {
        "setting": told | dict(parts.names),
        "commit": commit,
        "held_out_pairs": [" ".join(pair) for pair in HELD_OUT],
        "conditions": [asdict(condition) | {"label": condition.label} for condition in conditions],
        "misread": misread(records),
        "rows": [asdict(row) for row in summed(records, seed=setting.seed)],
        "differences": [asdict(one) for one in differences(records, seed=setting.seed)],
        "notes": notes_of(setting, records, commit),
    }


def misread(records: Sequence[Record]) -> list[str]:
    """Return the cases whose true edit the measure does not take for right: the measure errs."""
    return [
        record.case
        for record in records
        if record.label == "true edit" and not record.measures.right
    ]


def notes_of(setting: Setting, records: Sequence[Record], commit: str | None) -> list[str]:
    """Return what a reader of the numbers should know."""
    notes = []
    wrong = misread(records)
    total = sum(record.label == "true edit" for record in records)
    if wrong:
        notes.append(
            f"the measure takes {len(wrong)} of {total} true edits for wrong: {', '.join(wrong)}"
        )
    if not any(record.label == "VAE ceiling" for record in records):
        notes.append(
            "no VAE ceiling and no leak floor: there is no autoencoder without --models"
            if setting.models is None
            else "no VAE ceiling and no leak floor: the models have no stable-diffusion, or the "
            "extra neural is not installed"
        )
    others = sorted({record.commit for record in records} - {commit or "", ""})
    if others:
        notes.append(f"some were kept from {', '.join(others)}; in a new folder all are made anew")
    return notes
