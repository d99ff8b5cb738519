"""The authors' SAM with its sizes read off a checkpoint's weights.

The package builds three sizes by name; their checkpoints tell which they are, and so would any
other: every width, depth and window stands in a weight's shape.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

from segment_anything.modeling import (
    ImageEncoderViT,
    MaskDecoder,
    PromptEncoder,
    Sam,
    TwoWayTransformer,
)
from torch import Tensor
from torch.nn import LayerNorm

from image_core.errors import InvalidInput

ModelType = Literal["auto", "vit_h", "vit_l", "vit_b"]

_WIDTHS = {"vit_h": 1280, "vit_l": 1024, "vit_b": 768}
_MEAN, _DEVIATION = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
_DECODER_HEADS = 8  # the one number that leaves no trace in the weights; the same in all of SAM


def sam_of(state: dict[str, Tensor], model_type: ModelType = "auto") -> Sam:
    """Build the authors' SAM for a checkpoint and load it.

    Args:
        state: Weights by name.
        model_type: The size that it should be.

    Raises:
        InvalidInput: The weights are not those of a SAM, or of another size.
    """
    try:
        network = _built(state)
        network.load_state_dict(state)
    except (KeyError, IndexError, RuntimeError, AssertionError) as error:
        reason = (str(error) or repr(error)).splitlines()[0]
        raise InvalidInput(f"these are not the weights of a SAM: {reason}") from error
    width = state["image_encoder.patch_embed.proj.weight"].shape[0]
    if model_type != "auto" and width != _WIDTHS[model_type]:
        raise InvalidInput(
            f"the weights are not {model_type}: their width is {width}, not {_WIDTHS[model_type]}",
            hint="Leave model_type away: it is read off the weights.",
        )
    return network.eval().requires_grad_(False)


def _built(state: dict[str, Tensor]) -> Sam:
    encoder = {
        name.removeprefix("image_encoder."): weight
        for name, weight in state.items()
        if name.startswith("image_encoder.")
    }
    width, _, patch, _ = encoder["patch_embed.proj.weight"].shape
    cells = encoder["pos_embed"].shape[1]
    depth = 1 + max(int(name.split(".")[1]) for name in encoder if name.startswith("blocks."))
    reaches = [encoder[f"blocks.{k}.attn.rel_pos_h"].shape for k in range(depth)]
    whole = tuple(k for k in range(depth) if reaches[k][0] == 2 * cells - 1)
    windows = [(reach[0] + 1) // 2 for k, reach in enumerate(reaches) if k not in whole]
    channels = encoder["neck.0.weight"].shape[0]
    layers = 1 + max(
        int(name.split(".")[3])
        for name in state
        if name.startswith("mask_decoder.transformer.layers.")
    )
    return Sam(
        image_encoder=ImageEncoderViT(
            img_size=cells * patch,
            patch_size=patch,
            embed_dim=width,
            depth=depth,
            num_heads=width // reaches[0][1],
            mlp_ratio=encoder["blocks.0.mlp.lin1.weight"].shape[0] / width,
            out_chans=channels,
            norm_layer=partial(LayerNorm, eps=1e-6),
            use_rel_pos=True,
            window_size=windows[0] if windows else 0,
            global_attn_indexes=whole,
        ),
        prompt_encoder=PromptEncoder(
            embed_dim=channels,
            image_embedding_size=(cells, cells),
            input_image_size=(cells * patch, cells * patch),
            mask_in_chans=state["prompt_encoder.mask_downscaling.3.weight"].shape[0],
        ),
        mask_decoder=_decoder(state, channels, layers),
        pixel_mean=_MEAN,
        pixel_std=_DEVIATION,
    )


def _decoder(state: dict[str, Tensor], channels: int, layers: int) -> Any:
    rating = [name for name in state if name.startswith("mask_decoder.iou_prediction_head.layers.")]
    return MaskDecoder(
        num_multimask_outputs=state["mask_decoder.mask_tokens.weight"].shape[0] - 1,
        transformer=TwoWayTransformer(
            depth=layers,
            embedding_dim=channels,
            mlp_dim=state["mask_decoder.transformer.layers.0.mlp.lin1.weight"].shape[0],
            num_heads=_DECODER_HEADS,
        ),
        transformer_dim=channels,
        iou_head_depth=len(rating) // 2,
        iou_head_hidden_dim=state["mask_decoder.iou_prediction_head.layers.0.weight"].shape[0],
    )
