"""nerfacto's scene contraction (mip-NeRF 360, eq. 10, with the L-infinity norm), quicker on a CPU.

torch's general vector norm takes a fifth of a small training step for three numbers a point.
"""

from __future__ import annotations

import math
from typing import Any

from jaxtyping import Float
from nerfstudio.field_components.spatial_distortions import SceneContraction
from torch import Tensor, nn


class QuickContraction(SceneContraction):
    """The same values by the largest coordinate."""

    def forward(self, positions: Any) -> Any:
        """Contract points to the cube from -2 to 2; anything but plain points as the parent does.

        Args:
            positions: ``(*n, 3)`` in scene units.
        """
        if not isinstance(positions, Tensor):
            return super().forward(positions)
        return contracted(positions)


def contracted(points: Float[Tensor, "*n 3"]) -> Float[Tensor, "*n 3"]:
    """Return x where its norm is below 1, else (2 - 1/norm) x/norm."""
    # below 1 it is the identity, and at the origin no gradient becomes 0/0
    size = points.abs().amax(dim=-1, keepdim=True).clamp(min=1)
    return (2 - 1 / size) * (points / size)


def quicken(module: nn.Module) -> int:
    """Let every L-infinity contraction inside a module take the quick way; return how many."""
    found = [
        part
        for part in module.modules()
        if type(part) is SceneContraction and part.order == math.inf
    ]
    for part in found:
        part.__class__ = QuickContraction
    return len(found)
