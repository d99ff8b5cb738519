"""What the trainings of the denoisers share: a UNet and a text encoder that learn together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Bool, Float, Int16, Int64
from torch import Tensor, nn

from pocket.training.lesson import Pace, fresh_generator, step_generator
from pocket.training.noise import drawn_times, noise_loss, with_noise
from pocket.training.precision import autocast
from pocket.zoo.denoiser import Flavour, build_denoiser, widened
from pocket.zoo.words import build_text_encoder

_TEXT_RATE = 0.5  # of the text encoder's learning rate to the UNet's


class Denoiser(nn.Module):
    """A UNet with its text encoder."""

    def __init__(self, unet: Any, text_encoder: Any) -> None:
        """Keep them."""
        super().__init__()
        self.unet = unet
        self.text_encoder = text_encoder

    def forward(
        self, seen: Tensor, times: Int64[Tensor, " b"], tokens: Int64[Tensor, "b t"]
    ) -> Float[Tensor, "b c h w"]:
        """Predict noise.

        Args:
            seen: Noisy latents, and what is joined to them.
            times: Training steps.
            tokens: Of the prompts.
        """
        told = self.text_encoder(tokens)[0]
        predicted: Tensor = self.unet(seen, times, told).sample
        return predicted.float()


def fresh_denoiser(seed: int) -> Denoiser:
    """Return a text-to-image denoiser with fresh weights."""
    torch.manual_seed(seed)  # diffusers draws its weights from the global generator
    unet = build_denoiser("stable-diffusion")
    return Denoiser(unet, build_text_encoder(fresh_generator(seed, "text encoder")))


def descended(parent: Denoiser, flavour: Flavour) -> Denoiser:
    """Return a denoiser of another flavour that starts from what text-to-image has learned."""
    text = build_text_encoder(torch.Generator())
    text.load_state_dict(parent.text_encoder.state_dict())
    return Denoiser(widened(parent.unet, flavour), text)


class DenoisingTraining:
    """The part of a lesson that all denoisers share."""

    name: str

    def __init__(self, denoiser: Denoiser, *, seed: int, device: torch.device, pace: Pace) -> None:
        """Keep the network."""
        self.pace = pace
        self.seed, self.device = seed, device
        self.denoiser = denoiser.to(device)

    @property
    def network(self) -> nn.Module:
        """The UNet with its text encoder."""
        return self.denoiser

    def groups(self) -> Sequence[tuple[Sequence[nn.Parameter], float]]:
        """Return UNet and text encoder, which learns more slowly."""
        return [
            (list(self.denoiser.unet.parameters()), 1.0),
            (list(self.denoiser.text_encoder.parameters()), _TEXT_RATE),
        ]

    def random(self, step: int) -> torch.Generator:
        """Return the generator of a step."""
        return step_generator(self.seed, self.name, step)

    def loss_of(
        self,
        clean: Float[Tensor, "b c h w"],
        tokens: Int16[Tensor, "b t"],
        matters: Bool[Tensor, "b h w"],
        random: torch.Generator,
        *,
        joined: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Return the loss for latents that are noised at drawn levels."""
        clean = clean.to(self.device).float()
        times = drawn_times(len(clean), random).to(self.device)
        noise = torch.randn(clean.shape, generator=random).to(self.device)
        seen = with_noise(clean, noise, times)
        if joined is not None:
            seen = torch.cat([seen, joined.to(self.device).float()], dim=1)
        with autocast(self.device):
            predicted = self.denoiser(seen, times, tokens.to(self.device).long())
        return noise_loss(predicted, noise, times, matters.to(self.device))


def drawn_rows(count: int, batch: int, random: torch.Generator) -> Int64[Tensor, " b"]:
    """Draw rows of a data set."""
    return torch.randint(count, (batch,), generator=random)


def dropped(
    tokens: Int16[Tensor, "b t"], empty: Int16[Tensor, " t"], which: Bool[Tensor, " b"]
) -> Int16[Tensor, "b t"]:
    """Return prompts, some of them exchanged for the empty one."""
    return torch.where(which[:, None], empty.to(tokens), tokens)
