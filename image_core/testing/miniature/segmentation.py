"""SAM, SAM 2 and the authors' SAM at miniature size with random weights, in their own files.

transformers' initialisation leaves SAM blind (vision weights of 1e-10, positions of a spread of
half the width), so every weight is drawn anew.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

_CHANNELS = 32
_POSITIONS = ("positional_embedding", "gaussian_matrix")
_DECODER = {
    "hidden_size": _CHANNELS,
    "mlp_dim": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 8,
    "iou_head_hidden_dim": 32,
}


def write_sam(folder: Path, *, seed: int = 0, side: int = 64) -> Path:
    """Write a SAM with its image processor; it sees pictures at ``side`` px."""
    from transformers import SamConfig, SamImageProcessor, SamModel

    config = SamConfig(
        vision_config={
            "hidden_size": 32,
            "output_channels": _CHANNELS,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": side,
            "patch_size": 8,
            "window_size": 4,
            "global_attn_indexes": [1],
            "num_pos_feats": _CHANNELS // 2,
            "mlp_dim": 32,
        },
        prompt_encoder_config={
            "hidden_size": _CHANNELS,
            "image_size": side,
            "patch_size": 8,
            "mask_input_channels": 4,
        },
        mask_decoder_config=_DECODER,
    )
    network = SamModel(config)
    _liven(network, seed)
    network.save_pretrained(str(folder))
    SamImageProcessor(
        size={"longest_edge": side}, pad_size={"height": side, "width": side}
    ).save_pretrained(str(folder))
    return folder


def write_sam2(folder: Path, *, seed: int = 0, side: int = 64, video: bool = False) -> Path:
    """Write a SAM 2 with its image processor.

    Args:
        folder: Made when it is missing.
        seed: Of the weights.
        side: The pictures' size for the network.
        video: With the settings and weights for video, as it is published.
    """
    from transformers import (
        Sam2Config,
        Sam2ImageProcessor,
        Sam2Model,
        Sam2VideoConfig,
        Sam2VideoModel,
    )

    parts: dict[str, Any] = {
        "vision_config": {
            "backbone_config": {
                "model_type": "sam2_hiera_det_model",
                "hidden_size": 8,
                "image_size": [side, side],
                "blocks_per_stage": [1, 1, 2, 1],
                "embed_dim_per_stage": [8, 16, 32, 64],
                "num_attention_heads_per_stage": [1, 1, 2, 2],
                "window_size_per_stage": [4, 4, 2, 2],
                "global_attention_blocks": [3],
                "mlp_ratio": 2.0,
            },
            "backbone_channel_list": [64, 32, 16, 8],
            "backbone_feature_sizes": [[side // k, side // k] for k in (4, 8, 16)],
            "fpn_hidden_size": _CHANNELS,
        },
        "prompt_encoder_config": {
            "hidden_size": _CHANNELS,
            "image_size": side,
            "patch_size": 16,
            "mask_input_channels": 4,
        },
        "mask_decoder_config": _DECODER,
    }
    network: Any
    if video:
        network = Sam2VideoModel(
            Sam2VideoConfig(
                **parts,
                image_size=side,
                memory_attention_hidden_size=_CHANNELS,
                memory_attention_num_layers=1,
                memory_attention_feed_forward_hidden_size=32,
                memory_attention_rope_feat_sizes=[side // 16, side // 16],
                memory_encoder_hidden_size=_CHANNELS,
                memory_encoder_output_channels=8,
                mask_downsampler_embed_dim=_CHANNELS,
                memory_fuser_embed_dim=_CHANNELS,
                memory_fuser_intermediate_dim=32,
                memory_fuser_num_layers=1,
            )
        )
    else:
        network = Sam2Model(Sam2Config(**parts))
    _liven(network, seed)
    network.save_pretrained(str(folder))
    Sam2ImageProcessor(
        size={"height": side, "width": side}, mask_size={"height": side // 4, "width": side // 4}
    ).save_pretrained(str(folder))
    return folder


def write_segment_anything(folder: Path, *, seed: int = 0, side: int = 64) -> Path:
    """Write ``tiny.pth`` in the form of the authors' checkpoints; needs ``segment-anything``."""
    import torch
    from segment_anything.modeling import (
        ImageEncoderViT,
        MaskDecoder,
        PromptEncoder,
        Sam,
        TwoWayTransformer,
    )

    cells = side // 8
    network = Sam(
        image_encoder=ImageEncoderViT(
            img_size=side,
            patch_size=8,
            embed_dim=32,
            depth=2,
            num_heads=2,
            mlp_ratio=1,
            out_chans=_CHANNELS,
            use_rel_pos=True,
            window_size=4,
            global_attn_indexes=(1,),
        ),
        prompt_encoder=PromptEncoder(
            embed_dim=_CHANNELS,
            image_embedding_size=(cells, cells),
            input_image_size=(side, side),
            mask_in_chans=4,
        ),
        mask_decoder=MaskDecoder(
            num_multimask_outputs=3,
            transformer=TwoWayTransformer(
                depth=2, embedding_dim=_CHANNELS, mlp_dim=32, num_heads=8
            ),
            transformer_dim=_CHANNELS,
            iou_head_depth=3,
            iou_head_hidden_dim=32,
        ),
    )
    _liven(network, seed)
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(network.state_dict(), folder / "tiny.pth")
    return folder


def _liven(network: Any, seed: int) -> None:
    """Draw every weight and the prompts' positions anew, so that masks depend on both inputs."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    buffers = [(n, b) for n, b in network.named_buffers() if n.endswith(_POSITIONS)]
    with torch.no_grad():
        for name, weight in sorted([*network.named_parameters(), *buffers]):
            drawn = torch.randn(weight.shape, generator=generator)
            if name.endswith(_POSITIONS):
                weight.copy_(drawn)
            elif weight.ndim < 2:
                near = 1.0 if "norm" in name.lower() and name.endswith("weight") else 0.0
                weight.copy_(near + 0.1 * drawn)
            elif "embed" in name or "token" in name:
                weight.copy_(drawn)
            else:
                # masks are products of these: their logits should be as large as SAM's own
                gain = 4.0 if "hypernetwork" in name else 1.5
                weight.copy_(gain * drawn / weight[0].numel() ** 0.5)
