"""Segmenters: from a mask, box or points to an exact region.

The weight-free one is ``GrabCutSegmenter``. Names are loaded when first used, so that importing
this package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from image_core.segmentation.grabcut import GrabCutConfig, GrabCutSegmenter

__all__ = ["GrabCutConfig", "GrabCutSegmenter"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module("image_core.segmentation.grabcut"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
