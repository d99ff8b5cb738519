"""How many instructions the rules read rightly, by kind, for both sets of instructions.

Run from the repository: ``python benchmarks/instructions.py``. It prints what went wrong in the
development set only; of the held-out set, written without knowledge of the grammar, counts alone.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]  # another package is called tests

from instructions.compare import compare, load, tally  # noqa: E402

from image_core.instructions import RulesConfig  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "instructions.md"


def main() -> None:
    """Measure both sets, print them and write the result page."""
    processor = RulesConfig().build()
    lines = [
        "# Instructions read by the rules",
        "",
        "An instruction counts as right when every key of every expected step agrees.",
        "`held_out` was written without knowledge of the grammar, and nobody reads it to fix that.",
    ]
    for name in ("development", "held_out"):
        cases = load(name)
        if cases is None:
            continue
        outcomes = [compare(processor, case) for case in cases]
        lines += ["", f"## {name}", "", "| kind | right | of | share |", "|---|---:|---:|---:|"]
        for kind, (right, total) in tally(outcomes).items():
            lines.append(f"| {kind} | {right} | {total} | {right / total:.0%} |")
        if name == "development":
            for outcome in outcomes:
                if outcome.problems:
                    print(f"{outcome.instruction}\n    " + "\n    ".join(outcome.problems))
    print("\n".join(lines))
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
