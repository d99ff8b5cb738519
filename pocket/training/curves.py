"""Loss curves and scores as lines of JSON, one file a model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from image_core.photo.atomic import write_atomically


@dataclass(frozen=True, kw_only=True)
class Curve:
    """A model's curve.

    Attributes:
        path: Of its file.
    """

    path: Path

    def add(self, line: Mapping[str, Any]) -> None:
        """Append a line; its numbers are rounded to five digits."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({name: _short(value) for name, value in line.items()}) + "\n")

    def lines(self) -> list[dict[str, Any]]:
        """Return all lines; one that was cut off is left out."""
        if not self.path.exists():
            return []
        found = []
        for line in self.path.read_text(encoding="utf-8").splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                continue  # the process was killed while it wrote
        return found

    def rewind(self, step: int) -> None:
        """Drop what was written after a step: a resumed training writes it again."""
        if self.path.exists():
            kept = [json.dumps(line) + "\n" for line in self.lines() if line["step"] <= step]
            write_atomically(self.path, "".join(kept).encode())


def _short(value: Any) -> Any:
    return float(f"{value:.5g}") if isinstance(value, float) else value
