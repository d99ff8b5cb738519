"""Telling one kind of checkpoint from another by what its UNet sees beside the latents."""

from __future__ import annotations

from image_core.diffusion.network import LatentDiffusion
from image_core.errors import InvalidInput


def check_input_channels(network: LatentDiffusion, joined: int, *, model: str, kind: str) -> None:
    """Refuse a checkpoint whose UNet was not made for a method.

    Args:
        network: The checkpoint.
        joined: Channels that the method joins to the latents.
        model: Its name, for the message.
        kind: What kind of checkpoint the method wants, for the message.

    Raises:
        InvalidInput: It sees more or fewer.
    """
    wanted, found = network.channels + joined, int(network.unet.config.in_channels)
    if wanted != found:
        raise InvalidInput(
            f"{model} is no {kind} checkpoint: its UNet takes {found} channels, not {wanted}",
            hint="Give another model=, or the editor that fits it (docs/baselines.md).",
        )
