"""Instructions read by a language model: one on this machine, or any OpenAI-compatible endpoint."""

from __future__ import annotations

from image_core.instructions.language_model.config import LanguageModelConfig
from image_core.instructions.language_model.processor import LanguageModelProcessor

__all__ = ["LanguageModelConfig", "LanguageModelProcessor"]
