"""The autoencoder between pictures of 64 pixels and latents of 16 cells, and its folding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

CHANNELS = 4
FACTOR = 4
_WIDTHS = (16, 32, 64)
_GROUPS = 8


def build_autoencoder() -> Any:
    """Return diffusers' ``AutoencoderKL`` with weights as it draws them.

    There is no attention in its middle: what is changed at one place shall not show at another.
    """
    from diffusers import AutoencoderKL

    kind: Any = AutoencoderKL  # untyped in diffusers
    return kind(
        block_out_channels=_WIDTHS,
        down_block_types=("DownEncoderBlock2D",) * len(_WIDTHS),
        up_block_types=("UpDecoderBlock2D",) * len(_WIDTHS),
        layers_per_block=1,
        latent_channels=CHANNELS,
        norm_num_groups=_GROUPS,
        sample_size=64,
        scaling_factor=1.0,
        mid_block_add_attention=False,
    )


def fold_statistics(vae: Any, mean: Float[Tensor, " c"], spread: Float[Tensor, "c c"]) -> None:
    """Build a whitening of the latents into the 1x1 convolutions beside them, in place.

    Afterwards the posterior's mean has mean 0 and covariance 1 over the data, and decoding undoes
    it: pictures come out as before. Its variance is scaled by each channel's own share alone, since
    the class knows no covariances; so it is but nearly what it was.

    Args:
        vae: Its ``quant_conv`` gives mean and log-variance, ``post_quant_conv`` takes latents.
        mean: Of the posterior's means.
        spread: Their covariance, positive definite.
    """
    # a symmetric whitening changes the channels as little as can be
    values, vectors = torch.linalg.eigh(spread.double())
    white = vectors @ torch.diag(values.rsqrt()) @ vectors.T
    colour = vectors @ torch.diag(values.sqrt()) @ vectors.T
    count = len(mean)
    with torch.no_grad():
        weight, bias = vae.quant_conv.weight.double(), vae.quant_conv.bias.double()
        rows = weight[:count, :, 0, 0]
        weight[:count, :, 0, 0] = white @ rows
        bias[:count] = white @ (bias[:count] - mean.double())
        bias[count:] = bias[count:] + 2 * white.diagonal().log()
        vae.quant_conv.weight.copy_(weight)
        vae.quant_conv.bias.copy_(bias)
        weight, bias = vae.post_quant_conv.weight.double(), vae.post_quant_conv.bias.double()
        kernel = weight[:, :, 0, 0]
        bias = bias + kernel @ mean.double()
        weight[:, :, 0, 0] = kernel @ colour
        vae.post_quant_conv.weight.copy_(weight)
        vae.post_quant_conv.bias.copy_(bias)


def load_autoencoder(folder: Path) -> Any:
    """Return the autoencoder of a folder, in float32 on the CPU."""
    from diffusers import AutoencoderKL

    from image_core.weights import loaded

    return loaded(AutoencoderKL, folder, dtype=torch.float32)
