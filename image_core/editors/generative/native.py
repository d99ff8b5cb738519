"""The size of the pictures that a latent diffusion checkpoint was trained on, read from its folder.

Denoising at another size than the network's own makes poor pictures: a smaller one than that shows
pieces, a larger one shows things twice (Podell et al., SDXL, section 2.2).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

USUAL_SIDE = 512
"""Pixels: the side that pictures are edited at unless the network's own is smaller or unknown. A
larger own size is left to the option, since it costs with its fourth power."""

_MINIATURE = 256
"""Pixels: a network whose own side is smaller was taught on whole scenes, in which a thing has a
few pixels; a thing that a crop enlarges is nothing that it has seen."""


def native_side(folder: Path) -> int | None:
    """Return the side in pixels of the square pictures that a UNet was made for.

    Args:
        folder: A checkpoint in diffusers' layout.

    Returns:
        The UNet's side in latents times what the VAE scales by; None where the folder does not
        tell: no UNet, or a configuration without sizes.
    """
    latents = _config(folder / "unet").get("sample_size")
    blocks = _config(folder / "vae").get("block_out_channels")
    if isinstance(latents, list) and latents:
        latents = min(latents)
    if not isinstance(latents, int) or latents < 1 or not isinstance(blocks, list) or not blocks:
        return None
    # each block of the VAE but the last halves the picture
    return int(latents * 2 ** (len(blocks) - 1))


def working_side(folder: Path) -> int:
    """Return the side in pixels at which a checkpoint edits when no resolution is named."""
    return min(USUAL_SIDE, native_side(folder) or USUAL_SIDE)


def is_miniature(folder: Path) -> bool:
    """Tell whether a checkpoint's own pictures are so small that it must see them whole."""
    native = native_side(folder)
    return native is not None and native < _MINIATURE


def _config(folder: Path) -> dict[str, Any]:
    try:
        content = json.loads((folder / "config.json").read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
