"""CLIP at miniature size: how well a picture and a caption fit."""

from __future__ import annotations

from typing import Any

import torch

from pocket.zoo.fresh import draw_weights
from pocket.zoo.words import text_sizes

SIDE = 64
_WIDTH, _LAYERS, _HEADS = 64, 3, 4
_PATCH = 8


def build_scorer(generator: torch.Generator) -> Any:
    """Return transformers' ``CLIPModel`` with fresh weights."""
    from transformers import CLIPConfig, CLIPModel, CLIPTextConfig, CLIPVisionConfig

    vision = CLIPVisionConfig(
        hidden_size=_WIDTH,
        intermediate_size=2 * _WIDTH,
        num_hidden_layers=_LAYERS,
        num_attention_heads=_HEADS,
        projection_dim=_WIDTH,
        image_size=SIDE,
        patch_size=_PATCH,
    )
    text = CLIPTextConfig(**text_sizes(_WIDTH, 2, _HEADS))
    network: Any = CLIPModel(
        CLIPConfig(
            text_config=text.to_dict(), vision_config=vision.to_dict(), projection_dim=_WIDTH
        )
    )
    draw_weights(network, generator)
    return network


def scorer_processor() -> Any:
    """Return the image processor that goes with it."""
    from transformers import CLIPImageProcessor

    return CLIPImageProcessor(
        size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE}
    )
