"""Language processors: from an instruction to a plan of edits."""

from __future__ import annotations

from image_core.instructions.captions import segmentation_phrase
from image_core.instructions.rules import RulesConfig, RulesProcessor

__all__ = ["RulesConfig", "RulesProcessor", "segmentation_phrase"]
