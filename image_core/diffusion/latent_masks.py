"""A region at the size of the latents."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from image_core.types import Mask


def latent_masks(masks: Sequence[Mask], factor: int, like: Tensor) -> Float[Tensor, "b 1 h w"]:
    """Reduce masks so that every latent cell with any covered pixel may change.

    Nearest-neighbour reduction, as in the published InstructEdit code, loses what is thinner than a
    cell; here nothing is lost, and a mask that lies on the cells' grid stays what it is.

    Args:
        masks: Equal sizes, sides divisible by ``factor``.
        factor: Pixels per latent cell along a side.
        like: Gives device and dtype.

    Returns:
        1 where a cell may change, else 0.
    """
    stacked = torch.from_numpy(np.stack([mask > 0 for mask in masks]).astype(np.float32))[:, None]
    return torch.nn.functional.max_pool2d(stacked, factor).to(like)


def covered_share(mask: Mask, factor: int) -> float:
    """Return the share of latent cells that a mask switches on."""
    return float(latent_masks([mask], factor, torch.zeros(1)).mean())
