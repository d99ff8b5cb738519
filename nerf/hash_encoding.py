"""nerfstudio's hash grid, several times as fast without tinycudann.

The function and its parameter stay the same: what is trained by one can be loaded by the other. The
time is won in ``image_core.hash_grid``, and by leaving out the gradient with respect to the
positions.
"""

from __future__ import annotations

from typing import Any

from jaxtyping import Float
from nerfstudio.field_components.encodings import HashEncoding
from torch import Tensor, nn

from image_core.hash_grid import Level, interpolated


class FastHashEncoding(HashEncoding):
    """nerfstudio's torch hash grid with another way to compute it; made by ``accelerate``.

    Attributes:
        position_gradient: Whether gradients go on to the positions.
    """

    position_gradient: bool

    def pytorch_fwd(self, in_tensor: Float[Tensor, "*bs 3"]) -> Float[Tensor, "*bs lf"]:
        """Return the features of positions in [0, 1]^3, level by level."""
        table = self.hash_table
        positions = in_tensor if self.position_gradient else in_tensor.detach()
        points = positions.reshape(-1, 3).to(table.dtype)
        out = interpolated(points, table, self._levels())
        return out.reshape(*in_tensor.shape[:-1], self.get_out_dim())

    def _levels(self) -> list[Level]:
        """Say where the levels lie: all are hashed, and all are of one size."""
        size = self.hash_table_size
        return [
            Level(start=number * size, size=size, scales=(resolution,) * 3)
            for number, resolution in enumerate(self.scalings.tolist())
        ]


def accelerate(module: nn.Module, *, position_gradient: bool) -> int:
    """Give every torch hash grid in a model the fast way, in place.

    The parameters, their names and values stay, and so does every reference to a grid. Grids of
    tinycudann and subclasses of others are left as they are. On the CPU the results are the same
    bits in every run and with any number of threads; on a GPU the order in which a gradient is
    summed is not fixed unless torch's deterministic algorithms are switched on.

    Args:
        module: The model, or any part of it.
        position_gradient: Whether gradients with respect to the positions are wanted, as for
            normals or a camera optimiser; without them a step is quicker.

    Returns:
        How many there are.
    """
    found: list[Any] = [
        part
        for part in module.modules()
        if type(part) in (HashEncoding, FastHashEncoding) and part.tcnn_encoding is None
    ]
    for part in found:
        part.__class__ = FastHashEncoding
        part.position_gradient = position_gradient
    return len(found)
