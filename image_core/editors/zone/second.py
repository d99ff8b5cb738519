"""Loading the network that the first is drawn to: its UNet alone.

Both come from one base model, and ZONE gives both the first one's text and picture, so a second
text encoder and VAE would lie in memory unused.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from image_core.diffusion.input_channels import check_input_channels
from image_core.diffusion.network import LatentDiffusion
from image_core.diffusion.schedule import Schedule
from image_core.diffusion.variants import half_variant
from image_core.errors import InvalidInput
from image_core.weights import folder_of, loaded


def load_second(first: LatentDiffusion, model: str, *, compiled: bool = False) -> LatentDiffusion:
    """Load another checkpoint's UNet beside a network, whose VAE and text encoder it shares.

    Args:
        first: An InstructPix2Pix checkpoint.
        model: Hub id, catalogue name or folder of the other.
        compiled: Compile its UNet.

    Raises:
        MissingWeights: It is not on this machine.
        InvalidInput: It is of another kind, or was trained with other text embeddings.
    """
    from diffusers import UNet2DConditionModel

    folder = folder_of(model)
    unet = loaded(
        UNet2DConditionModel,
        folder,
        subfolder="unet",
        dtype=first.placement.dtype,
        **half_variant(folder / "unet"),
    )
    home = torch.device("cpu") if first.offload else first.placement.device
    unet = unet.to(home).eval().requires_grad_(False)
    wanted, found = (one.config.cross_attention_dim for one in (first.unet, unet))
    if wanted != found:
        raise InvalidInput(
            f"{model} cannot share a text encoder with the first network: it reads embeddings of "
            f"width {found}, not {wanted}",
            hint="Give two checkpoints of one base model.",
        )
    second = replace(
        first,
        unet=unet,
        schedule=Schedule.from_folder(folder),
        identity=f"{first.identity}+{model}",
    )
    check_input_channels(second, second.channels, model=model, kind="InstructPix2Pix")
    if compiled:
        unet.compile()
    return second
