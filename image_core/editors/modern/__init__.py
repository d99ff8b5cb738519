"""Today's editors, each through diffusers' own pipeline: FLUX.2 klein, Qwen-Image-Edit and more."""

from image_core.editors.modern.config import (
    KleinConfig,
    KontextConfig,
    QwenImageEditConfig,
    Sd3InpaintingConfig,
)

__all__ = ["KleinConfig", "KontextConfig", "QwenImageEditConfig", "Sd3InpaintingConfig"]
