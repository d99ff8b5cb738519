"""Where a trained classifier lies: with its text encoder's checkpoint, or in our own folder."""

from __future__ import annotations

from pathlib import Path

from image_core.disk_cache import content_key
from image_core.errors import InsituError
from image_core.weights import entry_of, folder_of
from image_core.weights.registry import config_file
from image_core.weights.store import key_of

_INSIDE = "action_classifier"  # how its folder is called inside a checkpoint's
_OURS = "action-classifiers"  # how the folder of all is called in the configuration folder
_DIGITS = 8  # of a hash, enough to tell a user's folders of one name apart


def default_folder(model: str) -> Path:
    """Return where the classifier for a model's text encoder is kept; it need not exist.

    It lies beside the list of registered models, not in the cache: an edit must not change because
    a cache was cleared.

    Args:
        model: The checkpoint, by a name of the catalogue, hub id or folder.
    """
    name = key_of(model).replace("/", "--")
    folder = Path(model).expanduser()
    if entry_of(model) is None and folder.is_dir():
        resolved = folder.resolve()
        name = f"{resolved.name}-{content_key(str(resolved))[:_DIGITS]}"
    return config_file().parent / _OURS / name


def found_folder(model: str) -> Path | None:
    """Return the folder of the classifier for a model; None where none was trained.

    Args:
        model: As for ``default_folder``. A folder ``action_classifier`` inside the checkpoint's
            comes first, so that a tree of models can bring its own.
    """
    try:
        own = folder_of(model) / _INSIDE
    except InsituError:  # a checkpoint that is not here brings nothing
        own = None
    for folder in (own, default_folder(model)):
        if folder is not None and (folder / "config.json").is_file():
            return folder
    return None
