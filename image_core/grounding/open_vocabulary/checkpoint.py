"""Checkpoints in their authors' own form: one file of tensors by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from image_core.errors import InvalidInput, MissingWeights
from image_core.weights import folder_of


def file_of(model: str, pattern: str) -> Path:
    """Return a checkpoint's path.

    Args:
        model: The file itself, or the name, hub id or folder of what holds it.
        pattern: Its name, maybe with wildcards; of several files the largest is taken.

    Raises:
        MissingWeights: It is not on this machine.
    """
    path = Path(model).expanduser()
    if path.is_file():
        return path
    folder = folder_of(model)
    found = sorted(folder.rglob(pattern), key=lambda file: file.stat().st_size)
    if not found:
        raise MissingWeights(
            f"{folder} holds no {pattern}", hint=f"Get it anew: insitu models pull {model}"
        )
    return found[-1]


def state_of(path: Path) -> dict[str, Any]:
    """Return a checkpoint's weights by name; nothing in the file is run.

    Raises:
        InvalidInput: The file is no checkpoint of tensors.
    """
    import torch

    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch's reader raises whatever a damaged file leads it to
        reason = (str(error) or repr(error)).splitlines()[0]
        raise InvalidInput(f"{path.name} cannot be read as a checkpoint: {reason}") from error
    state = state.get("model", state) if isinstance(state, dict) else None
    if not isinstance(state, dict) or not all(torch.is_tensor(value) for value in state.values()):
        raise InvalidInput(f"{path.name} holds no weights by name")
    return {name.removeprefix("module."): value for name, value in state.items()}
