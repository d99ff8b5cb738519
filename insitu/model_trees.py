"""The folder that ``--models pocket|DIR`` means."""

from __future__ import annotations

import os
from pathlib import Path

from image_core.errors import MissingWeights
from image_core.weights.tree import checked_tree, has_models

POCKET = "pocket"
"""The name of the miniature models that belong to insitu."""

POCKET_FOLDER = "INSITU_POCKET_MODELS"
"""The environment variable that says where they lie, if not in the repository."""

_IN_REPOSITORY = Path(__file__).resolve().parents[1] / "tests" / "pocket"


def model_tree(asked: str) -> Path:
    """Return the folder of the models that an edit is to be made with.

    Args:
        asked: ``pocket``, or a folder such as ``insitu pocket train`` writes.

    Returns:
        The folder, absolute; at least one model lies in it.

    Raises:
        InvalidInput: It is no folder, or holds no model.
        MissingWeights: ``pocket``, and the miniature models are not on this machine.
    """
    return _pocket_tree() if asked == POCKET else checked_tree(Path(asked).expanduser())


def tree_record(asked: str | None) -> str:
    """Return what a receipt says of ``--models``: its folder, or empty for none.

    Raises:
        InvalidInput: It is no folder, or holds no model.
        MissingWeights: ``pocket``, and the miniature models are not on this machine.
    """
    return "" if asked is None else str(model_tree(asked))


def _pocket_tree() -> Path:
    """Return where the miniature models lie: where the user says, else in the repository."""
    said = os.environ.get(POCKET_FOLDER)
    folder = Path(said).expanduser() if said else _IN_REPOSITORY
    if has_models(folder):
        return folder.resolve()
    raise MissingWeights(
        f"the pocket models are not on this machine: {POCKET_FOLDER} names {said}, which has none"
        if said
        else "the pocket models are not on this machine",
        hint=f"Train them: insitu pocket train -o DIR, then --models DIR, or {POCKET_FOLDER}=DIR.",
    )
