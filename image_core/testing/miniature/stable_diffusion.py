"""Miniature Stable Diffusion checkpoints: text-to-image, InstructPix2Pix, inpainting and SDXL."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import torch

Flavour = Literal["text-to-image", "instruct-pix2pix", "inpainting"]

_CHANNELS: dict[Flavour, int] = {"text-to-image": 4, "instruct-pix2pix": 8, "inpainting": 9}
_LENGTH = 77
_SCHEDULER = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "num_train_timesteps": 1000,
    "clip_sample": False,
    "set_alpha_to_one": False,
    "steps_offset": 1,
}


def write_stable_diffusion(
    folder: Path, *, flavour: Flavour = "text-to-image", seed: int = 0, xl: bool = False
) -> Path:
    """Write a checkpoint in diffusers' layout: latents are 1/4 of the picture's sides.

    Random networks of this size hardly see their inputs; weights are scaled so that outputs depend
    on picture, caption and time.

    Args:
        folder: Made when it is missing.
        flavour: Decides the UNet's input channels.
        seed: Of the weights.
        xl: With two text encoders and SDXL's extra conditions.

    Returns:
        The folder.
    """
    from diffusers import (
        AutoencoderKL,
        DDIMScheduler,
        StableDiffusionInpaintPipeline,
        StableDiffusionInstructPix2PixPipeline,
        StableDiffusionPipeline,
        StableDiffusionXLInpaintPipeline,
        StableDiffusionXLPipeline,
        UNet2DConditionModel,
    )

    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    width = 32
    extra: dict[str, Any] = {}
    if xl:
        extra = {
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": 8,
            "projection_class_embeddings_input_dim": width + 6 * 8,
        }
    unet = UNet2DConditionModel(
        in_channels=_CHANNELS[flavour],
        out_channels=4,
        sample_size=16,
        block_out_channels=(32, 32),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=width * (2 if xl else 1),
        attention_head_dim=8,
        norm_num_groups=8,
        **extra,
    )
    vae = AutoencoderKL(
        block_out_channels=(16, 16, 16),
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        latent_channels=4,
        norm_num_groups=8,
        sample_size=64,
        scaling_factor=2.0,
    )
    _enliven(unet, vae)
    parts: dict[str, Any] = {
        "unet": unet,
        "vae": vae,
        "text_encoder": text_encoder(width, projected=False),
        "tokenizer": tokenizer(),
        "scheduler": DDIMScheduler(**_SCHEDULER),
    }
    if xl:
        parts["text_encoder_2"] = text_encoder(width, projected=True)
        parts["tokenizer_2"] = tokenizer()
        kind: Any = StableDiffusionXLPipeline
        if flavour == "inpainting":
            kind = StableDiffusionXLInpaintPipeline
    else:
        kind = {
            "text-to-image": StableDiffusionPipeline,
            "instruct-pix2pix": StableDiffusionInstructPix2PixPipeline,
            "inpainting": StableDiffusionInpaintPipeline,
        }[flavour]
        parts.update(safety_checker=None, feature_extractor=None)
        extra = {"requires_safety_checker": False}
    pipeline = kind(**parts, **({} if xl else extra))
    pipeline.save_pretrained(folder)
    return folder


def text_encoder(width: int = 32, *, projected: bool = False) -> Any:
    """Return a miniature CLIP text model, with SDXL's projection when asked for."""
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    config = CLIPTextConfig(
        vocab_size=len(_vocabulary()),
        hidden_size=width,
        intermediate_size=2 * width,
        projection_dim=width,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=_LENGTH,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )
    model = (CLIPTextModelWithProjection if projected else CLIPTextModel)(config)
    for parameter in model.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.3)
    return model.eval()


def tokenizer() -> Any:
    """Return CLIP's tokenizer with letters for a vocabulary."""
    from transformers import CLIPTokenizer

    return CLIPTokenizer(vocab=_vocabulary(), merges=[], model_max_length=_LENGTH)


def _vocabulary() -> dict[str, int]:
    """Return every byte, inside a word and at its end, after CLIP's two marks."""
    from tokenizers.pre_tokenizers import ByteLevel

    letters = sorted(ByteLevel.alphabet())
    words = ["<|startoftext|>", "<|endoftext|>", *letters, *(a + "</w>" for a in letters)]
    return {word: number for number, word in enumerate(words)}


def _enliven(unet: Any, vae: Any) -> None:
    """Scale weights so that condition, time and picture all show in the output."""
    with torch.no_grad():
        for name, parameter in unet.named_parameters():
            if parameter.ndim > 1 and ("attn2" in name or "time_emb" in name):
                parameter.mul_(3)
        for parameter in vae.parameters():
            if parameter.ndim > 1:
                parameter.mul_(1.5)
    unet.eval()
    vae.eval()
