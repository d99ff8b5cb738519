"""A folder with several models in it, each in a folder of a known name: a set made together.

``insitu pocket train`` writes one. A part that is told of a tree loads nothing from elsewhere.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from image_core.errors import InvalidInput
from image_core.weights.catalogue import CATALOGUE, entry_of
from image_core.weights.hub_cache import is_hub_id

_BY_TASK: Mapping[str, str] = {"sd15": "stable-diffusion", "sd15-inpainting": "inpainting"}
"""What a tree calls the models whose catalogue name is that of one checkpoint."""

_NAMES = tuple(_BY_TASK.get(entry.name, entry.name) for entry in CATALOGUE)
_INDEXES = ("model_index.json", "config.json")


def checked_tree(folder: Path) -> Path:
    """Return a tree's folder, absolute, once it is known to be one.

    Raises:
        InvalidInput: It is no folder, or holds no model.
    """
    if not folder.is_dir():
        raise InvalidInput(
            f"the models' folder {folder} does not exist",
            hint="Give a folder such as `insitu pocket train -o DIR` writes.",
        )
    if not has_models(folder):
        raise InvalidInput(
            f"the folder {folder} holds no models",
            hint="Each lies in a folder of its own: stable-diffusion, sam, grounding-dino, clip …",
        )
    return folder.resolve()


def has_models(folder: Path) -> bool:
    """Tell whether some model of a tree lies in a folder; whether it is whole shows at loading."""
    return any((folder / name / index).is_file() for name in _NAMES for index in _INDEXES)


def in_tree(tree: Path, model: str) -> Path:
    """Return the folder that stands for a model in a tree, there or not.

    Args:
        tree: The tree.
        model: A name of the catalogue or a hub id; one that the catalogue has not got is called by
            its repository's name.
    """
    entry = entry_of(model)
    name = entry.name if entry else model.rpartition("/")[2]
    return tree.absolute() / _BY_TASK.get(name, name)


def fields_from_tree(kind: Any, tree: Path) -> dict[str, str]:
    """Return the values that make a part's configuration load from a tree.

    Args:
        kind: The configuration's class. Its fields ``model`` and ``…_model`` name models where
            their default is a name of the catalogue or a hub id.
        tree: The tree.

    Returns:
        Folders by field; they need not exist, so that what the tree lacks is missed, not taken
        from elsewhere.
    """
    if not dataclasses.is_dataclass(kind):
        return {}
    return {
        field.name: str(in_tree(tree, field.default))
        for field in dataclasses.fields(kind)
        if field.name.endswith("model")
        and isinstance(field.default, str)
        and (entry_of(field.default) is not None or is_hub_id(field.default))
    }
