"""The UNet that predicts noise: of text-to-image, InstructPix2Pix and inpainting."""

from __future__ import annotations

from typing import Any, Literal

import torch

from pocket.zoo.autoencoder import CHANNELS
from pocket.zoo.words import TEXT_WIDTH

Flavour = Literal["stable-diffusion", "instruct-pix2pix", "inpainting"]

INPUTS: dict[Flavour, int] = {
    "stable-diffusion": CHANNELS,
    "instruct-pix2pix": 2 * CHANNELS,  # and the picture
    "inpainting": 2 * CHANNELS + 1,  # and the hole, and the picture around it
}
CELLS = 16
_WIDTHS = (56, 88)
_HEADS = 4
_GROUPS = 8

SCHEDULE: dict[str, Any] = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "num_train_timesteps": 1000,
    "clip_sample": False,
    "set_alpha_to_one": False,
    "steps_offset": 1,
}
"""Of ``DDIMScheduler``: Stable Diffusion's own."""


def build_denoiser(flavour: Flavour) -> Any:
    """Return diffusers' ``UNet2DConditionModel`` with weights as it draws them.

    Words are attended to at 8x8 cells only: at 16x16 a step would take half as long again.
    """
    from diffusers import UNet2DConditionModel

    kind: Any = UNet2DConditionModel  # untyped in diffusers
    return kind(
        in_channels=INPUTS[flavour],
        out_channels=CHANNELS,
        sample_size=CELLS,
        block_out_channels=_WIDTHS,
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=TEXT_WIDTH,
        attention_head_dim=_HEADS,
        norm_num_groups=_GROUPS,
    )


def widened(denoiser: Any, flavour: Flavour) -> Any:
    """Return a denoiser that sees more channels and, at first, heeds only those that it knew."""
    wide = build_denoiser(flavour)
    known = {k: v for k, v in denoiser.state_dict().items() if k != "conv_in.weight"}
    with torch.no_grad():
        wide.load_state_dict(known, strict=False)
        wide.conv_in.weight.zero_()
        wide.conv_in.weight[:, :CHANNELS] = denoiser.conv_in.weight
    return wide
