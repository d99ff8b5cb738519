"""Which of a folder's weight files to load."""

from __future__ import annotations

from pathlib import Path


def half_variant(folder: Path) -> dict[str, str]:
    """Return the option that picks the half-precision files where only those lie there."""
    names = [path.name for path in folder.glob("*.safetensors")]
    return {"variant": "fp16"} if names and all(".fp16." in name for name in names) else {}
