"""The maths that the diffusion editors share."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from diffusers import DDIMScheduler  # noqa: E402

from image_core.diffusion.ddim import as_noise, moved, noised  # noqa: E402
from image_core.diffusion.guidance import guided, guided_by_two  # noqa: E402
from image_core.diffusion.keyed_noise import keyed_noise  # noqa: E402
from image_core.diffusion.latent_masks import covered_share, latent_masks  # noqa: E402
from image_core.diffusion.schedule import Schedule, used_steps  # noqa: E402
from image_core.diffusion.trajectories import TrajectoryCache, extended, inverted  # noqa: E402
from image_core.disk_cache import DiskCache  # noqa: E402
from image_core.errors import InvalidInput  # noqa: E402

CONFIG = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "clip_sample": False,
    "set_alpha_to_one": False,
    "steps_offset": 1,
}


@pytest.fixture(scope="module")
def schedule():
    return Schedule.from_config(CONFIG)


def latents(count=2, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, 4, 8, 8, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("spacing", ["leading", "trailing", "linspace"])
@pytest.mark.parametrize("steps", [1, 7, 16, 50])
def test_levels_are_the_schedulers_time_steps(spacing, steps):
    config = {**CONFIG, "timestep_spacing": spacing}
    scheduler = DDIMScheduler.from_config(config)
    scheduler.set_timesteps(steps)
    levels = Schedule.from_config(config).levels(steps)
    assert [level.time for level in levels[:0:-1]] == scheduler.timesteps.tolist()
    assert levels[0].alpha == pytest.approx(float(scheduler.final_alpha_cumprod))


def test_a_move_down_is_the_schedulers_step(schedule):
    scheduler = DDIMScheduler.from_config(CONFIG)
    scheduler.set_timesteps(10)
    levels = schedule.levels(10)
    x, noise = latents().float(), latents(seed=1).float()
    for k in (10, 4, 1):
        expected = scheduler.step(noise, levels[k].time, x).prev_sample
        torch.testing.assert_close(moved(x, noise, levels[k], levels[k - 1]), expected)


def test_moving_up_and_down_along_one_noise_ends_where_it_began(schedule):
    levels = schedule.levels(50)
    x, noise = latents(), latents(seed=1)
    up = x
    for k in range(1, 51):
        up = moved(up, noise, levels[k - 1], levels[k])
    down = up
    for k in range(50, 0, -1):
        down = moved(down, noise, levels[k], levels[k - 1])
    torch.testing.assert_close(down, x, atol=1e-10, rtol=0)
    assert not torch.allclose(up, x, atol=0.1)


def test_noising_is_undone_by_its_own_noise(schedule):
    level = schedule.levels(20)[13]
    x, noise = latents(), latents(seed=1)
    clean = moved(noised(x, noise, level), noise, level, schedule.levels(20)[0])
    expected = noised(x, noise, schedule.levels(20)[0])
    torch.testing.assert_close(clean, expected)


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction", "sample"])
def test_what_a_network_predicts_is_read_as_noise(schedule, prediction):
    level = schedule.levels(20)[13]
    x, noise = latents(), latents(seed=1)
    noisy = noised(x, noise, level)
    velocity = level.alpha**0.5 * noise - (1 - level.alpha) ** 0.5 * x
    output = {"epsilon": noise, "v_prediction": velocity, "sample": x}[prediction]
    torch.testing.assert_close(as_noise(output, noisy, level, prediction), noise)


def test_guidance_of_one_is_the_condition_alone():
    a, b, c = latents(), latents(seed=1), latents(seed=2)
    torch.testing.assert_close(guided(a, b, 1.0), b)
    torch.testing.assert_close(guided(a, b, 0.0), a)
    torch.testing.assert_close(guided_by_two(a, b, c, image_scale=1.0, text_scale=1.0), c)
    torch.testing.assert_close(guided_by_two(a, b, c, image_scale=1.0, text_scale=0.0), b)


@pytest.mark.parametrize(
    ("steps", "ratio", "used"),
    [(50, 0.5, 25), (50, 0.58, 29), (50, 0.001, 1), (50, 1.0, 50), (10, 0.25, 3), (1, 0.5, 1)],
)
def test_a_ratio_uses_the_nearest_number_of_steps(steps, ratio, used):
    assert used_steps(steps, ratio) == used


@pytest.mark.parametrize("steps", [0, -1, 1001])
def test_steps_that_no_schedule_has_are_refused(schedule, steps):
    with pytest.raises(InvalidInput):
        schedule.levels(steps)


def test_a_folder_without_a_schedule_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match="scheduler_config"):
        Schedule.from_folder(tmp_path)
    (tmp_path / "scheduler").mkdir()
    (tmp_path / "scheduler" / "scheduler_config.json").write_text('{"prediction_type": "flow"}')
    with pytest.raises(InvalidInput):
        Schedule.from_folder(tmp_path)


def test_noise_depends_on_the_key_alone():
    like = torch.zeros(1)
    both = keyed_noise((4, 8, 8), [7, 9], "start", like)
    other_way = keyed_noise((4, 8, 8), [9, 7], "start", like)
    assert torch.equal(both[0], other_way[1])
    assert torch.equal(both[1], keyed_noise((4, 8, 8), [9], "start", like)[0])
    assert not torch.equal(both[0], both[1])
    assert not torch.equal(both[:1], keyed_noise((4, 8, 8), [7], "contrast", like))
    assert both.std() == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("width", [1, 3, 7, 8, 9])
def test_a_thin_stripe_keeps_every_cell_it_touches(width):
    for start in range(8):
        mask = np.zeros((64, 64), np.float32)
        mask[:, 16 + start : 16 + start + width] = 0.01
        cells = latent_masks([mask], 8, torch.zeros(1))[0, 0, 0]
        touched = (np.flatnonzero(mask[0]) // 8).tolist()
        assert torch.nonzero(cells)[:, 0].tolist() == sorted(set(touched))


def test_a_mask_on_the_cells_grid_keeps_its_area():
    mask = np.zeros((64, 64), np.float32)
    mask[8:32, 16:40] = 1
    assert covered_share(mask, 8) == mask.mean()


def test_a_path_goes_on_from_where_it_was_known(schedule):
    levels = schedule.levels(10)
    calls = []

    def noise(x, level, whose):
        calls.append((level.index, tuple(whose)))
        return torch.sin(x)

    whole = inverted(latents(), lambda x, level: torch.sin(x), levels, 6)
    short = [whole[:4, 0], whole[:1, 1]]
    paths = extended(short, noise, levels, 6)
    torch.testing.assert_close(torch.stack(paths, dim=1), whole)
    assert calls == [(1, (1,)), (2, (1,)), (3, (1,)), (4, (0, 1)), (5, (0, 1)), (6, (0, 1))]


def test_a_cached_path_is_the_same_bits_and_a_torn_one_is_not_used(tmp_path):
    store = DiskCache(name="paths", suffix=".npy", root=tmp_path)
    cache = TrajectoryCache(store=store)
    path = latents(5).float()
    cache.put("k", path)
    assert torch.equal(cache.get("k", path[0]), path)
    assert len(cache.get("k", path[0] + 1)) == 1  # it starts elsewhere
    assert len(cache.get("other", path[0])) == 1
    file = store.folder / "k.npy"
    file.write_bytes(file.read_bytes()[:-9])
    assert torch.equal(cache.get("k", path[0]), path[:1])
    cache.put("nan", path * float("nan"))
    assert store.get("nan") is None
