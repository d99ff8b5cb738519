"""The quick hash grid is nerfstudio's own function, with its parameter and its gradients."""

from __future__ import annotations

import copy
import io
from typing import Any

import pytest

torch = pytest.importorskip("torch")
encodings = pytest.importorskip("nerfstudio.field_components.encodings")

from nerf.hash_encoding import FastHashEncoding, accelerate  # noqa: E402

GRIDS = [
    {"num_levels": 1, "min_res": 4, "max_res": 4, "log2_hashmap_size": 5},
    {"num_levels": 4, "min_res": 16, "max_res": 128, "log2_hashmap_size": 11},
    {"num_levels": 8, "min_res": 16, "max_res": 512, "log2_hashmap_size": 15},
    {"num_levels": 16, "min_res": 16, "max_res": 4096, "log2_hashmap_size": 12},
    {"num_levels": 3, "min_res": 8, "max_res": 64, "log2_hashmap_size": 9, "features_per_level": 1},
    {"num_levels": 3, "min_res": 8, "max_res": 64, "log2_hashmap_size": 9, "features_per_level": 5},
]


def _pair(grid: dict[str, int], *, position_gradient: bool = False) -> tuple[Any, Any]:
    """Return nerfstudio's grid and a quick copy of it, with features as large as trained ones."""
    torch.manual_seed(0)
    stock = encodings.HashEncoding(**grid, hash_init_scale=1.0, implementation="torch")
    quick = copy.deepcopy(stock)
    assert accelerate(quick, position_gradient=position_gradient) == 1
    return stock, quick


def _points(count: int, seed: int = 0) -> Any:
    """Return points in [0, 1]^3: inside, on grid planes, on the border and in its corners."""
    generator = torch.Generator().manual_seed(seed)
    points = torch.rand(count, 3, generator=generator)
    points[: count // 4] = torch.randint(0, 17, (count // 4, 3), generator=generator) / 16
    points[-8:] = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * 3)
    return points


def _gradients(encoding: Any, points: Any, seed: int = 1) -> tuple[Any, Any, Any]:
    points = points.clone().requires_grad_()
    encoding.hash_table.grad = None
    out = encoding(points)
    weights = torch.randn(out.shape, generator=torch.Generator().manual_seed(seed))
    out.backward(weights)
    return out.detach(), encoding.hash_table.grad, points.grad


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("count", [8, 999, 20_000])
def test_features_and_table_gradients_are_nerfstudios(grid: dict[str, int], count: int) -> None:
    stock, quick = _pair(grid)
    points = _points(count)
    out, table, _ = _gradients(stock, points)
    quick_out, quick_table, quick_points = _gradients(quick, points)
    assert out.shape == quick_out.shape
    assert (out - quick_out).abs().max() <= 1e-6
    assert (table - quick_table).abs().max() <= 1e-5 * table.abs().max()
    assert quick_points is None


@pytest.mark.parametrize("grid", GRIDS)
def test_position_gradients_are_nerfstudios_when_asked_for(grid: dict[str, int]) -> None:
    stock, quick = _pair(grid, position_gradient=True)
    points = _points(9000)
    _, table, place = _gradients(stock, points)
    _, quick_table, quick_place = _gradients(quick, points)
    assert place.abs().max() > 1
    assert (place - quick_place).abs().max() <= 1e-5 * place.abs().max()
    assert (table - quick_table).abs().max() <= 1e-5 * table.abs().max()


def test_position_gradients_are_the_slope_of_the_function() -> None:
    _, quick = _pair(
        {"num_levels": 2, "min_res": 3, "max_res": 5, "log2_hashmap_size": 8},
        position_gradient=True,
    )
    quick.double()
    points = torch.rand(6, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    points.requires_grad_()
    assert torch.autograd.gradcheck(quick, (points,), eps=1e-6, atol=1e-5)


@pytest.mark.parametrize("shape", [(3,), (5, 3), (2, 7, 3), (2, 3, 4, 3), (0, 3), (4, 0, 3)])
def test_any_batch_shape_is_kept(shape: tuple[int, ...]) -> None:
    stock, quick = _pair(GRIDS[1])
    points = torch.rand(shape, generator=torch.Generator().manual_seed(4))
    assert quick(points).shape == stock(points).shape
    torch.testing.assert_close(quick(points), stock(points), atol=1e-6, rtol=0)
    quick(points).sum().backward()


def test_points_outside_the_unit_cube_are_hashed_alike() -> None:
    stock, quick = _pair(GRIDS[2])
    points = torch.rand(500, 3, generator=torch.Generator().manual_seed(5)) * 6 - 3
    torch.testing.assert_close(quick(points), stock(points), atol=1e-5, rtol=0)


def test_without_gradients_the_features_are_the_same_bits() -> None:
    _, quick = _pair(GRIDS[2])
    points = _points(3000)
    with torch.no_grad():
        rendered = quick(points)
    assert not rendered.requires_grad
    assert torch.equal(rendered, quick(points).detach())


def test_a_frozen_table_still_gives_position_gradients() -> None:
    _, quick = _pair(GRIDS[1], position_gradient=True)
    points = _points(100)
    expected = _gradients(quick, points)[2]
    quick.hash_table.requires_grad_(False)
    quick.hash_table.grad = None
    assert torch.equal(_gradients(quick, points)[2], expected)
    assert quick.hash_table.grad is None


def test_the_bits_are_the_same_in_every_run_and_with_any_number_of_threads() -> None:
    points = _points(20_000)
    before = torch.get_num_threads()
    runs = []
    try:
        for threads in (1, 2, 1):
            torch.set_num_threads(threads)
            _, quick = _pair(GRIDS[1], position_gradient=True)
            runs.append(_gradients(quick, points))
    finally:
        torch.set_num_threads(before)
    for run in runs[1:]:
        assert all(torch.equal(one, first) for one, first in zip(run, runs[0], strict=True))


def test_every_reference_keys_and_values_stay() -> None:
    from nerfstudio.field_components.mlp import MLPWithHashEncoding

    torch.manual_seed(0)
    part = MLPWithHashEncoding(num_levels=2, log2_hashmap_size=6, out_dim=3, implementation="torch")
    before = {key: value.clone() for key, value in part.state_dict().items()}
    parameters = [id(one) for one in part.parameters()]
    assert accelerate(part, position_gradient=False) == 1
    assert accelerate(part, position_gradient=False) == 1  # the same again
    after = part.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[key], before[key]) for key in before)
    assert [id(one) for one in part.parameters()] == parameters
    assert isinstance(part.model[0], FastHashEncoding)


def test_weights_go_both_ways_and_modules_can_be_pickled() -> None:
    stock, quick = _pair(GRIDS[1])
    other = encodings.HashEncoding(**GRIDS[1], implementation="torch")
    other.load_state_dict(quick.state_dict())
    assert torch.equal(other.hash_table, stock.hash_table)
    file = io.BytesIO()
    torch.save(quick, file)
    file.seek(0)
    again = torch.load(file, weights_only=False)
    points = _points(50)
    assert isinstance(again, FastHashEncoding)
    assert torch.equal(again(points), quick(points))


def test_other_encodings_are_left_alone() -> None:
    class Own(encodings.HashEncoding):  # type: ignore[name-defined, misc]
        pass

    own = Own(num_levels=2, log2_hashmap_size=6, implementation="torch")
    parts = torch.nn.ModuleList([own, torch.nn.Linear(3, 3), encodings.SHEncoding(levels=2)])
    assert accelerate(parts, position_gradient=False) == 0
    assert type(own) is Own


def _field() -> Any:
    from nerfstudio.fields.nerfacto_field import NerfactoField

    torch.manual_seed(0)
    return NerfactoField(
        aabb=torch.tensor([[-1.0, -1.0, -1.0], [1.0, 1.0, 1.0]]),
        num_images=2,
        num_levels=4,
        max_res=64,
        log2_hashmap_size=10,
        hidden_dim=16,
        hidden_dim_color=16,
        appearance_embedding_dim=0,
        implementation="torch",
    )


def test_a_whole_nerfacto_field_gives_the_same_densities_colours_and_gradients() -> None:
    from nerfstudio.cameras.rays import RayBundle

    generator = torch.Generator().manual_seed(6)
    bundle = RayBundle(
        origins=torch.rand(40, 3, generator=generator) - 0.5,
        directions=torch.nn.functional.normalize(torch.randn(40, 3, generator=generator), dim=-1),
        pixel_area=torch.ones(40, 1),
        camera_indices=torch.zeros(40, 1, dtype=torch.int64),
    )
    edges = torch.linspace(0.05, 1, 13).expand(40, 13)[..., None]
    samples = bundle.get_ray_samples(bin_starts=edges[:, :-1], bin_ends=edges[:, 1:])
    results = []
    for quick in (False, True):
        field = _field()
        with torch.no_grad():
            field.mlp_base.model[0].hash_table.mul_(1e3)
        if quick:
            assert accelerate(field, position_gradient=False) == 1
        outputs = {str(key): value for key, value in field(samples).items()}
        sum(value.sum() for value in outputs.values()).backward()
        gradients = {key: value.grad for key, value in field.named_parameters()}
        results.append((outputs, gradients))
    for stock_part, quick_part in zip(*results, strict=True):
        assert stock_part.keys() == quick_part.keys()
        for key, expected in stock_part.items():
            if expected is not None:
                torch.testing.assert_close(quick_part[key], expected, atol=1e-5, rtol=1e-4)
    assert len(results[0][0]) == 2
