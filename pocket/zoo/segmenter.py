"""SAM at miniature size."""

from __future__ import annotations

from typing import Any

import torch

from pocket.zoo.fresh import draw_weights

SIDE = 64
_PATCH = 8
_WIDTH, _LAYERS, _HEADS = 64, 3, 4
_CHANNELS = 32


def build_segmenter(generator: torch.Generator) -> Any:
    """Return transformers' ``SamModel`` with fresh weights; it sees pictures at 64 pixels.

    Its masks have 32 cells a side. All layers attend over the whole picture: it has 64 patches.
    """
    from transformers import SamConfig, SamModel

    network = SamModel(
        SamConfig(
            vision_config={
                "hidden_size": _WIDTH,
                "output_channels": _CHANNELS,
                "num_hidden_layers": _LAYERS,
                "num_attention_heads": _HEADS,
                "image_size": SIDE,
                "patch_size": _PATCH,
                "window_size": SIDE // _PATCH,
                "global_attn_indexes": list(range(_LAYERS)),
                "num_pos_feats": _CHANNELS // 2,
                "mlp_dim": 2 * _WIDTH,
            },
            prompt_encoder_config={
                "hidden_size": _CHANNELS,
                "image_size": SIDE,
                "patch_size": _PATCH,
                "mask_input_channels": 4,
            },
            mask_decoder_config={
                "hidden_size": _CHANNELS,
                "mlp_dim": 2 * _CHANNELS,
                "num_hidden_layers": 2,
                "num_attention_heads": 4,
                "iou_head_hidden_dim": _CHANNELS,
            },
        )
    )
    draw_weights(network, generator)
    return network


def segmenter_processor() -> Any:
    """Return the image processor that goes with it."""
    from transformers import SamImageProcessor

    return SamImageProcessor(size={"longest_edge": SIDE}, pad_size={"height": SIDE, "width": SIDE})
