"""The editor that needs no weights: recolour, tone, filters, patterns and removal."""

from image_core.editors.classic.editor import ClassicConfig, ClassicEditor

__all__ = ["ClassicConfig", "ClassicEditor"]
