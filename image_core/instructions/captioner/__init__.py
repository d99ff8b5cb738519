"""What a picture shows, in a sentence, for instructions that say "it" or name nothing."""

from __future__ import annotations

from image_core.instructions.captioner.config import Captioner, CaptionerConfig
from image_core.instructions.captioner.need import needs_caption

__all__ = ["Captioner", "CaptionerConfig", "needs_caption"]
