"""Miniatures of today's editing checkpoints: FLUX.2 klein, Qwen-Image-Edit, Kontext and SD 3.

Each is the library's own pipeline with random weights, saved in the layout that the hub's
checkpoints have. (SDXL's inpainting checkpoint is ``write_stable_diffusion`` with ``xl``.)
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import torch

from image_core.testing.miniature.stable_diffusion import text_encoder, tokenizer

diffusers: Any = importlib.import_module("diffusers")  # its classes are untyped
transformers: Any = importlib.import_module("transformers")

_MARKS = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|vision_pad|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
_CHAT = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}"
    "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_WIDTH = 16


def write_klein(folder: Path, *, seed: int = 0, distilled: bool = True) -> Path:
    """Write a FLUX.2 klein; sides of its pictures are multiples of 8.

    Args:
        folder: Made when it is missing.
        seed: Of the weights.
        distilled: As the published fast checkpoints are; the base ones are not.
    """
    words = _byte_tokenizer()
    text = transformers.Qwen3ForCausalLM(
        transformers.Qwen3Config(
            vocab_size=len(words),
            hidden_size=_WIDTH,
            intermediate_size=_WIDTH,
            num_hidden_layers=27,  # the pipeline reads the states after layers 9, 18 and 27
            num_attention_heads=1,
            num_key_value_heads=1,
            head_dim=8,
            max_position_embeddings=512,
        )
    )
    transformer = diffusers.Flux2Transformer2DModel(
        patch_size=1,
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=3 * _WIDTH,
        timestep_guidance_channels=16,
        axes_dims_rope=(4, 4, 4, 4),
        guidance_embeds=False,
    )
    vae = diffusers.AutoencoderKLFlux2(
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        block_out_channels=(8, 8, 8),
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=2,
        sample_size=64,
    )
    _liven(seed, text, transformer, vae)
    pipeline = diffusers.Flux2KleinPipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
        vae=vae,
        text_encoder=text,
        tokenizer=words,
        transformer=transformer,
        is_distilled=distilled,
    )
    return _saved(pipeline, folder)


def write_qwen_image_edit(folder: Path, *, seed: int = 0, plus: bool = False) -> Path:
    """Write a Qwen-Image-Edit; its latents are 1/16 of the picture's sides, so that 1 MP is quick.

    Args:
        folder: Made when it is missing.
        seed: Of the weights.
        plus: As the later checkpoints (2509) are.
    """
    words = _byte_tokenizer()
    number = words.convert_tokens_to_ids
    text = transformers.Qwen2_5_VLForConditionalGeneration(
        transformers.Qwen2_5_VLConfig(
            text_config={
                "vocab_size": len(words),
                "hidden_size": _WIDTH,
                "intermediate_size": _WIDTH,
                "num_hidden_layers": 2,
                "num_attention_heads": 2,
                "num_key_value_heads": 1,
                "rope_parameters": {
                    "rope_type": "default",
                    "rope_theta": 10000.0,
                    "mrope_section": [1, 1, 2],
                },
            },
            vision_config={
                "depth": 1,
                "hidden_size": _WIDTH,
                "intermediate_size": _WIDTH,
                "num_heads": 2,
                "out_hidden_size": _WIDTH,
                "fullatt_block_indexes": [0],
            },
            image_token_id=number("<|image_pad|>"),
            video_token_id=number("<|video_pad|>"),
            vision_start_token_id=number("<|vision_start|>"),
            vision_end_token_id=number("<|vision_end|>"),
        )
    )
    transformer = diffusers.QwenImageTransformer2DModel(
        patch_size=2,
        in_channels=16,
        out_channels=4,
        num_layers=1,
        attention_head_dim=16,
        num_attention_heads=1,
        joint_attention_dim=_WIDTH,
        axes_dims_rope=(8, 4, 4),
    )
    vae = diffusers.AutoencoderKLQwenImage(
        base_dim=2,
        z_dim=4,
        dim_mult=[1, 1, 2, 2, 2],
        num_res_blocks=1,
        temperal_downsample=[False, False, False, True],
        latents_mean=[0.1, -0.1, 0.2, 0.0],
        latents_std=[1.0, 0.8, 1.2, 1.0],
    )
    _liven(seed, text, transformer, vae)
    processor = transformers.Qwen2VLProcessor(
        transformers.Qwen2VLImageProcessor(
            size={"shortest_edge": 28 * 28, "longest_edge": 112 * 112}
        ),
        words,
        transformers.Qwen2VLVideoProcessor(),
    )
    kind = diffusers.QwenImageEditPlusPipeline if plus else diffusers.QwenImageEditPipeline
    pipeline = kind(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
        vae=vae,
        text_encoder=text,
        tokenizer=words,
        processor=processor,
        transformer=transformer,
    )
    return _saved(pipeline, folder)


def write_kontext(folder: Path, *, seed: int = 0, guided: bool = True) -> Path:
    """Write a FLUX.1 Kontext; sides of its pictures are multiples of 8.

    Args:
        folder: Made when it is missing.
        seed: Of the weights.
        guided: With the guidance that the published checkpoint embeds.
    """
    transformer = diffusers.FluxTransformer2DModel(
        patch_size=1,
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=32,
        pooled_projection_dim=32,
        axes_dims_rope=(4, 4, 8),
        guidance_embeds=guided,
    )
    vae = _flux_vae(4)
    large, words = _t5(32)
    _liven(seed, transformer, vae, large)
    pipeline = diffusers.FluxKontextPipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
        vae=vae,
        text_encoder=_clip(seed, projected=False),
        tokenizer=tokenizer(),
        text_encoder_2=large,
        tokenizer_2=words,
        transformer=transformer,
    )
    return _saved(pipeline, folder)


def write_sd3(folder: Path, *, seed: int = 0) -> Path:
    """Write a Stable Diffusion 3; sides of its pictures are multiples of 8."""
    transformer = diffusers.SD3Transformer2DModel(
        sample_size=32,
        patch_size=2,
        in_channels=16,  # the inpainting pipeline refuses others
        num_layers=2,
        attention_head_dim=8,
        num_attention_heads=4,
        joint_attention_dim=64,  # as wide as both small text encoders together
        caption_projection_dim=32,
        pooled_projection_dim=64,
        out_channels=16,
        pos_embed_max_size=32,
    )
    vae = _flux_vae(16)
    large, words = _t5(64)
    _liven(seed, transformer, vae, large)
    pipeline = diffusers.StableDiffusion3Pipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=3.0),
        vae=vae,
        text_encoder=_clip(seed, projected=True),
        tokenizer=tokenizer(),
        text_encoder_2=_clip(seed + 1, projected=True),
        tokenizer_2=tokenizer(),
        text_encoder_3=large,
        tokenizer_3=words,
        transformer=transformer,
    )
    return _saved(pipeline, folder)


def _flux_vae(channels: int) -> Any:

    return diffusers.AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        block_out_channels=(8, 8, 8),
        layers_per_block=1,
        latent_channels=channels,
        norm_num_groups=2,
        sample_size=64,
        use_quant_conv=False,
        use_post_quant_conv=False,
        shift_factor=0.06,
        scaling_factor=1.5,
    )


def _clip(seed: int, *, projected: bool) -> Any:
    torch.manual_seed(seed)
    return text_encoder(32, projected=projected)


def _t5(width: int) -> tuple[Any, Any]:

    marks = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    letters = [(chr(code), -3.0) for code in range(33, 127)]
    words = transformers.T5Tokenizer(vocab=marks + letters, extra_ids=0)
    config = transformers.T5Config(
        vocab_size=len(words),
        d_model=width,
        d_kv=8,
        d_ff=width,
        num_layers=1,
        num_heads=2,
        feed_forward_proj="gated-gelu",
    )
    return transformers.T5EncoderModel(config), words


def _byte_tokenizer() -> Any:
    """Return Qwen2's tokenizer with bytes for a vocabulary."""
    from tokenizers.pre_tokenizers import ByteLevel

    letters = sorted(ByteLevel.alphabet())
    vocabulary = {letter: number for number, letter in enumerate([*letters, *_MARKS])}
    made = transformers.Qwen2Tokenizer(
        vocab=vocabulary,
        merges=[],
        pad_token="<|endoftext|>",
        eos_token="<|im_end|>",
        additional_special_tokens=list(_MARKS[1:]),
    )
    made.chat_template = _CHAT
    return made


def _liven(seed: int, *networks: Any) -> None:
    """Draw every weight anew, scaled so that what goes in shows in what comes out."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for network in networks:
            for name, weight in network.named_parameters():
                drawn = torch.randn(weight.shape, generator=generator)
                if weight.ndim < 2 or weight.shape[0] == weight.numel():
                    near = 1.0 if "norm" in name and not name.endswith("bias") else 0.0
                    weight.copy_(near + 0.1 * drawn)
                else:
                    weight.copy_(drawn / weight[0].numel() ** 0.5)
            for name, statistic in network.named_buffers():
                if name.endswith("running_mean"):
                    statistic.copy_(0.1 * torch.randn(statistic.shape, generator=generator))
            network.eval()


def _saved(pipeline: Any, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    pipeline.save_pretrained(folder)
    return folder
