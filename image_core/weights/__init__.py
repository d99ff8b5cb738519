"""Where model weights lie on this machine, under which licence, and which are missing.

Nothing here downloads but ``pulling``, which only ``insitu models pull`` imports.
"""

from image_core.weights.catalogue import CATALOGUE, Model, entry_of
from image_core.weights.licences import LicenceRecord
from image_core.weights.store import (
    folder_of,
    is_present,
    licence_of,
    loaded,
    memory_needed,
    why_missing,
)

__all__ = [
    "CATALOGUE",
    "LicenceRecord",
    "Model",
    "entry_of",
    "folder_of",
    "is_present",
    "licence_of",
    "loaded",
    "memory_needed",
    "why_missing",
]
