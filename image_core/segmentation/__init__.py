"""Segmenters: from a mask, box or points to an exact region.

The weight-free one is ``GrabCutSegmenter``. Names are loaded when first used, so that importing
this package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from image_core.segmentation.grabcut import GrabCutConfig, GrabCutSegmenter
    from image_core.segmentation.places import grown_for_replacement, place_beside
    from image_core.segmentation.supports import with_supports

__all__ = [
    "GrabCutConfig",
    "GrabCutSegmenter",
    "grown_for_replacement",
    "place_beside",
    "with_supports",
]


_HOMES = {
    "GrabCutConfig": "image_core.segmentation.grabcut",
    "GrabCutSegmenter": "image_core.segmentation.grabcut",
    "grown_for_replacement": "image_core.segmentation.places",
    "place_beside": "image_core.segmentation.places",
    "with_supports": "image_core.segmentation.supports",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
