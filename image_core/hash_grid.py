"""Multi-resolution hash grids (Instant-NGP, Müller et al. 2022, section 3) in plain torch.

What NeRF fields and CoDeF's fields of a video share: features of positions, by multilinear
interpolation in one table a level. Time is won by walking over one level at a time, so that its
table stays in the cache; by finding each axis' two coordinates before the corners are joined; and
by gathering and scattering feature by feature.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

# Instant-NGP's factors of the three axes, modulo 2^32 as signed numbers: the table sizes are powers
# of two, so that only the low bits of a hash count, and those survive the overflow
_PRIMES = (1, 2654435761 - 2**32, 805459861)
_BLOCK = 8192  # points at a time on the CPU: their corners stay in its cache
_ROUNDED_TO = 8  # entries: tiny-cuda-nn rounds the table of a dense level up to a multiple of this
_START = 1e-4  # tables begin uniform within plus and minus this


@dataclass(frozen=True, kw_only=True)
class Level:
    """Where the values of one grid lie in the table.

    Attributes:
        start: Its first entry.
        size: Its entries; a power of two where they are hashed.
        scales: How many cells the unit interval holds, along each axis.
        shift: Of the grid, in cells.
        points: How many grid points there are along each axis, where each has an entry of its own
            (a dense level; places beyond read its border). None where the entries are hashed.
    """

    start: int
    size: int
    scales: tuple[float, ...]
    shift: float = 0.0
    points: tuple[int, ...] | None = None


class _Part(NamedTuple):
    """One level at some of the points.

    Attributes:
        number: Of the level, from 0.
        level: The level.
        chosen: Which points.
        corners: Where in the level's table the corners of each point's cell lie: for the lower and
            upper end of the last axis, and so on down to the first.
        offsets: Of the points from the lower corners, along each axis, in [0, 1).
    """

    number: int
    level: Level
    chosen: slice
    corners: Int[Tensor, "*two n"]
    offsets: Float[Tensor, "d n"]


def _parts(positions: Float[Tensor, "n d"], levels: Sequence[Level]) -> Iterator[_Part]:
    axes = positions.t().contiguous()
    block = _BLOCK if axes.device.type == "cpu" else max(len(positions), 1)
    for number, level in enumerate(levels):
        scales = _column(level.scales, axes)
        for start in range(0, len(positions), block):
            chosen = slice(start, start + block)
            scaled = axes[:, chosen] * scales
            if level.shift:
                scaled += level.shift
            # not floor + 1: on a grid plane both are the same corner, as nerfstudio has it, and
            # the far border of a dense grid has no corner beyond it
            ends = torch.stack((scaled.floor(), scaled.ceil()))
            yield _Part(number, level, chosen, _corners(ends, level), scaled - ends[0])


def _column(values: Sequence[float], like: Tensor) -> Tensor:
    return torch.tensor(values, dtype=like.dtype, device=like.device)[:, None]


def _corners(ends: Float[Tensor, "2 d n"], level: Level) -> Int[Tensor, "*two n"]:
    if level.points is None:
        primes = torch.tensor(_PRIMES[: ends.shape[1]], dtype=torch.int32, device=ends.device)
        sides = ends.int().mul_(primes[:, None]).bitwise_and_(level.size - 1)
    else:
        strides = [math.prod(level.points[:axis]) for axis in range(len(level.points))]
        last = _column([count - 1 for count in level.points], ends)
        factors = torch.tensor(strides, dtype=torch.int32, device=ends.device)
        sides = ends.clamp(min=torch.zeros_like(last), max=last).int().mul_(factors[:, None])
    corners = sides[:, 0]
    for axis in range(1, ends.shape[1]):
        side = sides[:, axis].view(2, *([1] * axis), -1)
        corners = side ^ corners if level.points is None else side + corners
    return corners


def _gathered(table: Float[Tensor, "t f"], part: _Part, feature: int) -> Float[Tensor, "*two n"]:
    level = part.level
    column = table[level.start : level.start + level.size, feature]
    return column.index_select(0, part.corners.reshape(-1)).view(part.corners.shape)


def _mixed(values: Float[Tensor, "*two n"], offset: Float[Tensor, " n"]) -> Float[Tensor, "*one n"]:
    """Interpolate along the first axis whose ends are left."""
    return torch.lerp(values[..., 0, :], values[..., 1, :], offset)


def _weights(offsets: Float[Tensor, "d n"]) -> Float[Tensor, "*two n"]:
    """Return the share of each corner, in the corners' order."""
    sides = torch.stack((1 - offsets, offsets))
    weights = sides[:, -1]
    for axis in range(len(offsets) - 2, -1, -1):
        weights = weights.unsqueeze(-2) * sides[:, axis]
    return weights


def _slopes(
    corners: Float[Tensor, "*two n"], offsets: Float[Tensor, "d n"]
) -> Float[Tensor, "d n"]:
    """Return the derivatives of the interpolated value by the offsets along each axis."""
    slopes, values = [], corners
    for axis in range(len(offsets)):
        if axis:
            values = _mixed(values, offsets[axis - 1])
        slope = values[..., 1, :] - values[..., 0, :]
        for later in range(axis + 1, len(offsets)):
            slope = _mixed(slope, offsets[later])
        slopes.append(slope)
    return torch.stack(slopes)


class _Interpolation(torch.autograd.Function):
    """Features of points by multilinear interpolation in the table of each level."""

    @staticmethod
    def forward(
        ctx: Any,
        positions: Float[Tensor, "n d"],
        table: Float[Tensor, "t f"],
        levels: Sequence[Level],
        will_go_back: bool,
    ) -> Float[Tensor, "n lf"]:
        out = table.new_empty(len(levels), table.shape[1], len(positions))
        kept = []
        for part in _parts(positions, levels):
            for feature in range(table.shape[1]):
                values = _gathered(table, part, feature)
                for offset in part.offsets[:-1]:
                    values = _mixed(values, offset)
                target = out[part.number, feature, part.chosen]
                torch.lerp(values[0], values[1], part.offsets[-1], out=target)
            if will_go_back:
                kept.append(part)
        ctx.save_for_backward(table)
        ctx.parts, ctx.levels, ctx.shape = kept, len(levels), positions.shape
        return out.flatten(0, 1).t().contiguous()

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, gradient: Float[Tensor, "n lf"]
    ) -> tuple[Tensor | None, Tensor | None, None, None]:
        (table,) = ctx.saved_tensors
        of_positions, of_table = ctx.needs_input_grad[:2]
        (points, axes), features = ctx.shape, table.shape[1]
        rows = gradient.t().contiguous().view(ctx.levels, features, points)
        by_position = gradient.new_zeros(axes, points)
        # where there are points, every level is written
        by_entry = torch.empty_like(table) if points else torch.zeros_like(table)
        for _, parts in groupby(ctx.parts, key=lambda part: part.number):
            sums: Tensor | None = None
            for part in parts:
                index = part.corners.reshape(-1).long()
                weights = _weights(part.offsets)
                scales = _column(part.level.scales, part.offsets)
                if sums is None:
                    sums = table.new_zeros(features, part.level.size)
                for feature in range(features):
                    row = rows[part.number, feature, part.chosen]
                    if of_table:
                        # in one dimension it adds one after the other on the CPU: the same bits
                        sums[feature].scatter_add_(0, index, (weights * row).view(-1))
                    if of_positions:
                        corners = _gathered(table, part, feature)
                        slopes = _slopes(corners, part.offsets) * scales
                        by_position[:, part.chosen] += slopes * row
            if of_table and sums is not None:
                by_entry[part.level.start :][: part.level.size] = sums.t()
        return by_position.t() if of_positions else None, by_entry if of_table else None, None, None


def interpolated(
    positions: Float[Tensor, "n d"], table: Float[Tensor, "t f"], levels: Sequence[Level]
) -> Float[Tensor, "n lf"]:
    """Return the features of points.

    On the CPU the results and gradients are the same bits in every run and with any number of
    threads; on a GPU the order in which a gradient is summed is not fixed unless torch's
    deterministic algorithms are switched on.

    Args:
        positions: In [0, 1] along each of two or three axes; beyond, hashed levels go on and dense
            ones repeat their border. Where they need no gradient, none is computed for them.
        table: The entries of all levels.
        levels: Where they lie in it.

    Returns:
        Level by level, the features of each side by side.
    """
    will_go_back = torch.is_grad_enabled() and (table.requires_grad or positions.requires_grad)
    apply: Any = _Interpolation.apply
    out: Tensor = apply(positions, table, levels, will_go_back)
    return out


def layout(
    resolutions: Sequence[Sequence[float]], *, log2_size: int, shift: float = 0.0
) -> tuple[Level, ...]:
    """Lay out a table: dense levels where all grid points fit in, hashed ones above.

    Args:
        resolutions: For each level the grid points along each axis, at least 2; where they are no
            whole numbers the cells still are of that size and the points are rounded up. With
            ``shift`` 0.5 and a geometric series they are those of tiny-cuda-nn.
        log2_size: The most entries of a level are 2 to this power.
        shift: Of each grid, in cells.
    """
    levels: list[Level] = []
    start = 0
    for resolution in resolutions:
        points = tuple(math.ceil(count - 1) + 1 for count in resolution)
        entries = math.ceil(math.prod(points) / _ROUNDED_TO) * _ROUNDED_TO
        dense = entries <= 2**log2_size
        levels.append(
            Level(
                start=start,
                size=entries if dense else 2**log2_size,
                scales=tuple(count - 1 for count in resolution),
                shift=shift,
                points=points if dense else None,
            )
        )
        start += levels[-1].size
    return tuple(levels)


class HashGrid(nn.Module):
    """A table and its layout.

    Attributes:
        levels: Where the levels' entries lie in the table.
        table: The entries: (entries, features).
    """

    def __init__(
        self, levels: Sequence[Level], *, features: int = 2, generator: torch.Generator
    ) -> None:
        """Draw a table.

        Args:
            levels: As ``layout`` makes them.
            features: Of each level.
            generator: On the CPU, so that every device starts alike.
        """
        super().__init__()
        self.levels = tuple(levels)
        entries = self.levels[-1].start + self.levels[-1].size
        drawn = torch.rand(entries, features, generator=generator)
        self.table = nn.Parameter((drawn * 2 - 1) * _START)

    @property
    def width(self) -> int:
        """How many numbers describe a point."""
        return len(self.levels) * self.table.shape[1]

    def forward(self, positions: Float[Tensor, "n d"]) -> Float[Tensor, "n lf"]:
        """Return the features of points in the unit square or cube."""
        return interpolated(positions, self.table, self.levels)
