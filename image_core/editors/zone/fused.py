"""ZONE's fused diffusion: one network's path, drawn at each step towards another's.

Source: Li et al., ZONE, section 3.2 and eq. 5. The released code blends the latents after their
steps; only the first network's latent is drawn, and only it is decoded.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from image_core.diffusion.ddim import noised
from image_core.diffusion.guidance import guided_by_two
from image_core.diffusion.schedule import Level
from image_core.diffusion.text import TextEmbedding, joined
from image_core.editors.zone.solver import DpmPath
from image_core.errors import InvalidInput

Recipe = Literal["fixed", "paper-code"]

BRANCHES = 3
"""Rows that guidance by text and picture needs for each picture (see ``Given.noise``)."""

_BETA_REMOVING = 0.2
_BETA_OTHERWISE = 0.01
"""The released code's weights. The second moves a latent by a hundredth of a difference, for as
many network rows as the whole edit."""


@runtime_checkable
class Denoiser(Protocol):
    """Predicts the noise of latents; ``LatentDiffusion.predict`` is one."""

    def __call__(
        self, latents: Tensor, level: Level, text: TextEmbedding, *, joined: Tensor
    ) -> Tensor:
        """Return the noise of ``(b, c, h, w)`` latents beside which ``joined`` is seen."""
        ...


@dataclass(frozen=True, kw_only=True)
class Given:
    """What both networks are told of a batch, and how closely they keep to it.

    Attributes:
        told: The instruction, embedded; one a picture.
        untold: The empty prompt, alike.
        sources: The pictures' latents, not scaled.
        text_scale: How much of the instruction (s_T).
        image_scale: How near to the source (s_I).
    """

    told: TextEmbedding
    untold: TextEmbedding
    sources: Float[Tensor, "b c h w"]
    text_scale: float = 7.5
    image_scale: float = 1.5

    def noise(
        self, network: Denoiser, latents: Float[Tensor, "b c h w"], level: Level
    ) -> Float[Tensor, "b c h w"]:
        """Return the guided noise (InstructPix2Pix, eq. 3).

        The network is asked once, for three blocks of rows: instruction and picture, picture
        alone, neither.
        """
        text = joined([self.told, self.untold, self.untold])
        seen = torch.cat([self.sources, self.sources, torch.zeros_like(self.sources)])
        rows = network(torch.cat([latents] * BRANCHES), level, text, joined=seen)
        both, image, without = rows.chunk(BRANCHES)
        return guided_by_two(
            without, image, both, image_scale=self.image_scale, text_scale=self.text_scale
        )


def beta_of(*, removing: bool, recipe: Recipe, asked: float | None = None) -> float:
    """Return the second network's weight; at 0 it is not run at all.

    ``fixed`` takes no account of a second network that hardly counts: 60 rows an edit of 20 steps
    and not 120.

    Args:
        removing: The action is a removal, at which the second network is the better one.
        recipe: ``paper-code`` keeps to the released weights.
        asked: The user's own weight; the released code heeds it for removals alone.

    Raises:
        InvalidInput: It is negative or not finite.
    """
    if asked is not None and not (math.isfinite(asked) and asked >= 0):
        raise InvalidInput(f"beta={asked:g} is not 0 or more")
    beta = _BETA_REMOVING if removing else _BETA_OTHERWISE
    if asked is not None and (removing or recipe == "fixed"):
        beta = asked
    return 0.0 if recipe == "fixed" and beta <= _BETA_OTHERWISE else beta


def blended(
    first: Float[Tensor, "b c h w"], second: Float[Tensor, "b c h w"], beta: float
) -> Float[Tensor, "b c h w"]:
    """Draw the first latent towards the second (eq. 5): (z + beta z') / (1 + beta)."""
    return (first + beta * second) / (1 + beta)


def start_of(
    noise: Float[Tensor, "b c h w"], path: DpmPath, clean: Float[Tensor, "b c h w"] | None = None
) -> Float[Tensor, "b c h w"]:
    """Return the latents that a path starts from.

    Args:
        noise: Standard normal.
        path: Where to.
        clean: The scaled latents of the pictures, to start below full strength from them; None
            starts from the noise itself, as released.
    """
    return noise if clean is None else noised(clean, noise, path.levels[0])


def fused(
    start: Float[Tensor, "b c h w"],
    first: Denoiser,
    second: Denoiser | None,
    given: Given,
    path: DpmPath,
    *,
    beta: float,
    tick: Callable[[], None] = lambda: None,
) -> Float[Tensor, "b c h w"]:
    """Denoise by two networks.

    Each walks its own latent with its own history from the same noise; after each step the first
    is drawn towards the second, which never sees the first.

    Rows: three a level and picture, of each network; of the first alone where ``beta`` is 0.

    Args:
        start: At the path's first level.
        first: Whose latent is returned (InstructPix2Pix).
        second: What it is drawn to (MagicBrush); None where ``beta`` is 0.
        given: What they are told.
        path: The levels.
        beta: The second's weight, 0 or more.
        tick: Called after each network's step; it may raise to stop.

    Returns:
        The clean latents of the first.

    Raises:
        InvalidInput: A second network is to count and there is none.
    """
    if beta > 0 and second is None:
        raise InvalidInput(f"beta={beta:g} needs a second network, and there is none")
    latents, drawing = start, start
    walker, other = path.walker(), path.walker()
    for level in path.levels:
        latents = walker.step(latents, given.noise(first, latents, level), level)
        tick()
        if beta > 0 and second is not None:
            drawing = other.step(drawing, given.noise(second, drawing, level), level)
            latents = blended(latents, drawing, beta)
            tick()
    return latents
