"""Compares plans with expected ones; used by the tests and by ``benchmarks/instructions.py``.

A case is ``{"instruction": …, "steps": [{…}, …]}`` or ``{"instruction": …, "error": true}``. The
rules are those of README.md beside this file, which came with the held-out set.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from image_core.errors import InstructionNotUnderstood, InvalidInput
from image_core.seams import LanguageProcessor
from image_core.types import EditStep

FOLDER = Path(__file__).resolve().parent
_ARTICLES = re.compile(r"\b(?:a|an|the|some|his|her|its|their|my|your)\b\s*")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How one case came out.

    Attributes:
        instruction: The words.
        kind: The kind it counts under: its one step's, "several steps" or "refused".
        problems: What differs; empty when all is right.
    """

    instruction: str
    kind: str
    problems: tuple[str, ...]


def load(name: str) -> list[dict[str, Any]] | None:
    """Return the cases of ``name`` ("development", "held_out"), None when there is no such file."""
    path = FOLDER / f"{name}.json"
    if not path.is_file():
        return None
    cases = json.loads(path.read_text(encoding="utf-8"))
    assert isinstance(cases, list)
    return cases


def compare(processor: LanguageProcessor, case: dict[str, Any]) -> Outcome:
    """Read one instruction and list what differs from the expected plan."""
    expected = case.get("steps", [])
    kind = (
        "refused"
        if case.get("error")
        else "several steps"
        if len(expected) > 1
        else expected[0]["kind"]
    )
    try:
        steps: Sequence[EditStep] = processor.parse(case["instruction"]).steps
    except (InstructionNotUnderstood, InvalidInput) as error:
        problems = () if case.get("error") else (f"refused: {error}",)
        return Outcome(instruction=case["instruction"], kind=kind, problems=problems)
    problems = tuple(_differences(steps, expected, refused=bool(case.get("error"))))
    return Outcome(instruction=case["instruction"], kind=kind, problems=problems)


def tally(outcomes: Sequence[Outcome]) -> dict[str, tuple[int, int]]:
    """Return right and all, by kind and under "all"."""
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for outcome in outcomes:
        for key in (outcome.kind, "all"):
            total[key] += 1
            right[key] += not outcome.problems
    kinds = [*sorted(kind for kind in total if kind != "all"), "all"]
    return {kind: (right[kind], total[kind]) for kind in kinds}


def _differences(
    steps: Sequence[EditStep], expected: list[dict[str, Any]], *, refused: bool
) -> list[str]:
    if refused:
        return ["should have been refused"]
    if len(steps) != len(expected):
        return [f"{len(steps)} steps, not {len(expected)}"]
    problems = []
    for number, (step, wanted) in enumerate(zip(steps, expected, strict=True), start=1):
        for key, value in wanted.items():
            got = _got(step, key)
            if not _agree(step, key, got, value):
                problems.append(f"step {number} {key}: {got!r}, not {value!r}")
    return problems


def _agree(step: EditStep, key: str, got: Any, wanted: Any) -> bool:
    if key == "value" and step.kind in ("attribute", "style", "texture"):
        return set(str(_plain(wanted)).split()) <= set(str(_plain(got)).split())
    return bool(_plain(got) == _plain(wanted))


def _got(step: EditStep, key: str) -> Any:
    if key == "direction":
        return 1 if step.amount > 0 else -1
    if key in ("kind", "operation", "value", "whole_image"):
        return getattr(step, key)
    if key == "relation":
        return step.relation if step.kind == "add" else step.target.relation
    return getattr(step.target, key)


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return sorted(_plain(one) for one in value)
    if not isinstance(value, str):
        return value or None
    text = value.lower().replace("grey", "gray").replace("colour", "color").replace("-", " ")
    return " ".join(_ARTICLES.sub("", text).split()) or None
