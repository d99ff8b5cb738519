"""Networks of random weights to measure with: a small one in a folder, and full-size ones.

The full-size ones have the published configurations of ``stable-diffusion-v1-5`` and
``stable-diffusion-xl-base-1.0``; their parameter counts are checked against the published weights'.
Random weights take the time of trained ones; what they paint is of no use.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch

from image_core.devices import Placement
from image_core.diffusion.network import LatentDiffusion
from image_core.diffusion.schedule import Schedule
from image_core.diffusion.text import TextEncoders
from image_core.testing.miniature.stable_diffusion import (
    text_encoder,
    tokenizer,
    write_stable_diffusion,
)

Kind = Literal["sd15", "sdxl"]

UNET_PARAMETERS: Mapping[Kind, int] = {"sd15": 859_520_964, "sdxl": 2_567_463_684}
OTHER_PARAMETERS: Mapping[str, int] = {
    "vae": 83_653_863,
    "CLIP ViT-L text": 123_060_480,
    "OpenCLIP bigG text": 694_659_840,
}

_SCHEDULER: Mapping[str, Any] = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "num_train_timesteps": 1000,
    "clip_sample": False,
    "set_alpha_to_one": False,
    "steps_offset": 1,
}
_UNET: Mapping[Kind, Mapping[str, Any]] = {
    "sd15": {
        "sample_size": 64,
        "cross_attention_dim": 768,
        "attention_head_dim": 8,
    },
    "sdxl": {
        "sample_size": 128,
        "block_out_channels": (320, 640, 1280),
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        "transformer_layers_per_block": (1, 2, 10),
        "attention_head_dim": (5, 10, 20),
        "cross_attention_dim": 2048,
        "use_linear_projection": True,
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 256,
        "projection_class_embeddings_input_dim": 2816,
    },
}
_MINIATURE_UNET: Mapping[Kind, Mapping[str, Any]] = {
    "sd15": {"block_out_channels": (32, 32, 32, 32), "norm_num_groups": 8, "layers_per_block": 1},
    "sdxl": {
        "block_out_channels": (32, 32, 32),
        "norm_num_groups": 8,
        "layers_per_block": 1,
        "transformer_layers_per_block": (1, 1, 2),
        "attention_head_dim": (2, 2, 4),
    },
}


def write_small(folder: Path, *, seed: int = 0) -> Path:
    """Write a checkpoint whose UNet is large enough for its time to outweigh Python's.

    It is the miniature of the tests with a UNet of 32 and 64 channels, latents at 1/4 of the
    picture's sides.
    """
    from diffusers import UNet2DConditionModel

    write_stable_diffusion(folder, seed=seed)
    torch.manual_seed(seed)
    made: Any = UNet2DConditionModel  # diffusers has no types
    made(
        sample_size=16,
        block_out_channels=(32, 64),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=32,
        attention_head_dim=8,
    ).save_pretrained(folder / "unet")
    return folder


def in_memory(
    kind: Kind, placement: Placement, *, miniature: bool = False, only_unet: bool = False
) -> LatentDiffusion:
    """Build a checkpoint without a file.

    Args:
        kind: Of which published size.
        placement: Where and in which precision.
        miniature: A few channels instead, to try the benchmark itself.
        only_unet: Only the UNet is of full size.

    Raises:
        ValueError: It is not the size of the published one.
    """
    from diffusers import AutoencoderKL

    torch.manual_seed(0)
    sides = (32,) * 4 if miniature or only_unet else (128, 256, 512, 512)
    with torch.device(placement.device):
        kind_of_vae: Any = AutoencoderKL  # diffusers has no types
        vae = kind_of_vae(
            block_out_channels=sides,
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            layers_per_block=1 if miniature or only_unet else 2,
            latent_channels=4,
            norm_num_groups=8 if miniature else 32,
            scaling_factor=0.13025 if kind == "sdxl" else 0.18215,
        )
        return LatentDiffusion(
            unet=_placed(_unet(kind, miniature=miniature), placement),
            vae=_placed(vae, placement),
            text=_text(kind, placement, small=miniature or only_unet),
            schedule=Schedule.from_config(_SCHEDULER),
            placement=placement,
            identity=f"benchmark {kind} {miniature}",
        )


def instruction_unet(device: torch.device, *, miniature: bool = False) -> Any:
    """Return a UNet of InstructPix2Pix's shape: SD 1.5's with the picture's latents as input too.

    Args:
        device: Where.
        miniature: A few channels instead, to try the benchmark itself.
    """
    from diffusers import UNet2DConditionModel

    torch.manual_seed(0)
    made: Any = UNet2DConditionModel  # diffusers has no types
    small = _MINIATURE_UNET["sd15"] if miniature else {}
    with torch.device(device):
        unet = made(**{**_UNET["sd15"], **small, "in_channels": 8})
    return unet.eval().requires_grad_(False)


def parameters(module: Any) -> int:
    """Return how many numbers a network has."""
    return sum(parameter.numel() for parameter in module.parameters())


def _unet(kind: Kind, *, miniature: bool) -> Any:
    from diffusers import UNet2DConditionModel

    made: Any = UNet2DConditionModel  # diffusers has no types
    unet = made(**{**_UNET[kind], **(_MINIATURE_UNET[kind] if miniature else {})})
    if not miniature and parameters(unet) != UNET_PARAMETERS[kind]:
        raise ValueError(f"the {kind} UNet has {parameters(unet)} parameters, not the published")
    return unet


def _text(kind: Kind, placement: Placement, *, small: bool) -> TextEncoders:
    if small:
        encoders = [text_encoder(768)]
        if kind == "sdxl":
            encoders.append(text_encoder(1280, projected=True))
    else:
        encoders = _clip(kind)
    return TextEncoders(
        tokenizers=[tokenizer() for _ in encoders],
        encoders=[_placed(encoder, placement) for encoder in encoders],
        dropped_when_empty=kind == "sdxl",
    )


def _clip(kind: Kind) -> list[Any]:
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    large: Any = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=49408,
            hidden_size=768,
            intermediate_size=3072,
            num_hidden_layers=12,
            num_attention_heads=12,
        )
    )
    if kind == "sd15":
        return [large]
    big = CLIPTextModelWithProjection(
        CLIPTextConfig(
            vocab_size=49408,
            hidden_size=1280,
            intermediate_size=5120,
            projection_dim=1280,
            num_hidden_layers=32,
            num_attention_heads=20,
            hidden_act="gelu",
        )
    )
    return [large, big]


def _placed(module: Any, placement: Placement) -> Any:
    return module.to(placement.device, placement.dtype).eval().requires_grad_(False)
