"""Editors: parts that change what is inside a region."""

from image_core.editors.classic import ClassicConfig

__all__ = ["ClassicConfig"]
