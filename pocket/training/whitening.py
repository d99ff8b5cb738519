"""Bringing a trained autoencoder's latents to mean 0 and covariance 1, inside its own weights."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from pocket.training.pictures import rendered, validation_scenes
from pocket.zoo.autoencoder import fold_statistics

_SCENES = 512


@torch.no_grad()
def folded(vae: Any, device: torch.device) -> Any:
    """Return a copy of an autoencoder whose latents are white over the world's pictures."""
    pictures = rendered(validation_scenes(_SCENES, start=4000))
    latents = torch.cat(
        [vae.encode(part.to(device)).latent_dist.mean.cpu() for part in torch.split(pictures, 64)]
    )
    mean, spread = statistics(latents)
    copy = deepcopy(vae).cpu()
    fold_statistics(copy, mean, spread)
    return copy


def statistics(
    latents: Float[Tensor, "n c h w"],
) -> tuple[Float[Tensor, " c"], Float[Tensor, "c c"]]:
    """Return mean and covariance of the channels."""
    cells = latents.double().transpose(0, 1).flatten(1)
    return cells.mean(dim=1), torch.cov(cells)
