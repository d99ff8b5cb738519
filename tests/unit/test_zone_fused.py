"""ZONE's two networks: the published numbers, one way of drawing, and what is never run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")

from torch import Tensor  # noqa: E402

from image_core.devices import Placement  # noqa: E402
from image_core.diffusion.keyed_noise import keyed_noise  # noqa: E402
from image_core.diffusion.network import LatentDiffusion  # noqa: E402
from image_core.diffusion.schedule import Schedule  # noqa: E402
from image_core.diffusion.text import TextEmbedding, TextEncoders  # noqa: E402
from image_core.editors.generative.tasks import Task  # noqa: E402
from image_core.editors.generative.ticks import Ticks  # noqa: E402
from image_core.editors.instruct_pix2pix import InstructPix2PixConfig  # noqa: E402
from image_core.editors.instruct_pix2pix.method import InstructPix2Pix  # noqa: E402
from image_core.editors.zone.fused import Given, beta_of, blended, fused, start_of  # noqa: E402
from image_core.editors.zone.second import load_second  # noqa: E402
from image_core.editors.zone.solver import DpmSolver  # noqa: E402
from image_core.errors import EditCancelled, InvalidInput, MissingWeights  # noqa: E402
from image_core.evaluations import counting  # noqa: E402
from image_core.testing.miniature.stable_diffusion import write_stable_diffusion  # noqa: E402
from image_core.types import EditStep  # noqa: E402

STABLE_DIFFUSION = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
SOLVER = DpmSolver.from_config(STABLE_DIFFUSION)


def linear(latents: float, seen: float, text: float) -> LatentDiffusion:
    """Return the brief's stub as the UNet of a checkpoint: a x[:4] + b x[4:8] + c mean(text)."""

    def unet(sent: Tensor, _time: Tensor, **named: Any) -> tuple[Tensor]:
        mean = named["encoder_hidden_states"].mean(dim=(1, 2))[:, None, None, None]
        return (latents * sent[:, :4] + seen * sent[:, 4:8] + text * mean,)

    return LatentDiffusion(
        unet=unet,
        vae=SimpleNamespace(config=SimpleNamespace(latent_channels=4)),
        text=TextEncoders(tokenizers=[], encoders=[]),
        schedule=Schedule.from_config(STABLE_DIFFUSION),
        placement=Placement(device=torch.device("cpu"), dtype=torch.float32),
    )


FIRST, SECOND = (0.9, 0.1, 0.05), (0.85, -0.1, 0.02)


def published_case() -> tuple[Tensor, Given]:
    down, across = np.mgrid[:64, :64]
    image = np.stack([4 * across, 4 * down, 2 * (across + down)], axis=-1).astype(np.uint8)
    pixels = torch.from_numpy(image).permute(2, 0, 1)[None] / 127.5 - 1
    pooled = torch.nn.functional.avg_pool2d(pixels, 8)
    sources = torch.cat([pooled, pooled.mean(dim=1, keepdim=True)], dim=1)
    start = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(42))
    told, untold = (TextEmbedding(hidden=make(1, 77, 8)) for make in (torch.ones, torch.zeros))
    return start, Given(told=told, untold=untold, sources=sources)


def run(
    first: tuple[float, float, float] = FIRST,
    second: tuple[float, float, float] | None = SECOND,
    *,
    beta: float = 0.2,
    steps: int = 20,
) -> Tensor:
    start, given = published_case()
    other = linear(*second).predict if second else None
    return fused(start, linear(*first).predict, other, given, SOLVER.path(steps), beta=beta)


def test_it_gives_the_released_samplers_numbers() -> None:
    latents = run()
    assert float(latents.mean()) == pytest.approx(-0.422669, abs=1e-6)
    assert float(latents.std()) == pytest.approx(0.788605, abs=1e-6)
    first = [0.86939, 0.57377, 0.16184, -2.16538]
    np.testing.assert_allclose(latents.flatten()[:4], first, atol=1e-5)


def test_swapped_networks_give_other_numbers() -> None:
    assert abs(float(run(SECOND, FIRST).mean()) + 0.422669) > 1e-2


def test_without_a_weight_the_first_networks_path_is_kept_exactly() -> None:
    alone = run(second=None, beta=0)
    assert torch.equal(run(beta=0), alone)
    assert torch.equal(blended(alone, run(SECOND, None, beta=0), 0), alone)
    assert not torch.allclose(run(beta=0.01), alone, atol=1e-4)


def test_under_an_immense_weight_the_second_networks_latent_is_returned() -> None:
    alone = run(SECOND, second=None, beta=0)
    torch.testing.assert_close(run(beta=1e9), alone, atol=1e-5, rtol=0)


def test_every_step_of_a_long_run_is_taken_down_from_pure_noise() -> None:
    times = [level.time for level in SOLVER.path(60).levels]
    assert len(times) == 60
    assert times[0] == 999
    assert times == sorted(times, reverse=True)
    start, given = published_case()
    with counting() as rows:
        fused(start, linear(*FIRST).predict, None, given, SOLVER.path(60), beta=0)
    assert rows["unet"] == 3 * 60


@pytest.mark.parametrize(
    ("recipe", "removing", "beta", "rows"),
    [
        ("paper-code", True, 0.2, 120),
        ("paper-code", False, 0.01, 120),
        ("fixed", True, 0.2, 120),
        ("fixed", False, 0.0, 60),
    ],
)
def test_the_second_network_runs_only_where_it_counts(
    recipe: Any, removing: bool, beta: float, rows: int
) -> None:
    chosen = beta_of(removing=removing, recipe=recipe)
    assert chosen == beta
    start, given = published_case()
    with counting() as counted:
        fused(
            start,
            linear(*FIRST).predict,
            linear(*SECOND).predict,
            given,
            SOLVER.path(20),
            beta=chosen,
        )
    assert counted["unet"] == rows


def test_the_users_weight_counts_as_the_recipe_says() -> None:
    assert beta_of(removing=True, recipe="paper-code", asked=0.5) == 0.5
    assert beta_of(removing=False, recipe="paper-code", asked=0.5) == 0.01
    assert beta_of(removing=False, recipe="fixed", asked=0.5) == 0.5
    for wrong in (-0.1, float("nan"), float("inf")):
        with pytest.raises(InvalidInput, match="beta"):
            beta_of(removing=True, recipe="fixed", asked=wrong)


def test_a_weight_without_a_network_is_refused() -> None:
    with pytest.raises(InvalidInput, match="second network"):
        run(second=None, beta=0.2)


def test_rows_come_as_instruction_picture_and_neither() -> None:
    seen: list[tuple[Tensor, Tensor]] = []

    def network(latents: Tensor, level: Any, text: TextEmbedding, *, joined: Tensor) -> Tensor:
        seen.append((text.hidden.mean(dim=(1, 2)), joined))
        return torch.zeros_like(latents)

    start, given = published_case()
    fused(start, network, None, given, SOLVER.path(1), beta=0)
    text, joined = seen[0]
    assert text.tolist() == [1, 0, 0]
    assert torch.equal(joined[0], given.sources[0])
    assert torch.equal(joined[1], given.sources[0])
    assert not joined[2].any()


def test_a_strength_below_one_starts_from_the_noised_picture() -> None:
    path = SOLVER.path(20, 0.5)
    assert [level.time for level in path.levels] == [
        level.time for level in SOLVER.path(20).levels[10:]
    ]
    clean, noise = torch.randn(2, 1, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    alpha = path.levels[0].alpha
    expected = alpha**0.5 * clean + (1 - alpha) ** 0.5 * noise
    torch.testing.assert_close(start_of(noise, path, clean), expected)
    assert start_of(noise, path) is noise
    # the solver is exact where the noise is known: it leads back to the picture
    _, given = published_case()
    path = SOLVER.path(20, 0.3)

    def knowing(latents: Tensor, level: Any, text: Any, *, joined: Tensor) -> Tensor:
        return noise.repeat(3, 1, 1, 1)

    back = fused(start_of(noise, path, clean), knowing, None, given, path, beta=0)
    torch.testing.assert_close(back, clean, atol=2e-5, rtol=0)


def test_each_network_keeps_a_history_of_its_own() -> None:
    start, given = published_case()
    path = SOLVER.path(5)
    first, second = linear(*FIRST).predict, linear(*SECOND).predict
    one, two = path.walker(), path.walker()
    latents, drawing = start, start
    for level in path.levels:
        latents = one.step(latents, given.noise(first, latents, level), level)
        drawing = two.step(drawing, given.noise(second, drawing, level), level)
    torch.testing.assert_close(latents, run(second=None, beta=0, steps=5))
    torch.testing.assert_close(drawing, run(SECOND, None, beta=0, steps=5))


def test_it_can_be_cancelled_between_the_two_networks() -> None:
    asked = iter([False, True])
    step = EditStep(instruction="remove it", kind="remove")
    task = Task(step=step, source_caption="", edited_caption="", cancelled=lambda: next(asked))
    start, given = published_case()
    with counting() as rows, pytest.raises(EditCancelled):
        fused(
            start,
            linear(*FIRST).predict,
            linear(*SECOND).predict,
            given,
            SOLVER.path(20),
            beta=0.2,
            tick=Ticks(task=task, total=40),
        )
    assert rows["unet"] == 6


def test_the_checkpoints_own_spacing_wins() -> None:
    leading = DpmSolver.from_config(
        {**STABLE_DIFFUSION, "timestep_spacing": "leading", "steps_offset": 1, "clip_sample": False}
    )
    assert [level.time for level in leading.path(20).levels][:2] == [941, 894]
    assert [level.time for level in SOLVER.path(20).levels][:2] == [999, 949]


@pytest.mark.parametrize("steps", [0, 1000, 1001])
def test_steps_that_the_model_has_not_got_are_refused(steps: int) -> None:
    with pytest.raises(InvalidInput, match="steps"):
        SOLVER.path(steps)


@pytest.mark.parametrize("strength", [0, -1, 1.5, float("nan")])
def test_strengths_outside_their_range_are_refused(strength: float) -> None:
    with pytest.raises(InvalidInput, match="strength"):
        SOLVER.path(20, strength)


def test_a_folder_without_a_schedule_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="scheduler_config"):
        DpmSolver.from_folder(tmp_path)
    (tmp_path / "scheduler").mkdir()
    for content in ("[1]", "{", '{"beta_schedule": "none such"}'):
        (tmp_path / "scheduler" / "scheduler_config.json").write_text(content)
        with pytest.raises(InvalidInput, match="scheduler_config"):
            DpmSolver.from_folder(tmp_path)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("weights")
    first, second = (
        write_stable_diffusion(root / str(seed), flavour="instruct-pix2pix", seed=seed)
        for seed in (0, 1)
    )
    return first, second


def loaded(folder: Path) -> LatentDiffusion:
    return InstructPix2Pix.loaded(InstructPix2PixConfig(model=str(folder))).network


def test_one_network_alone_equals_diffusers_pipeline_with_its_own_solver(
    folders: tuple[Path, Path],
) -> None:
    from diffusers import DPMSolverMultistepScheduler, StableDiffusionInstructPix2PixPipeline

    network = loaded(folders[0])
    image = np.random.default_rng(3).random((32, 40, 3)).astype(np.float32)
    noise = keyed_noise((4, 8, 10), [7], "start", torch.zeros(1))
    given = Given(
        told=network.embed("make it blue"),
        untold=network.embed(""),
        sources=network.encode([image], scaled=False),
    )
    path = DpmSolver.from_folder(folders[0]).path(6)
    with network.denoising():
        ours = network.decode(fused(noise, network.predict, None, given, path, beta=0))[0]

    pipeline = StableDiffusionInstructPix2PixPipeline.from_pretrained(
        folders[0], local_files_only=True, safety_checker=None, requires_safety_checker=False
    )
    spacing = pipeline.scheduler.config.timestep_spacing
    config = dict(pipeline.scheduler.config)
    if "timestep_spacing" not in (folders[0] / "scheduler/scheduler_config.json").read_text():
        spacing = "linspace"
    config.update(timestep_spacing=spacing, _class_name="DPMSolverMultistepScheduler")
    pipeline.scheduler = DPMSolverMultistepScheduler.from_config(config)
    pipeline.set_progress_bar_config(disable=True)
    theirs = pipeline(
        prompt="make it blue",
        image=torch.from_numpy(image).permute(2, 0, 1)[None],
        num_inference_steps=6,
        guidance_scale=7.5,
        image_guidance_scale=1.5,
        latents=noise,
        output_type="np",
    ).images[0]
    assert ours.std() > 0.01
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_the_second_network_shares_all_but_its_unet(folders: tuple[Path, Path]) -> None:
    first = loaded(folders[0])
    second = load_second(first, str(folders[1]))
    assert second.vae is first.vae
    assert second.text is first.text
    own = loaded(folders[1])
    latents, text = torch.ones(1, 4, 8, 8), own.embed("a")
    level = DpmSolver.from_folder(folders[1]).path(4).levels[0]
    theirs = own.predict(latents, level, text, joined=latents)
    assert torch.equal(second.predict(latents, level, text, joined=latents), theirs)
    assert not torch.equal(first.predict(latents, level, text, joined=latents), theirs)
    assert second.identity != first.identity


def test_a_second_network_of_another_kind_is_refused(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    first = loaded(folders[0])
    plain = write_stable_diffusion(tmp_path / "plain")
    with pytest.raises(InvalidInput, match="4 channels, not 8"):
        load_second(first, str(plain))
    wide = write_stable_diffusion(tmp_path / "xl", xl=True)
    with pytest.raises(InvalidInput, match="width 64, not 32"):
        load_second(first, str(wide))
    with pytest.raises(MissingWeights):
        load_second(first, str(tmp_path / "nowhere"))


def test_a_batch_gives_what_its_pictures_give_alone(folders: tuple[Path, Path]) -> None:
    network = loaded(folders[0])
    images = np.random.default_rng(5).random((2, 32, 32, 3)).astype(np.float32)
    noise = keyed_noise((4, 8, 8), [1, 2], "start", torch.zeros(1))
    told, untold = network.embed("make it blue"), network.embed("")
    sources = network.encode(list(images), scaled=False)
    given = Given(told=told.repeated(2), untold=untold.repeated(2), sources=sources)
    path = DpmSolver.from_folder(folders[0]).path(3)
    together = fused(noise, network.predict, None, given, path, beta=0)
    for one in range(2):
        alone = replace(given, told=told, untold=untold, sources=sources[one : one + 1])
        made = fused(noise[one : one + 1], network.predict, None, alone, path, beta=0)
        torch.testing.assert_close(made[0], together[one], atol=1e-4, rtol=0)
