"""Grounders: from a phrase to where in the picture it leads.

The weight-free one is ``ClassicGrounder``; ``resolve`` chooses by place, size and ordinal words for
any grounder. Names are loaded when first used, so that importing this package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from image_core.grounding.classic import ClassicGrounder, ClassicGrounderConfig
    from image_core.grounding.resolver import has_choosing_words, resolve

__all__ = ["ClassicGrounder", "ClassicGrounderConfig", "has_choosing_words", "resolve"]

_HOMES = {
    "ClassicGrounder": "image_core.grounding.classic.grounder",
    "ClassicGrounderConfig": "image_core.grounding.classic.grounder",
    "has_choosing_words": "image_core.grounding.resolver",
    "resolve": "image_core.grounding.resolver",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
