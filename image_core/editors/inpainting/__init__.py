"""Inpainting: painting a region anew from what lies around it and a caption."""

from image_core.editors.inpainting.config import InpaintingConfig, SdxlInpaintingConfig

__all__ = ["InpaintingConfig", "SdxlInpaintingConfig"]
