"""The loss of a network that predicts noise, and the noise levels it is asked at."""

from __future__ import annotations

from functools import lru_cache

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from image_core.diffusion.schedule import Schedule
from pocket.zoo.denoiser import SCHEDULE

_MOST_SNR = 5.0  # min-SNR weighting (Hang et al., ICCV 2023, eq. 7): gamma
_MATTERS = 3.0  # times the weight of the other cells: of those that show objects


@lru_cache(maxsize=1)
def schedule() -> Schedule:
    """Return the noise schedule of all denoisers."""
    return Schedule.from_config(SCHEDULE)


def drawn_times(count: int, random: torch.Generator) -> Int64[Tensor, " b"]:
    """Draw training steps, one from each of ``count`` equal spans in random order.

    A batch so has all noise levels, and its loss strays less than with independent draws.
    """
    steps = len(schedule().alphas)
    spans = (torch.randperm(count, generator=random) + torch.rand(count, generator=random)) / count
    return (spans * steps).long().clamp(max=steps - 1)


def alphas_at(times: Int64[Tensor, " b"]) -> Float[Tensor, "b 1 1 1"]:
    """Return the cumulative alphas of training steps."""
    alphas = torch.tensor(schedule().alphas, dtype=torch.float32, device=times.device)
    return alphas[times][:, None, None, None]


def with_noise(
    clean: Float[Tensor, "b c h w"], noise: Float[Tensor, "b c h w"], times: Int64[Tensor, " b"]
) -> Float[Tensor, "b c h w"]:
    """Put latents at noise levels (DDPM eq. 4)."""
    alphas = alphas_at(times)
    return alphas.sqrt() * clean + (1 - alphas).sqrt() * noise


def noise_loss(
    predicted: Float[Tensor, "b c h w"],
    noise: Float[Tensor, "b c h w"],
    times: Int64[Tensor, " b"],
    matters: Bool[Tensor, "b h w"],
) -> dict[str, Tensor]:
    """Return the weighted squared error of predicted noise.

    Args:
        predicted: By the network.
        noise: The true one.
        times: Their levels; high signal-to-noise ratios count less.
        matters: Cells that count more.
    """
    alphas = alphas_at(times)
    ratio = alphas / (1 - alphas)
    level = ratio.clamp(max=_MOST_SNR) / ratio
    cells = 1 + (_MATTERS - 1) * matters[:, None].float()
    square = (predicted - noise) ** 2
    plain = square.mean()
    return {"loss": (level * cells * square).mean() / cells.mean(), "plain": plain.detach()}
