"""The parts of video editing that need torch, and saying so."""

from __future__ import annotations

import importlib.util

from image_core.errors import MissingWeights


def has_torch() -> bool:
    """Tell whether torch and torchvision are installed; neither is imported."""
    return all(importlib.util.find_spec(name) is not None for name in ("torch", "torchvision"))


def need_torch(part: str) -> None:
    """Refuse a part that cannot run without torch.

    Raises:
        MissingWeights: It is not installed.
    """
    if not has_torch():
        raise MissingWeights(
            f"{part} needs torch, which is not installed",
            hint="pip install 'insitu[neural]', or leave the option out.",
        )
