"""Loading the checkpoint that a configuration names, and refusing one of another kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from image_core.devices import placement
from image_core.diffusion.input_channels import check_input_channels
from image_core.diffusion.loading import load_latent_diffusion
from image_core.diffusion.network import LatentDiffusion
from image_core.diffusion.safety import SafetyChecker
from image_core.editors.generative.config import GenerativeConfig
from image_core.weights import folder_of

Kind = Literal["text-to-image", "InstructPix2Pix", "inpainting"]

_LATENTS_AND_MASKS: Mapping[Kind, tuple[int, int]] = {
    "text-to-image": (0, 0),
    "InstructPix2Pix": (1, 0),
    "inpainting": (1, 1),
}
"""What a UNet of each kind sees beside the noisy latents."""


def load_networks(
    config: GenerativeConfig, kind: Kind
) -> tuple[LatentDiffusion, SafetyChecker | None]:
    """Load a checkpoint and the safety checker that it brings.

    Args:
        config: Names the model, its device, precision and memory.
        kind: What its UNet must have been trained to see.

    Raises:
        MissingWeights: The model is not on this machine.
        InvalidInput: It is of another kind.
    """
    folder = folder_of(config.model)
    place = placement(config.device, config.dtype)
    network = load_latent_diffusion(folder, place, memory=config.memory, compiled=config.compile)
    latents, masks = _LATENTS_AND_MASKS[kind]
    extra = latents * network.channels + masks
    check_input_channels(network, extra, model=config.model, kind=kind)
    return network, SafetyChecker.of(folder, place, config.safety_checker)
