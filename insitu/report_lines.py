"""How a report in numbers is told: a line a number for people, an object for machines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from insitu.reporting import print_json


def give_report(report: Mapping[str, Any], output: str | None, *, as_json: bool) -> None:
    """Write a report to a file, if one is named, and print it.

    Args:
        report: Plain values.
        output: The file; None for none.
        as_json: One object on stdout instead of lines.

    Raises:
        InvalidInput: The file cannot be written.
    """
    from image_core.photo import write_atomically

    if output is not None:
        write_atomically(Path(output), (json.dumps(report, indent=1) + "\n").encode())
    if as_json:
        print_json({"status": "done", "exit_code": 0, "output": output, **report})
        return
    print("\n".join(_lines(report)))
    if output is not None:
        print(f"report: {output}")


def _lines(report: Mapping[str, Any], before: str = "") -> list[str]:
    """Return the report's means, one line a number; what concerns single views is left to JSON."""
    lines = []
    for key, value in report.items():
        name = f"{before}{key}"
        if isinstance(value, dict):
            lines += _lines(value, f"{name}.")
        elif key == "notes":
            lines += [f"note: {note}" for note in value]
        elif isinstance(value, float):
            lines.append(f"{name}: {value:.4g}")
        elif not isinstance(value, list):
            lines.append(f"{name}: {'not measured' if value is None else value}")
    return lines
