"""Where two captions disagree: DiffEdit's mask, as maths on predicted noises.

Source: Couairon et al., DiffEdit, section 3.2 step 1; InstructEdit, eq. 5.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def contrast(
    source: Float[Tensor, "maps c h w"], edited: Float[Tensor, "maps c h w"]
) -> Float[Tensor, "h w"]:
    """Return how far two captions' noises are apart, averaged over noises and channels.

    Guidance would scale all of it alike, since the empty caption's noise cancels; so none is used.
    """
    return (edited - source).abs().mean(dim=(0, 1))


def contrasting(
    apart: Float[Tensor, "h w"], *, ratio: float, threshold: float
) -> Bool[Tensor, "h w"]:
    """Tell which cells belong to the region.

    The contrast is cut off at ``ratio`` times its mean, scaled to [0, 1] by that, and compared.
    Where the captions agree everywhere, no cell does.
    """
    return apart > threshold * ratio * apart.mean()


def feathered(cells: Float[Tensor, "h w"], factor: int) -> Float[Tensor, "height width"]:
    """Return latent cells as a mask of the picture: 1 in them, falling to 0 over half a cell.

    The soft edge lies outside them, where the denoised picture still is the original's.
    """
    grown = torch.nn.functional.interpolate(
        cells[None, None], scale_factor=factor, mode="bilinear", align_corners=False
    )
    whole = torch.nn.functional.interpolate(cells[None, None], scale_factor=factor)
    return torch.maximum(whole, (2 * grown).clamp(0, 1))[0, 0]
