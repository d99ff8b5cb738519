"""What a checkpoint's folder says about itself; reads JSON, loads nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from image_core.errors import InvalidInput


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A pipeline in diffusers' layout.

    Attributes:
        folder: Where it lies.
        index: Its ``model_index.json``.
    """

    folder: Path
    index: Mapping[str, Any]

    @classmethod
    def at(cls, folder: Path) -> Checkpoint:
        """Read a folder's index.

        Raises:
            InvalidInput: It has none that can be used.
        """
        index = _json(folder / "model_index.json")
        if not isinstance(index, dict) or not isinstance(index.get("_class_name"), str):
            raise InvalidInput(
                f"{folder} has no usable model_index.json",
                hint="Give a checkpoint folder in diffusers' layout, or a hub id.",
            )
        return cls(folder=folder, index=index)

    @property
    def kind(self) -> str:
        """The pipeline class that it was saved from."""
        return str(self.index["_class_name"])

    @property
    def variant(self) -> str | None:
        """``fp16`` where a component's weights lie there in half precision only."""
        for folder in {path.parent for path in self.folder.glob("*/*.safetensors")}:
            if all(".fp16." in path.name for path in folder.glob("*.safetensors")):
                return "fp16"
        return None

    def config_of(self, component: str) -> Mapping[str, Any]:
        """Return a component's configuration; empty where it has none."""
        found = _json(self.folder / component / "config.json")
        return found if isinstance(found, dict) else {}


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return None
