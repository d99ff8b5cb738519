"""Pictures from a denoiser in training, by the same DDIM as the editors'."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from jaxtyping import Float, Int16
from torch import Tensor

from image_core.diffusion.ddim import moved
from image_core.diffusion.guidance import guided, guided_by_two
from image_core.diffusion.keyed_noise import keyed_noise
from image_core.diffusion.schedule import Level
from pocket.training.denoiser import Denoiser
from pocket.training.noise import schedule
from pocket.zoo.autoencoder import CHANNELS
from pocket.zoo.denoiser import CELLS

_STEPS = 20
TEXT, IMAGE = 4.0, 1.3
"""Guidance scales of the scores."""

Predicted = Callable[[Tensor, Level], Tensor]


def sampled(count: int, predict: Predicted, device: torch.device) -> Float[Tensor, "b c h w"]:
    """Denoise keyed noise to latents."""
    like = torch.empty(0, device=device)
    latents = keyed_noise((CHANNELS, CELLS, CELLS), list(range(count)), "pocket score", like)
    levels = schedule().levels(_STEPS)
    for low, high in reversed(list(pairwise(levels))):
        latents = moved(latents, predict(latents, high), high, low)
    return latents


def by_caption(denoiser: Denoiser, tokens: Int16[Tensor, "b t"], empty: Int16[Tensor, " t"],
               joined: Tensor | None = None) -> Predicted:  # fmt: skip
    """Return a prediction guided by captions; ``joined`` is seen beside the latents."""
    both = torch.cat([empty.expand_as(tokens), tokens]).long()
    seen = None if joined is None else torch.cat([joined, joined])

    def predict(latents: Tensor, level: Level) -> Tensor:
        rows = _called(denoiser, torch.cat([latents] * 2), level, both, seen)
        without, given = rows.chunk(2)
        return guided(without, given, TEXT)

    return predict


def by_instruction(
    denoiser: Denoiser,
    tokens: Int16[Tensor, "b t"],
    empty: Int16[Tensor, " t"],
    sources: Float[Tensor, "b c h w"],
) -> Predicted:
    """Return a prediction guided by instructions and pictures."""
    nothing = empty.expand_as(tokens)
    told = torch.cat([tokens, nothing, nothing]).long()
    seen = torch.cat([sources, sources, torch.zeros_like(sources)])

    def predict(latents: Tensor, level: Level) -> Tensor:
        rows = _called(denoiser, torch.cat([latents] * 3), level, told, seen)
        both, image, without = rows.chunk(3)
        return guided_by_two(without, image, both, image_scale=IMAGE, text_scale=TEXT)

    return predict


def _called(
    denoiser: Denoiser, latents: Tensor, level: Level, tokens: Tensor, joined: Tensor | None
) -> Tensor:
    seen = latents if joined is None else torch.cat([latents, joined], dim=1)
    times = torch.full((len(seen),), level.time, device=seen.device)
    predicted: Tensor = denoiser(seen, times, tokens.to(seen.device))
    return predicted
