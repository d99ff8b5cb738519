"""ZONE: local edits from an instruction alone (Li et al., ZONE, CVPR 2024)."""

from image_core.editors.zone.config import ZoneConfig

__all__ = ["ZoneConfig"]
