"""The losses of the hash fields: right units, nothing from nothing, and annealing's table."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from image_core.errors import InvalidInput  # noqa: E402
from video import losses  # noqa: E402
from video.annealing import Annealing  # noqa: E402
from video.hash_settings import FAITHFUL  # noqa: E402


def test_codefs_annealing_opens_the_levels_at_its_steps() -> None:
    def opened(step: int) -> list[float]:
        return FAITHFUL.annealing.weights(step, 10_000, 16)

    assert opened(0) == opened(4000) == [0.0] * 16
    assert opened(4125) == pytest.approx([0.5] + [0.0] * 15)
    assert opened(6000) == pytest.approx([1.0] * 8 + [0.0] * 8)
    assert opened(8000) == opened(10_000) == [1.0] * 16


def test_annealing_goes_by_the_share_of_the_training() -> None:
    annealing = Annealing(first=2, start=0.0, length=0.5)
    assert annealing.weights(0, 400, 4) == [1, 1, 0, 0]
    assert annealing.weights(50, 400, 4) == pytest.approx([1, 1, 0.5, 0])
    assert annealing.weights(200, 400, 4) == [1, 1, 1, 1]
    assert Annealing(first=0, start=0, length=0).weights(0, 10, 3) == [1, 1, 1]


@pytest.mark.parametrize("values", [{"start": -0.1}, {"length": 0.7}, {"first": -1}])
def test_annealing_that_does_not_end_is_refused(values: dict[str, float]) -> None:
    with pytest.raises(InvalidInput):
        Annealing(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize("sides", [(1.0, 1.0), (1.0, 54 / 96)])
def test_the_flow_loss_is_zero_for_the_true_translation_only(sides: tuple[float, float]) -> None:
    """A translation by (dx, dy) px on a clip of 96x54: c(p, t) = p - t (dx, dy)."""
    width, height, shift = 96, 54, torch.tensor((6.0, -3.0))
    size = torch.tensor((float(width), float(height)))
    x, y = torch.meshgrid(torch.arange(width), torch.arange(height), indexing="xy")
    pixels = torch.stack((x, y), dim=-1).reshape(-1, 2).float()

    def canonical(shares: torch.Tensor, time: float) -> torch.Tensor:
        return shares - time * shift / size

    def loss(end: torch.Tensor) -> float:
        here = canonical((pixels + 0.5) / size, 3.0)
        weight = torch.ones(len(pixels))
        return losses.ends_apart(
            here, canonical(end, 4.0), weight, sides=torch.tensor(sides)
        ).item()

    right = (pixels + shift + 0.5) / size
    swapped = (pixels + 0.5) / size + shift / size.flip(0)
    assert loss(right) < 1e-6
    assert loss(swapped) > 0.02


def test_the_flow_loss_counts_by_confidence() -> None:
    here, there = torch.zeros(4, 2), torch.tensor([[0.0, 0.0], [0.1, 0.0], [9.0, 9.0], [0.0, 0.2]])
    sides = torch.ones(2)
    trust = torch.tensor([1.0, 0.5, 0.0, 0.5])
    assert losses.ends_apart(here, there, trust, sides=sides).item() == pytest.approx(0.15 / 2)


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_nothing_selected_gives_zero_whatever_the_values(size: int) -> None:
    seen = torch.full((2, size, size, 3), float("nan"), requires_grad=True)
    wanted = torch.zeros(2, size, size, 3)
    none = torch.zeros(2, size, size)
    flat = seen.reshape(-1, 3)
    total = (
        losses.colour_difference(flat, wanted.reshape(-1, 3), none.reshape(-1))
        + losses.ends_apart(
            flat[:, :2], wanted.reshape(-1, 3)[:, :2], none.reshape(-1), sides=torch.ones(2)
        )
        + losses.beyond_window(flat[:, :2], none.reshape(-1))
        + losses.folding(seen[..., :2], none)
        + losses.roughness(seen[..., :2], none)
    )
    assert total.item() == 0


def test_an_empty_mask_leaves_the_weights_finite() -> None:
    layer = torch.nn.Linear(2, 3)
    seen = layer(torch.rand(9, 2))
    nothing = torch.zeros(9)
    loss = losses.colour_difference(seen, torch.rand(9, 3), nothing) + losses.gradient_difference(
        seen.view(1, 3, 3, 3), torch.rand(1, 3, 3, 3), nothing.view(1, 3, 3)
    )
    loss.backward()
    assert loss.item() == 0
    assert all(torch.isfinite(value.grad).all() for value in layer.parameters())


def test_colours_differ_squarely_near_and_linearly_far() -> None:
    wanted, weight = torch.zeros(1, 3), torch.ones(1)

    def loss(value: float, noise: float | None) -> float:
        return losses.colour_difference(
            torch.full((1, 3), value), wanted, weight, noise=noise
        ).item()

    assert loss(0.5, None) == pytest.approx(0.25)
    assert loss(0.05, 0.1) == pytest.approx(0.0025)
    assert loss(0.5, 0.1) == pytest.approx(2 * 0.1 * 0.5 - 0.01)


def test_sobel_gives_a_ramps_slope_along_x_then_y() -> None:
    x, y = torch.meshgrid(torch.arange(7.0), torch.arange(5.0), indexing="xy")
    ramp = (0.03 * x - 0.02 * y)[None, ..., None].expand(1, 5, 7, 3)
    slopes = losses.sobel(ramp)
    assert slopes.shape == (1, 2, 3, 5)
    assert torch.allclose(slopes[0, 0], torch.tensor(0.03), atol=1e-6)
    assert torch.allclose(slopes[0, 1], torch.tensor(-0.02), atol=1e-6)


def test_a_gradient_counts_as_the_least_of_its_pixels() -> None:
    generator = torch.Generator().manual_seed(0)
    seen, wanted = torch.rand(2, 1, 5, 5, 3, generator=generator)
    weight = torch.ones(1, 5, 5)
    weight[0, 0, 0] = 0
    kept = (losses.sobel(seen) - losses.sobel(wanted)).abs().mean(dim=1).flatten()[1:]
    found = losses.gradient_difference(seen, wanted, weight)
    assert found.item() == pytest.approx(kept.mean().item(), rel=1e-5)


def test_area_is_that_of_the_numpy_measure() -> None:
    from video.warping import fold_measure

    places = np.random.default_rng(0).normal(size=(6, 8, 2)).astype(np.float32)
    found = losses.area(torch.from_numpy(places)[None])[0].numpy()
    assert np.allclose(found, fold_measure(places)[:-1, :-1], atol=1e-5)


def test_only_cells_that_shrink_or_fold_are_punished() -> None:
    x, y = torch.meshgrid(torch.arange(4.0), torch.arange(4.0), indexing="xy")
    places = torch.stack((x, y), dim=-1)[None]
    weight = torch.ones(1, 4, 4)
    assert losses.folding(places, weight).item() == 0
    mirrored = places * torch.tensor((-1.0, 1.0))
    assert losses.folding(mirrored, weight).item() == pytest.approx(1 + losses.LEAST_AREA)
    assert losses.roughness(mirrored - places, weight).item() == pytest.approx(4.0)


def test_places_within_the_window_cost_nothing() -> None:
    unit = torch.tensor([[0.0, 1.0], [0.5, 0.5], [1.25, -0.5]])
    assert losses.beyond_window(unit, torch.tensor([1.0, 1.0, 0.0])).item() == 0
    assert losses.beyond_window(unit, torch.ones(3)).item() == pytest.approx(0.25)
