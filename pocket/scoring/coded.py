"""True edits through the autoencoder: the best that working on latents can come to. Needs torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from image_core.diffusion.latent_masks import latent_masks
from image_core.types import Image
from pocket.scoring.cases import ScoredCase
from pocket.zoo.autoencoder import load_autoencoder


class CodedPictures:
    """An autoencoder, in float32 on the CPU."""

    def __init__(self, folder: Path) -> None:
        """Load it.

        Args:
            folder: As diffusers writes it.

        Raises:
            MissingWeights: Files are missing or torn.
            InvalidInput: It is something else.
        """
        self._vae = load_autoencoder(folder).eval()

    def ceiling(self, case: ScoredCase) -> Image:
        """Return the true edit, encoded and decoded."""
        return self._decoded(self._encoded(case.truth))

    def leaked(self, case: ScoredCase) -> Image:
        """Return the source decoded with the true edit's latents where it changes."""
        source, truth = self._encoded(case.source), self._encoded(case.truth)
        factor = case.source.shape[0] // source.shape[-1]
        changing = latent_masks([case.changed], factor, source)
        return self._decoded(torch.where(changing > 0, truth, source))

    @torch.no_grad()
    def _encoded(self, picture: Image) -> Float[Tensor, "1 c h w"]:
        sent = torch.from_numpy(picture).permute(2, 0, 1)[None] * 2 - 1
        latents: Tensor = self._vae.encode(sent).latent_dist.mode()
        return latents

    @torch.no_grad()
    def _decoded(self, latents: Float[Tensor, "1 c h w"]) -> Image:
        made = (self._vae.decode(latents).sample / 2 + 0.5).clamp(0, 1)
        return np.ascontiguousarray(made[0].permute(1, 2, 0).numpy(), dtype=np.float32)
