"""Whether a part that runs networks could run here: its modules installed, its weights present."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from image_core.errors import MissingWeights
from image_core.weights import why_missing

NEURAL = ("torch", "torchvision", "transformers")
"""The modules of the extra ``neural`` that these parts use."""

EXTRA = "pip install 'insitu[neural]'"
"""The command that installs them."""


def require(part: str, modules: Sequence[str], extra: str) -> None:
    """Check that modules can be imported, without importing them.

    Raises:
        MissingWeights: One cannot; the hint says how to get it.
    """
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        raise MissingWeights(
            f"{part} needs the module {missing[0]}, which is not installed",
            hint=f"Install the extra that brings it: {extra}.",
        )


def why_not(part: str, modules: Sequence[str], extra: str, *models: str) -> str:
    """Return "" when a part could run now, else one sentence why not; imports no torch.

    Args:
        part: Its name.
        modules: What it imports.
        extra: The command that installs them.
        models: Hub ids or folders of the weights that it needs.
    """
    try:
        require(part, modules, extra)
    except MissingWeights as error:
        return f"{error}. {error.hint}"
    return next(filter(None, map(why_missing, models)), "")
