"""Miniature CLIP models, and Stable Diffusion's safety checker, which is built on one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from image_core.testing.miniature.stable_diffusion import tokenizer

_WIDTH = 32
_SIDE = 32


def write_clip(folder: Path, *, seed: int = 0) -> Path:
    """Write a CLIP model with its image processor and a tokenizer that knows letters.

    Random networks of this size hardly see their inputs; weights are drawn wide enough that the
    embeddings depend on picture and words.

    Args:
        folder: Made when it is missing.
        seed: Of the weights.

    Returns:
        The folder.
    """
    from transformers import CLIPModel

    torch.manual_seed(seed)
    model: Any = CLIPModel(_config())
    _enliven(model)
    model.eval().save_pretrained(folder)
    _processor().save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


def add_safety_checker(folder: Path, *, flags: bool, seed: int = 0, half: bool = False) -> Path:
    """Put a safety checker beside a checkpoint, one that flags every picture or none.

    Args:
        folder: A checkpoint in diffusers' layout.
        flags: Whether it flags: a picture is flagged where its likeness to a concept, which lies
            in [-1, 1], is above that concept's threshold.
        seed: Of the weights.
        half: Store it in 16 bits, under the name that tells so.

    Returns:
        The folder.
    """
    from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker

    torch.manual_seed(seed)
    checker: Any = StableDiffusionSafetyChecker(_config())
    _enliven(checker)
    with torch.no_grad():
        checker.concept_embeds.normal_()
        checker.special_care_embeds.normal_()
        checker.concept_embeds_weights.fill_(-2 if flags else 2)
        checker.special_care_embeds_weights.fill_(2)
    if half:
        checker = checker.half()
    variant = {"variant": "fp16"} if half else {}
    checker.eval().save_pretrained(folder / "safety_checker", **variant)
    _processor().save_pretrained(folder / "feature_extractor")
    index_path = folder / "model_index.json"
    index = json.loads(index_path.read_text())
    index["safety_checker"] = ["stable_diffusion", "StableDiffusionSafetyChecker"]
    index["feature_extractor"] = ["transformers", "CLIPImageProcessor"]
    index_path.write_text(json.dumps(index, indent=2))
    return folder


def _config() -> Any:
    from transformers import CLIPConfig, CLIPTextConfig, CLIPVisionConfig

    size: dict[str, Any] = {
        "hidden_size": _WIDTH,
        "intermediate_size": 2 * _WIDTH,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "projection_dim": _WIDTH,
    }
    text = CLIPTextConfig(
        **size,
        vocab_size=len(tokenizer()),
        max_position_embeddings=tokenizer().model_max_length,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )
    vision = CLIPVisionConfig(**size, image_size=_SIDE, patch_size=8)
    return CLIPConfig(
        text_config=text.to_dict(), vision_config=vision.to_dict(), projection_dim=_WIDTH
    )


def _processor() -> Any:
    from transformers import CLIPImageProcessor

    return CLIPImageProcessor(
        size={"shortest_edge": _SIDE}, crop_size={"height": _SIDE, "width": _SIDE}
    )


def _enliven(model: Any) -> None:
    for parameter in model.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.2)
