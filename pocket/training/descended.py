"""What the trainings share of denoisers that start from text-to-image: to edit, and to fill."""

from __future__ import annotations

from typing import Any

import torch

from pocket.training.denoiser import Denoiser, DenoisingTraining, descended
from pocket.training.lesson import Pace
from pocket.training.pairs import Pairs, tokens_of
from pocket.zoo.denoiser import Flavour


class DescendedLesson(DenoisingTraining):
    """A training that goes on from what text-to-image has learned."""

    name: Flavour

    def __init__(
        self,
        pairs: Pairs,
        vae: Any,
        parent: Denoiser,
        *,
        seed: int,
        device: torch.device,
        batch: int = 32,
    ) -> None:
        """Build it from a text-to-image denoiser.

        Args:
            pairs: What it learns from.
            vae: To look at its pictures.
            parent: Where it starts.
            seed: Of draws.
            device: Where it is trained.
            batch: Samples a step.
        """
        pace = Pace(batch=batch, rate=1.5e-3, warm=200)
        super().__init__(descended(parent, self.name), seed=seed, device=device, pace=pace)
        self.pairs, self.vae = pairs, vae
        self.empty = tokens_of([""])[0]
