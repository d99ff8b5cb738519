"""DiffEdit: the region is where two captions disagree about the picture's noise."""

from image_core.editors.diffedit.config import DiffEditConfig

__all__ = ["DiffEditConfig"]
