"""DDIM, both ways: the deterministic path between a picture and its noise.

Source: Song et al., Denoising Diffusion Implicit Models, eq. 12 with eta 0; InstructEdit eqs. 2
and 3. Up and down are one formula: read the clean latent off the present one, and put it at the
other level with the same noise.
"""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

from jaxtyping import Float
from torch import Tensor

from image_core.diffusion.schedule import Level, Prediction

Predictor = Callable[[Tensor, Level], Tensor]
"""From latents and the level that the network is told, the predicted noise."""


def moved(
    latents: Float[Tensor, "b c h w"], noise: Float[Tensor, "b c h w"], start: Level, end: Level
) -> Float[Tensor, "b c h w"]:
    """Carry latents from one level to another along their predicted noise (eqs. 2 and 3)."""
    clean = (latents - sqrt(1 - start.alpha) * noise) / sqrt(start.alpha)
    return sqrt(end.alpha) * clean + sqrt(1 - end.alpha) * noise


def noised(
    clean: Float[Tensor, "b c h w"], noise: Float[Tensor, "b c h w"], level: Level
) -> Float[Tensor, "b c h w"]:
    """Put clean latents at a level with given noise (the forward process, DDPM eq. 4)."""
    return sqrt(level.alpha) * clean + sqrt(1 - level.alpha) * noise


def as_noise(
    output: Float[Tensor, "b c h w"],
    latents: Float[Tensor, "b c h w"],
    level: Level,
    prediction: Prediction,
) -> Float[Tensor, "b c h w"]:
    """Turn what a network gave into predicted noise.

    Args:
        output: The network's output at ``latents``.
        latents: Its input.
        level: Their level.
        prediction: What the network was trained to give: the noise, the velocity
            v = sqrt(alpha) noise - sqrt(1 - alpha) x_0 (Salimans and Ho), or x_0.
    """
    if prediction == "epsilon":
        return output
    if prediction == "v_prediction":
        return sqrt(level.alpha) * output + sqrt(1 - level.alpha) * latents
    return (latents - sqrt(level.alpha) * output) / sqrt(1 - level.alpha)
