"""InstructEdit: mask-guided DDIM between two captions."""

from image_core.editors.masked_ddim.config import InstructEditConfig

__all__ = ["InstructEditConfig"]
