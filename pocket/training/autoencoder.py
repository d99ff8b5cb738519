"""Training the autoencoder: pictures through latents and back, the objects above all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor, nn

from pocket.flat.measure import measure
from pocket.flat.scenes import Scenes
from pocket.flat.success import NEAR
from pocket.training.lesson import Pace, Scores, step_generator
from pocket.training.pictures import (
    EASY,
    as_pictures,
    covered,
    rendered,
    train_scenes,
    validation_scenes,
)
from pocket.training.precision import autocast
from pocket.zoo.autoencoder import FACTOR, build_autoencoder

_OBJECTS = 5.0  # times the weight of the ground: a shape is lost in few pixels
_SLOPES, _SQUARES = 0.5, 2.0  # weights of the errors' slopes and squares beside their sizes
_NARROW = 2e-5  # weight of the KL divergence: more of it and small shapes cannot be told apart
_HOLED = 0.15  # share of pictures with a grey hole, as inpainting sees them
_VALIDATION = 128

Pictures = Float32[np.ndarray, "n h w 3"]


class AutoencoderLesson:
    """Training of the autoencoder."""

    name = "vae"
    main = "psnr"

    def __init__(self, *, seed: int, device: torch.device, batch: int = 16) -> None:
        """Build it with fresh weights."""
        torch.manual_seed(seed)  # diffusers draws its weights from the global generator
        self.pace = Pace(batch=batch, rate=1.5e-3, average=0.995)
        self.seed, self.device = seed, device
        self._vae = build_autoencoder().to(device)

    @property
    def network(self) -> nn.Module:
        """The autoencoder."""
        vae: nn.Module = self._vae
        return vae

    def groups(self) -> Sequence[tuple[Sequence[nn.Parameter], float]]:
        """Return all parameters as one group."""
        return [(list(self.network.parameters()), 1.0)]

    def losses(self, step: int) -> dict[str, Tensor]:
        """Return the error of a batch of fresh scenes, and the divergence of its latents."""
        random = step_generator(self.seed, self.name, step)
        scenes = train_scenes(step, self.pace.batch, seed=self.seed)
        pictures = with_holes(rendered(scenes), random)
        weight = (1 + (_OBJECTS - 1) * covered(scenes).float()).to(self.device)
        wanted = pictures.to(self.device)
        side = wanted.shape[-1] // FACTOR
        noise = torch.randn((len(wanted), 4, side, side), generator=random).to(self.device)
        with autocast(self.device):
            moments = self._vae.encode(wanted).latent_dist
            latents = moments.mean + moments.std * noise
            made = self._vae.decode(latents).sample
        parts = errors(made.float(), wanted, weight / weight.mean()) | divergence(moments)
        return {"loss": parts["error"] + _NARROW * parts["divergence"], **parts}

    def scores(self) -> Scores:
        """Return how good reconstructions are.

        ``psnr`` over scenes of 1 to 4 objects and ``psnr_easy`` of 1 to 2, in decibels;
        ``big_readable`` and ``small_readable``: shares of objects whose colour and shape can still
        be measured.
        """
        scenes = validation_scenes(_VALIDATION)
        wanted, made = self._reconstructed(scenes)
        easy = self._reconstructed(validation_scenes(_VALIDATION, settings=EASY))
        read = [readable(scenes, row, picture) for row, picture in enumerate(made)]
        shares = {
            size: [right for found in read for right, big in found if big == (size == "big")]
            for size in ("big", "small")
        }
        return {
            "psnr": _psnr(made, wanted),
            "psnr_easy": _psnr(*easy),
            **{f"{size}_readable": float(np.mean(found)) for size, found in shares.items()},
        }

    def _reconstructed(self, scenes: Scenes) -> tuple[Pictures, Pictures]:
        wanted = rendered(scenes)
        made = as_pictures(reconstructed(self._vae, wanted.to(self.device)))
        return as_pictures(wanted), made


def readable(
    scenes: Scenes, row: int, picture: Float32[np.ndarray, "h w 3"]
) -> list[tuple[bool, bool]]:
    """Tell of each object of a scene whether a picture shows its colour and shape, and its size.

    Returns:
        Pairs: whether it can be read, and whether it is big.
    """
    measured = measure(picture).things
    found = []
    for thing in scenes.things(row):
        near = [one for one in measured if np.hypot(one.x - thing.x, one.y - thing.y) <= NEAR]
        right = any(one.colour == thing.colour and one.shape == thing.shape for one in near)
        found.append((right, thing.big))
    return found


def _psnr(made: Pictures, wanted: Pictures) -> float:
    return float(-10 * np.log10(np.mean((made - wanted) ** 2)))


@torch.no_grad()
def reconstructed(vae: Any, pictures: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h w"]:
    """Return pictures after encoding to the mean latents and decoding."""
    made = [
        vae.decode(vae.encode(part).latent_dist.mean).sample for part in torch.split(pictures, 32)
    ]
    return torch.cat(made)


def errors(
    made: Float[Tensor, "b 3 h w"],
    wanted: Float[Tensor, "b 3 h w"],
    weight: Float[Tensor, "b 1 h w"],
) -> dict[str, Tensor]:
    """Return the weighted error: sizes, slopes and squares of the differences."""
    apart = made - wanted
    across = (apart[..., 1:] - apart[..., :-1]).abs() * weight[..., 1:]
    down = (apart[..., 1:, :] - apart[..., :-1, :]).abs() * weight[..., 1:, :]
    sizes = (apart.abs() * weight).mean()
    squares = (apart**2 * weight).mean()
    error = sizes + _SLOPES * (across.mean() + down.mean()) + _SQUARES * squares
    return {"error": error, "square": (apart.detach() ** 2).mean()}


def divergence(moments: Any) -> dict[str, Tensor]:
    """Return the KL divergence of latents from the normal distribution, per element."""
    mean, spread = moments.mean.float(), moments.logvar.float()
    return {"divergence": 0.5 * (mean**2 + spread.exp() - 1 - spread).mean()}


def with_holes(
    pictures: Float[Tensor, "b 3 h w"], random: torch.Generator
) -> Float[Tensor, "b 3 h w"]:
    """Give some of the pictures a grey rectangle, such as inpainting blanks a region with."""
    side = pictures.shape[-1]
    holed = pictures.clone()
    chosen = torch.rand(len(pictures), generator=random) < _HOLED
    corners = torch.randint(0, side, (len(pictures), 2, 2), generator=random).sort(dim=1).values
    for k in torch.nonzero(chosen)[:, 0].tolist():
        (top, left), (bottom, right) = corners[k].tolist()
        holed[k, :, top:bottom, left:right] = 0
    return holed
