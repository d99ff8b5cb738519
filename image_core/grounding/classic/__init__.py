"""Grounding without weights: colour, place, size, sky, faces, and what stands out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from image_core.grounding.classic.grounder import ClassicGrounder, ClassicGrounderConfig

__all__ = ["ClassicGrounder", "ClassicGrounderConfig"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from image_core.grounding.classic import grounder

        return getattr(grounder, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
