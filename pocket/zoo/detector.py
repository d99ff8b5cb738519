"""Grounding DINO at miniature size."""

from __future__ import annotations

from typing import Any

import torch

from pocket.zoo.fresh import draw_weights
from pocket.zoo.words import BERT_SIZE, bert_tokenizer

SIDE = 64
QUERIES = 12
_WIDTH = 64
_TEXT_LENGTH = 64
_SCORE_NORM = 0.2


def build_detector(generator: torch.Generator) -> Any:
    """Return transformers' ``GroundingDinoForObjectDetection`` with fresh weights.

    It looks at grids of 16, 8 and 4 cells a side for a picture of 64 pixels.
    """
    from transformers import BertConfig, GroundingDinoConfig, GroundingDinoForObjectDetection

    text = BertConfig(
        vocab_size=BERT_SIZE,
        hidden_size=_WIDTH,
        num_hidden_layers=1,
        num_attention_heads=4,
        intermediate_size=2 * _WIDTH,
        max_position_embeddings=_TEXT_LENGTH,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    config = GroundingDinoConfig(
        backbone_config={
            "model_type": "swin",
            "image_size": SIDE,
            "embed_dim": 32,
            "depths": [1, 1, 1],
            "num_heads": [2, 4, 4],
            "window_size": 4,
            "drop_path_rate": 0.0,
            "out_indices": [1, 2, 3],
        },
        text_config=text,
        d_model=_WIDTH,
        num_queries=QUERIES,
        num_feature_levels=3,
        encoder_layers=1,
        decoder_layers=2,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=2 * _WIDTH,
        decoder_ffn_dim=2 * _WIDTH,
        max_text_len=_TEXT_LENGTH,
        fusion_droppath=0.0,
        dropout=0.0,
    )
    network: Any = GroundingDinoForObjectDetection(config)
    draw_weights(network, generator)
    _start_gently(network)
    return network


def _start_gently(network: Any) -> None:
    """Let scores start near a half and boxes at their first places, as DINO's authors do.

    A score is a sum over channels that nothing scales: with norms of 1 all would be 0 or 1.
    """
    heads = [*network.bbox_embed, network.model.encoder_output_bbox_embed]
    with torch.no_grad():
        for norm in (network.model.decoder.layer_norm, network.model.enc_output_norm):
            norm.weight.fill_(_SCORE_NORM)
        for head in heads:
            head.layers[-1].weight.zero_()
            head.layers[-1].bias.zero_()


def detector_processor() -> Any:
    """Return the processor that goes with it."""
    from transformers import GroundingDinoImageProcessor, GroundingDinoProcessor

    make: Any = GroundingDinoProcessor  # untyped in transformers
    pictures = GroundingDinoImageProcessor(size={"shortest_edge": SIDE, "longest_edge": 2 * SIDE})
    return make(pictures, bert_tokenizer())
