"""Noise that depends on an image's key alone: not on the batch it is in, nor on the device."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor


def generator_of(key: int, purpose: str) -> torch.Generator:
    """Return a CPU generator seeded by an image's key and what the draw is for.

    Args:
        key: The image's key; keys are opaque whole numbers.
        purpose: Parts the draws of one image from each other ("start", "contrast 3" …).
    """
    digest = hashlib.sha256(f"{key}/{purpose}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "little") >> 1)


def keyed_noise(
    shape: tuple[int, int, int], keys: Sequence[int], purpose: str, like: Tensor
) -> Float[Tensor, "b c h w"]:
    """Draw standard normal noise, one sample a key, in float32 on the CPU.

    Args:
        shape: Channels, height, width of a sample.
        keys: One per sample.
        purpose: See ``generator_of``.
        like: Gives device and dtype of what is returned.
    """
    drawn = [torch.randn(shape, generator=generator_of(key, purpose)) for key in keys]
    return torch.stack(drawn).to(like)
