"""In which precision networks are trained: bfloat16 for what gains by it, weights in float32."""

from __future__ import annotations

from contextlib import AbstractContextManager

import torch


def autocast(device: torch.device) -> AbstractContextManager[None]:
    """Return a context in which convolutions and products are computed in bfloat16.

    On CPUs with bfloat16 instructions it saves a third of an autoencoder's time and a fifth of a
    UNet's.
    """
    context: AbstractContextManager[None] = torch.autocast(device.type, torch.bfloat16)
    return context
