"""The safety checker that a checkpoint's publisher put beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from image_core.devices import Placement
from image_core.diffusion.variants import half_variant
from image_core.errors import EditFailed
from image_core.evaluations import count
from image_core.types import Image
from image_core.weights import loaded


@dataclass(frozen=True, kw_only=True)
class SafetyChecker:
    """Stable Diffusion's checker, as the checkpoint brings it.

    Attributes:
        network: ``StableDiffusionSafetyChecker``.
        features: Its CLIP image processor.
        placement: Where it runs.
    """

    network: Any
    features: Any
    placement: Placement

    @classmethod
    def of(
        cls, folder: Path, placement: Placement, wanted: Literal["auto", "off"]
    ) -> SafetyChecker | None:
        """Load a checkpoint's checker; None where it brings none, or is not wanted."""
        if wanted == "off" or not (folder / "safety_checker" / "config.json").is_file():
            return None
        from diffusers.pipelines.stable_diffusion.safety_checker import (
            StableDiffusionSafetyChecker,
        )
        from transformers import CLIPImageProcessor

        network = loaded(
            StableDiffusionSafetyChecker,
            folder,
            subfolder="safety_checker",
            dtype=torch.float32,
            **half_variant(folder / "safety_checker"),
        )
        return cls(
            network=network.to(placement.device).eval(),
            features=loaded(CLIPImageProcessor, folder, subfolder="feature_extractor"),
            placement=placement,
        )

    @torch.no_grad()
    def check(self, images: Sequence[Image]) -> None:
        """Refuse pictures that the checker flags; one with NaN is none to be judged.

        Raises:
            EditFailed: It says that the checker refused; the picture is not given out.
        """
        images = [image for image in images if np.isfinite(image).all()]
        if not images:
            return
        bytes_ = [np.rint(image * 255).astype(np.uint8) for image in images]
        pixels = self.features(
            bytes_, return_tensors="pt", input_data_format="channels_last"
        ).pixel_values
        count("safety checker", len(images))
        _, flagged = self.network(
            clip_input=pixels.to(self.placement.device), images=[image.copy() for image in images]
        )
        if any(flagged):
            raise EditFailed(
                "the model's safety checker refused the result",
                hint="Nothing was written. Word the instruction otherwise, or choose another "
                "editor.",
            )
