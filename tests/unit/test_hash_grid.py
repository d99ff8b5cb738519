"""The shared hash grid against a slow reference, finite differences and the published sizes."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from image_core.hash_grid import HashGrid, interpolated, layout  # noqa: E402
from video.hash_settings import geometric  # noqa: E402

PRIMES = (1, 2654435761, 805459861)


def _table(levels: Any, features: int = 2, seed: int = 0) -> Any:
    entries = levels[-1].start + levels[-1].size
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(entries, features, dtype=torch.float64, generator=generator)


def _points(count: int, axes: int, seed: int = 1) -> Any:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(count, axes, dtype=torch.float64, generator=generator)


def _slow(point: list[float], table: Any, levels: Any) -> list[float]:
    """Müller et al.'s equations (3) and (4) and the interpolation, one number at a time."""
    out: list[float] = []
    for level in levels:
        scaled = [x * scale + level.shift for x, scale in zip(point, level.scales, strict=True)]
        total = [0.0] * table.shape[1]
        for corner in itertools.product((0, 1), repeat=len(point)):
            at = [math.floor(x) + end for x, end in zip(scaled, corner, strict=True)]
            share = math.prod(
                x - math.floor(x) if end else 1 - (x - math.floor(x))
                for x, end in zip(scaled, corner, strict=True)
            )
            if share == 0:
                continue
            if level.points is None:
                entry = 0
                for x, prime in zip(at, PRIMES, strict=False):
                    entry ^= (x * prime) % 2**32
                entry %= level.size
            else:
                entry, stride = 0, 1
                for x, count in zip(at, level.points, strict=True):
                    entry += min(max(x, 0), count - 1) * stride
                    stride *= count
            for feature in range(len(total)):
                total[feature] += share * float(table[level.start + entry, feature])
        out += total
    return out


@pytest.mark.parametrize("axes", [2, 3])
@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_features_are_those_of_a_slow_reference(axes: int, shift: float) -> None:
    resolutions = [(count,) * axes for count in geometric(4, 1.44, 6)]
    levels = layout(resolutions, log2_size=7, shift=shift)
    assert {level.points is None for level in levels} == {True, False}
    table, points = _table(levels, 3), _points(200, axes)
    points[:4] = torch.tensor([[0.0], [1.0], [0.5], [0.25]])
    expected = torch.tensor([_slow(point, table, levels) for point in points.tolist()])
    assert (interpolated(points, table, levels) - expected).abs().max() < 1e-6


@pytest.mark.parametrize("axes", [2, 3])
def test_gradients_are_finite_differences(axes: int) -> None:
    levels = layout([(2,) * axes, (5,) * axes], log2_size=3)
    assert [level.points is None for level in levels] == [False, True]
    table = _table(levels).requires_grad_()
    points = _points(3, axes).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda places, entries: interpolated(places, entries, levels),
        (points, table),
        eps=1e-6,
        atol=1e-5,
    )


def test_the_sizes_are_tiny_cuda_nns_for_codefs_two_grids() -> None:
    flat = layout([(count,) * 2 for count in geometric(16, 1.44, 16)], log2_size=19, shift=0.5)
    deep = layout([(count,) * 3 for count in geometric(16, 1.38, 16)], log2_size=19, shift=0.5)
    dense = [level.points[0] for level in flat if level.points is not None]
    assert dense == [16, 24, 34, 48, 69, 100, 143, 206, 296, 426, 614]
    assert [level.points[0] for level in deep if level.points is not None] == [16, 23, 31, 43, 59]
    assert [math.ceil(level.scales[0]) + 1 for level in flat[11:]] == [884, 1272, 1832, 2638, 3799]
    assert math.ceil(deep[-1].scales[0]) + 1 == 2006
    values = [2 * (levels[-1].start + levels[-1].size) for levels in (flat, deep)]
    assert [round(count / 1e6, 2) for count in values] == [6.70, 12.20]


def test_levels_do_not_overlap_and_fill_the_table() -> None:
    levels = layout([(4, 5, 3), (8, 9, 4), (16, 18, 6), (32, 40, 9)], log2_size=9)
    for before, after in itertools.pairwise(levels):
        assert after.start == before.start + before.size
    assert [level.points for level in levels] == [(4, 5, 3), (8, 9, 4), None, None]
    assert [level.size for level in levels[2:]] == [512, 512]


def test_a_dense_level_gives_each_grid_point_a_value_of_its_own() -> None:
    (level,) = levels = layout([(5, 4)], log2_size=10)
    table = torch.arange(float(level.size))[:, None]
    x, y = torch.meshgrid(torch.arange(5) / 4, torch.arange(4) / 3, indexing="xy")
    read = interpolated(torch.stack((x, y), dim=-1).reshape(-1, 2), table, levels)[:, 0]
    assert torch.allclose(read, torch.arange(20.0), atol=1e-5)


def test_beyond_the_unit_square_a_dense_level_repeats_its_border() -> None:
    levels = layout([(5, 4)], log2_size=10)
    table = _table(levels)
    outside = torch.tensor([[-3.0, 0.4], [7.0, 0.4], [0.3, 9.0]], dtype=torch.float64)
    border = outside.clamp(0, 1)
    read = interpolated(outside, table, levels)
    assert torch.allclose(read, interpolated(border, table, levels))


def test_a_grid_starts_small_and_alike_for_one_seed() -> None:
    levels = layout([(8, 8), (16, 16)], log2_size=8)
    grids = [
        HashGrid(levels, features=4, generator=torch.Generator().manual_seed(seed))
        for seed in (3, 3, 4)
    ]
    assert torch.equal(grids[0].table, grids[1].table)
    assert not torch.equal(grids[0].table, grids[2].table)
    assert 0.9e-4 < grids[0].table.abs().max() <= 1e-4
    assert grids[0](torch.rand(5, 2)).shape == (5, 8)
    assert grids[0].width == 8


def test_no_points_give_no_features_and_a_zero_gradient() -> None:
    levels = layout([(8, 8), (16, 16)], log2_size=8)
    grid = HashGrid(levels, generator=torch.Generator().manual_seed(0))
    features = grid(torch.zeros(0, 2))
    assert features.shape == (0, 4)
    features.sum().backward()
    assert not grid.table.grad.any()
