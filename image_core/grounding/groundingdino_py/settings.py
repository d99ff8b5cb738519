"""The authors' settings: a Python file that is read but never run."""

from __future__ import annotations

import ast
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from image_core.errors import InvalidInput

_SETTINGS = {96: "GroundingDINO_SwinT_OGC.py", 128: "GroundingDINO_SwinB_cfg.py"}
"""The package's settings by the width of the checkpoint's first layer."""


def settings_of(path: str, state: dict[str, Any]) -> SimpleNamespace:
    """Return a network's settings: from a file, else the package's own for this checkpoint.

    Raises:
        InvalidInput: The file is not made of plain assignments, or none is known.
    """
    file = Path(path).expanduser() if path else _packaged(state)
    try:
        tree = ast.parse(file.read_text())
        values = {
            target.id: ast.literal_eval(node.value)
            for node in tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
    except (OSError, SyntaxError, ValueError) as error:
        raise InvalidInput(f"the settings {file} cannot be read: {error}") from error
    # these save memory in training and only cost time here
    return SimpleNamespace(**{**values, "use_checkpoint": False, "use_transformer_ckpt": False})


def _packaged(state: dict[str, Any]) -> Path:
    first = state.get("backbone.0.patch_embed.proj.weight")
    name = None if first is None else _SETTINGS.get(first.shape[0])
    spec = find_spec("groundingdino")
    if name is None or spec is None or not spec.submodule_search_locations:
        raise InvalidInput(
            "no settings are known for this checkpoint of Grounding DINO",
            hint="Name its settings file: settings=FILE.py",
        )
    return Path(next(iter(spec.submodule_search_locations))) / "config" / name
