"""Denoising from noise, or from a noised picture, down to the clean latent: DDIM or ancestral."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from image_core.diffusion.ddim import Predictor, moved
from image_core.diffusion.keyed_noise import generator_of
from image_core.diffusion.schedule import Level

Sampler = Literal["ddim", "euler_ancestral"]


def denoised(
    latents: Float[Tensor, "b c h w"],
    predict: Predictor,
    levels: Sequence[Level],
    tick: Callable[[], None] = lambda: None,
) -> Float[Tensor, "b c h w"]:
    """Follow DDIM down from the last of some levels to the first (eta 0).

    Args:
        latents: At the last level.
        predict: Gives their noise at a level.
        levels: Ascending.
        tick: Called after each level.
    """
    for end, start in reversed(list(pairwise(levels))):
        latents = moved(latents, predict(latents, start), start, end)
        tick()
    return latents


def denoised_ancestrally(
    latents: Float[Tensor, "b c h w"],
    predict: Predictor,
    levels: Sequence[Level],
    keys: Sequence[int],
    tick: Callable[[], None] = lambda: None,
) -> Float[Tensor, "b c h w"]:
    """Follow Euler's method with fresh noise at every level (k-diffusion's ancestral sampler).

    It ends on the clean latent itself (sigma 0), whatever alpha the schedule gives to level 0.

    Args:
        latents: At the last level.
        predict: Gives their noise at a level.
        levels: Ascending.
        keys: One per sample; each has its own stream of fresh noise.
        tick: Called after each level.
    """
    generators = [generator_of(key, "ancestral") for key in keys]
    path = [replace(levels[0], alpha=1.0), *levels[1:]] if levels[0].index == 0 else list(levels)
    for end, start in reversed(list(pairwise(path))):
        drawn = [torch.randn(latents.shape[1:], generator=one) for one in generators]
        noise = predict(latents, start)
        latents = ancestral_step(latents, noise, torch.stack(drawn).to(latents), start, end)
        tick()
    return latents


def ancestral_step(
    latents: Float[Tensor, "b c h w"],
    noise: Float[Tensor, "b c h w"],
    fresh: Float[Tensor, "b c h w"],
    start: Level,
    end: Level,
) -> Float[Tensor, "b c h w"]:
    """Go down to ``end``, part of whose noise is fresh.

    With sigma^2 = (1 - alpha) / alpha, of the variance sigma_end^2 the share
    1 - sigma_end^2 / sigma_start^2 is fresh and the rest follows the predicted noise (Karras et
    al., Elucidating the Design Space, and k-diffusion's ``get_ancestral_step`` with eta 1).
    """
    clean = (latents - (1 - start.alpha) ** 0.5 * noise) / start.alpha**0.5
    above, below = _sigma(start), _sigma(end)
    kept = below**2 / above
    added = max(0.0, below**2 - kept**2) ** 0.5
    lower: Tensor = end.alpha**0.5 * (clean + kept * noise + added * fresh)
    return lower


def _sigma(level: Level) -> float:
    return float(((1 - level.alpha) / level.alpha) ** 0.5)
