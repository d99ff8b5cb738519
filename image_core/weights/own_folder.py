"""Registering a folder of the user's for a model, once it is checked."""

from __future__ import annotations

from pathlib import Path

from image_core.errors import InvalidInput
from image_core.weights.catalogue import CATALOGUE, entry_of
from image_core.weights.hub_cache import is_hub_id
from image_core.weights.registry import register
from image_core.weights.store import key_of, missing_in


def use_folder(model: str, directory: str) -> Path:
    """Let a model be loaded from a folder from now on.

    Args:
        model: A name of the catalogue or a hub id.
        directory: The folder.

    Returns:
        The folder, absolute.

    Raises:
        InvalidInput: No such model or folder, files are missing in it, or it cannot be kept.
    """
    if entry_of(model) is None and not is_hub_id(model):
        known = ", ".join(known.name for known in CATALOGUE)
        raise InvalidInput(
            f"{model!r} is no model that we know, and no hub id (owner/name)",
            hint=f"Known: {known}.",
        )
    folder = Path(directory).expanduser()
    if not folder.is_dir():
        raise InvalidInput(f"the folder {directory} does not exist")
    lacking = missing_in(folder, model)
    if lacking:
        raise InvalidInput(
            f"{directory} cannot serve as {model}: it lacks {', '.join(lacking)}",
            hint="It must hold a model as save_pretrained writes it, or its checkpoint file.",
        )
    register(key_of(model), folder)
    return folder.resolve()
