"""Grounding networks of a few hundred kilobytes with random weights, in the libraries' own form.

The libraries' own initialisation leaves the heads dead (all boxes and scores alike), so every
weight is drawn anew. Grounding DINO hard-codes the ids of [CLS], [SEP], "." and "?", so the tiny
vocabulary keeps their places in BERT's.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from image_core.instructions.text import vocabulary

WORDS = vocabulary(
    """
    the a of on in with and dog cat chair lamp table yellow red blue green wooden round big small
    man woman hat sky car house water glass flower door window left right bird horse ##s ##en
    """
)
"""What the tiny vocabularies know; anything else is [UNK]."""

_PLACES = {
    "[PAD]": 0,
    "[UNK]": 100,
    "[CLS]": 101,
    "[SEP]": 102,
    "[MASK]": 103,
    ".": 1012,
    "?": 1029,
}


def write_bert(folder: Path, *, seed: int = 0) -> Path:
    """Write a BERT with its tokenizer."""
    from transformers import BertConfig, BertModel

    _tokenizer().save_pretrained(str(folder))
    network = BertModel(BertConfig(**_TEXT))
    _liven(network, seed)
    network.save_pretrained(str(folder))
    return folder


def write_grounding_dino(folder: Path, *, seed: int = 0, side: int = 96) -> Path:
    """Write a Grounding DINO with its processor; it sees pictures at ``side`` px."""
    from transformers import (
        BertConfig,
        GroundingDinoConfig,
        GroundingDinoForObjectDetection,
        GroundingDinoImageProcessor,
        GroundingDinoProcessor,
    )

    config = GroundingDinoConfig(
        backbone_config={
            "model_type": "swin",
            "image_size": side,
            "embed_dim": 16,
            "depths": [1, 1, 1, 1],
            "num_heads": [1, 2, 2, 4],
            "window_size": 4,
            "drop_path_rate": 0.0,
            "out_indices": [2, 3, 4],
        },
        text_config=BertConfig(**_TEXT),
        d_model=32,
        num_queries=12,
        encoder_layers=1,
        decoder_layers=2,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        fusion_droppath=0.0,
        dropout=0.0,
    )
    network = GroundingDinoForObjectDetection(config)
    _liven(network, seed)
    network.save_pretrained(str(folder))
    pictures = GroundingDinoImageProcessor(size={"shortest_edge": side, "longest_edge": 2 * side})
    make: Any = GroundingDinoProcessor  # untyped in transformers
    make(pictures, _tokenizer()).save_pretrained(str(folder))
    return folder


_TEXT: dict[str, Any] = {
    "vocab_size": 1040,
    "hidden_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 256,
}


def _tokenizer() -> Any:
    from transformers import BertTokenizer

    places = dict(_PLACES)
    places.update({word: 200 + k for k, word in enumerate(sorted(WORDS))})
    names = {place: word for word, place in places.items()}
    vocabulary = {names.get(k, f"[unused{k}]"): k for k in range(_TEXT["vocab_size"])}
    return BertTokenizer(vocab=vocabulary, do_lower_case=True)


def _liven(network: Any, seed: int) -> None:
    """Draw every weight anew so that outputs depend on inputs."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in sorted(network.named_parameters()):
            drawn = torch.randn(weight.shape, generator=generator)
            if weight.ndim < 2:
                weight.copy_(_centre(name) + 0.1 * drawn)
            else:
                weight.copy_(drawn / weight[0].numel() ** 0.5)


def _centre(name: str) -> float:
    """Return around what a vector is drawn."""
    if name.endswith(("decoder.layer_norm.weight", "decoder.norm.weight")):
        return 0.2  # scores are sums over channels that nothing scales: else all would be 0 or 1
    return 1.0 if "norm" in name.lower() and name.endswith("weight") else 0.0


_AUTHORS_SETTINGS = {
    "modelname": "groundingdino",
    "backbone": "swin_T_224_1k",
    "position_embedding": "sine",
    "pe_temperatureH": 20,
    "pe_temperatureW": 20,
    "return_interm_indices": [1, 2, 3],
    "backbone_freeze_keywords": None,
    "enc_layers": 1,
    "dec_layers": 2,
    "pre_norm": False,
    "dim_feedforward": 32,
    "hidden_dim": 256,
    "dropout": 0.0,
    "nheads": 4,
    "num_queries": 12,
    "query_dim": 4,
    "num_patterns": 0,
    "num_feature_levels": 4,
    "enc_n_points": 4,
    "dec_n_points": 4,
    "two_stage_type": "standard",
    "two_stage_bbox_embed_share": False,
    "two_stage_class_embed_share": False,
    "transformer_activation": "relu",
    "dec_pred_bbox_embed_share": True,
    "dn_box_noise_scale": 1.0,
    "dn_label_noise_ratio": 0.5,
    "embed_init_tgt": True,
    "dn_labelbook_size": 10,
    "max_text_len": 256,
    "use_text_enhancer": True,
    "use_fusion_layer": True,
    "use_text_cross_attention": True,
    "text_dropout": 0.0,
    "fusion_dropout": 0.0,
    "fusion_droppath": 0.0,
    "sub_sentence_present": True,
}


def write_groundingdino_py(folder: Path, *, seed: int = 0) -> Path:
    """Write ``tiny.pth``, ``settings.py`` and ``bert/`` in the form of the authors' files.

    Needs the package ``groundingdino-py``, whose smallest backbone makes this one 110 MB.
    """
    import torch

    from image_core.grounding.groundingdino_py.detector import built
    from image_core.grounding.groundingdino_py.settings import settings_of

    folder.mkdir(parents=True, exist_ok=True)
    settings = folder / "settings.py"
    settings.write_text("".join(f"{key} = {value!r}\n" for key, value in _AUTHORS_SETTINGS.items()))
    read = settings_of(str(settings), {})
    read.text_encoder_type = str(write_bert(folder / "bert", seed=seed))
    network = built(read)
    _liven(network, seed)
    state = {f"module.{name}": value for name, value in network.state_dict().items()}
    torch.save({"model": state}, folder / "tiny.pth")
    return folder


def write_sam3(folder: Path, *, seed: int = 0, side: int = 56) -> Path:
    """Write a SAM 3 with its processor; it sees pictures at ``side`` px, a multiple of 28."""
    from transformers import (
        Sam3Config,
        Sam3ImageProcessor,
        Sam3Model,
        Sam3Processor,
    )

    cells = side // 14
    small = {"hidden_size": 32, "num_attention_heads": 2}
    layers = {**small, "num_layers": 1, "intermediate_size": 32, "dropout": 0.0}
    config = Sam3Config(
        vision_config={
            "backbone_config": {
                "model_type": "sam3_vit_model",
                **small,
                "intermediate_size": 32,
                "num_hidden_layers": 2,
                "image_size": side,
                "pretrain_image_size": side,
                "window_size": 2,
                "global_attn_indexes": [1],
            },
            "fpn_hidden_size": 32,
            "backbone_feature_sizes": [[cells * k, cells * k] for k in (4, 2, 1)],
        },
        text_config={
            "model_type": "clip_text_model",
            **small,
            "vocab_size": 1040,
            "intermediate_size": 32,
            "projection_dim": 32,
            "num_hidden_layers": 1,
            "max_position_embeddings": 32,
            "bos_token_id": 101,
            "eos_token_id": 102,
            "hidden_act": "gelu",
        },
        geometry_encoder_config=layers,
        detr_encoder_config=layers,
        detr_decoder_config={**layers, "num_queries": 12},
        mask_decoder_config=small,
    )
    network = Sam3Model(config)
    _liven(network, seed)
    network.save_pretrained(str(folder))
    tokenizer = _tokenizer()
    tokenizer.model_max_length = 32
    Sam3Processor(
        Sam3ImageProcessor(size={"height": side, "width": side}), tokenizer
    ).save_pretrained(str(folder))
    return folder
