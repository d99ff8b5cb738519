"""nerfstudio's hash grid (Instant-NGP, section 3), several times as fast without tinycudann.

The function and its parameter stay the same: what is trained by one can be loaded by the other. The
time is won by walking over one level at a time, so that its table stays in the cache; by hashing
each axis' two coordinates in 32 bits instead of eight corners in 64; by gathering and scattering
feature by feature; and by leaving out the gradient with respect to the positions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from nerfstudio.field_components.encodings import HashEncoding
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

# Instant-NGP's factors of the three axes, modulo 2^32 as signed numbers: the table sizes are powers
# of two, so that only the low bits of a hash count, and those survive the overflow
_PRIMES = (1, 2654435761 - 2**32, 805459861)
_BLOCK = 8192  # points at a time on the CPU: their corners stay in its cache


class _Grid(NamedTuple):
    """What a level needs to know; ``size`` entries a level, a power of two."""

    resolutions: list[float]
    size: int
    features: int


class _Part(NamedTuple):
    """One level at some of the points.

    Attributes:
        level: Which.
        points: Which.
        corners: Where in the level's table the corners of each point's cell lie: for the lower and
            upper z, the lower and upper y, the lower and upper x.
        offsets: Of the points from the lower corners, along x, y and z, in [0, 1).
    """

    level: int
    points: slice
    corners: Int[Tensor, "2 2 2 n"]
    offsets: Float[Tensor, "3 n"]


def _parts(positions: Float[Tensor, "n 3"], grid: _Grid) -> Iterator[_Part]:
    axes = positions.t().contiguous()
    primes = torch.tensor(_PRIMES, dtype=torch.int32, device=axes.device)[:, None]
    block = _BLOCK if axes.device.type == "cpu" else max(len(positions), 1)
    for level, resolution in enumerate(grid.resolutions):
        for start in range(0, len(positions), block):
            points = slice(start, start + block)
            scaled = axes[:, points] * resolution
            # not floor + 1: on a grid plane both are the same corner, as nerfstudio has it
            ends = torch.stack((scaled.floor(), scaled.ceil()))
            sides = ends.int().mul_(primes).bitwise_and_(grid.size - 1)
            plane = sides[:, None, 1] ^ sides[None, :, 0]
            corners = sides[:, None, None, 2] ^ plane[None]
            yield _Part(level, points, corners, scaled - ends[0])


def _gathered(
    table: Float[Tensor, "t f"], grid: _Grid, part: _Part, feature: int
) -> Float[Tensor, "2 2 2 n"]:
    column = table[part.level * grid.size : (part.level + 1) * grid.size, feature]
    return column.index_select(0, part.corners.view(-1)).view(part.corners.shape)


def _mixed(ends: Float[Tensor, "2 *m n"], offset: Float[Tensor, " n"]) -> Float[Tensor, "*m n"]:
    return torch.lerp(ends[0], ends[1], offset)


def _weights(offsets: Float[Tensor, "3 n"]) -> Float[Tensor, "2 2 2 n"]:
    """Return the share of each corner: (z, y, x, n)."""
    sides = torch.stack((1 - offsets, offsets))
    return (sides[:, None, 2] * sides[None, :, 1])[:, :, None] * sides[:, 0]


def _slopes(
    corners: Float[Tensor, "2 2 2 n"], offsets: Float[Tensor, "3 n"]
) -> Float[Tensor, "3 n"]:
    """Return the derivatives of the interpolated value by the offsets along x, y and z."""
    x, y, z = offsets
    by_x = _mixed(_mixed((corners[:, :, 1] - corners[:, :, 0]).transpose(0, 1), y), z)
    edges = _mixed(corners.movedim(2, 0), x)
    by_y = _mixed(edges[:, 1] - edges[:, 0], z)
    faces = _mixed(edges.transpose(0, 1), y)
    return torch.stack((by_x, by_y, faces[1] - faces[0]))


class _Interpolation(torch.autograd.Function):
    """Features of points by trilinear interpolation in the hash table of each level."""

    @staticmethod
    def forward(
        ctx: Any,
        positions: Float[Tensor, "n 3"],
        table: Float[Tensor, "t f"],
        grid: _Grid,
        will_go_back: bool,
    ) -> Float[Tensor, "n lf"]:
        out = table.new_empty(len(grid.resolutions), grid.features, len(positions))
        kept = []
        for part in _parts(positions, grid):
            x, y, z = part.offsets
            for feature in range(grid.features):
                corners = _gathered(table, grid, part, feature)
                faces = _mixed(_mixed(corners.movedim(2, 0), x).transpose(0, 1), y)
                torch.lerp(faces[0], faces[1], z, out=out[part.level, feature, part.points])
            if will_go_back:
                kept.append(part)
        ctx.save_for_backward(table)
        ctx.parts, ctx.grid = kept, grid
        return out.flatten(0, 1).t().contiguous()

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, gradient: Float[Tensor, "n lf"]
    ) -> tuple[Tensor | None, Tensor | None, None, None]:
        (table,) = ctx.saved_tensors
        grid: _Grid = ctx.grid
        of_positions, of_table = ctx.needs_input_grad[:2]
        levels, features, points = len(grid.resolutions), grid.features, len(gradient)
        by_position = gradient.new_zeros(3, points)
        # scatter_add_ in one dimension adds one after the other on the CPU: the bits are the same
        by_entry = table.new_zeros(levels, features, grid.size)
        rows = gradient.t().contiguous().view(levels, features, points)
        for part in ctx.parts:
            index = part.corners.view(-1).long()
            weights = _weights(part.offsets)
            for feature in range(features):
                row = rows[part.level, feature, part.points]
                if of_table:
                    by_entry[part.level, feature].scatter_add_(0, index, (weights * row).view(-1))
                if of_positions:
                    corners = _gathered(table, grid, part, feature)
                    slopes = _slopes(corners, part.offsets) * grid.resolutions[part.level]
                    by_position[:, part.points] += slopes * row
        return (
            by_position.t() if of_positions else None,
            by_entry.transpose(1, 2).reshape(table.shape) if of_table else None,
            None,
            None,
        )


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
        grid = _Grid(self.scalings.tolist(), self.hash_table_size, self.features_per_level)
        will_go_back = torch.is_grad_enabled() and (table.requires_grad or points.requires_grad)
        apply: Any = _Interpolation.apply
        out: Tensor = apply(points, table, grid, will_go_back)
        return out.reshape(*in_tensor.shape[:-1], self.get_out_dim())


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
