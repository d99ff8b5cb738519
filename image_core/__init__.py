"""The shared, instruction-local image editor.

from image_core import LocalEditor, Photo
result = LocalEditor.default().edit(Photo.open("house.jpg"), "make the yellow chair blue")
result.save("out.png")
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from image_core.errors import (
        AmbiguousTarget,
        EditCancelled,
        EditFailed,
        InsituError,
        InstructionNotUnderstood,
        IntegrityError,
        InvalidInput,
        MissingWeights,
        NonFiniteOutput,
        TargetNotFound,
        UnsupportedEdit,
    )
    from image_core.local_editor import LocalEditor
    from image_core.local_editor_config import LocalEditorConfig
    from image_core.photo import Photo
    from image_core.photo_result import PhotoResult, SavedPhoto
    from image_core.preparing import PreparedPlan
    from image_core.types import (
        Capabilities,
        Detection,
        Edit,
        EditBatch,
        EditPlan,
        EditResult,
        EditStep,
        Location,
        Region,
        RegionHint,
        Target,
    )
    from image_core.verification import Verification, verify

__all__ = [
    "AmbiguousTarget",
    "Capabilities",
    "Detection",
    "Edit",
    "EditBatch",
    "EditCancelled",
    "EditFailed",
    "EditPlan",
    "EditResult",
    "EditStep",
    "InsituError",
    "InstructionNotUnderstood",
    "IntegrityError",
    "InvalidInput",
    "LocalEditor",
    "LocalEditorConfig",
    "Location",
    "MissingWeights",
    "NonFiniteOutput",
    "Photo",
    "PhotoResult",
    "PreparedPlan",
    "Region",
    "RegionHint",
    "SavedPhoto",
    "Target",
    "TargetNotFound",
    "UnsupportedEdit",
    "Verification",
    "verify",
]

_HOME = {
    "AmbiguousTarget": "errors",
    "EditFailed": "errors",
    "InstructionNotUnderstood": "errors",
    "InsituError": "errors",
    "IntegrityError": "errors",
    "InvalidInput": "errors",
    "MissingWeights": "errors",
    "EditCancelled": "errors",
    "NonFiniteOutput": "errors",
    "TargetNotFound": "errors",
    "UnsupportedEdit": "errors",
    "LocalEditor": "local_editor",
    "LocalEditorConfig": "local_editor_config",
    "PreparedPlan": "preparing",
    "Photo": "photo",
    "PhotoResult": "photo_result",
    "SavedPhoto": "photo_result",
    "Capabilities": "types",
    "Detection": "types",
    "Edit": "types",
    "EditBatch": "types",
    "EditPlan": "types",
    "EditResult": "types",
    "EditStep": "types",
    "Location": "types",
    "Region": "types",
    "RegionHint": "types",
    "Target": "types",
    "Verification": "verification",
    "verify": "verification",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for, so that errors alone stay light."""
    if name in _HOME:
        return getattr(importlib.import_module(f"image_core.{_HOME[name]}"), name)
    raise AttributeError(f"module 'image_core' has no attribute {name!r}")
