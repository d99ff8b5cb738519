"""Fresh weights for networks whose classes were made to be loaded, not to be trained from nothing.

transformers starts many of them so near to 0 (SAM's vision encoder with a spread of 1e-10), or so
far from it (SAM's positions with half the width), that training stands still.
"""

from __future__ import annotations

import torch
from torch import nn

_EMBEDDING = 0.02  # spread of embeddings, as BERT and CLIP start theirs
_POSITIONS = ("positional_embedding", "gaussian_matrix")
_POSITION_SPREAD = 0.8  # cycles across the picture of SAM's random Fourier features
_RELATIVE = ("rel_pos_h", "rel_pos_w", "relative_position_bias_table")


def draw_weights(network: nn.Module, generator: torch.Generator) -> None:
    """Draw all weights of a network anew, in place.

    Linear and convolutional layers get Xavier's uniform spread and no bias, norms 1 and 0,
    embeddings a small normal spread, relative positions 0, SAM's Fourier features 0.8.

    Args:
        network: Of any library.
        generator: On the CPU; the network must lie there too.
    """
    with torch.no_grad():
        for _, module in sorted(network.named_modules()):
            if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
                nn.init.xavier_uniform_(module.weight, generator=generator)
                if module.bias is not None:
                    module.bias.zero_()
            elif isinstance(module, nn.Embedding):
                module.weight.normal_(0, _EMBEDDING, generator=generator)
        for name, values in sorted([*network.named_parameters(), *network.named_buffers()]):
            if name.endswith(_POSITIONS):
                values.normal_(0, _POSITION_SPREAD, generator=generator)
            elif name.endswith(_RELATIVE):
                values.zero_()
