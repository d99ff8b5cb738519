"""InstructPix2Pix, and MagicBrush's weights for it."""

from image_core.editors.instruct_pix2pix.config import InstructPix2PixConfig, MagicBrushConfig

__all__ = ["InstructPix2PixConfig", "MagicBrushConfig"]
