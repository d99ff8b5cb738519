"""MDP: the source's noises give the source back; between them, the edit's are mixed in."""

from __future__ import annotations

import dataclasses
import functools
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")

from image_core.diffusion.ddim import moved  # noqa: E402
from image_core.diffusion.schedule import Level  # noqa: E402
from image_core.editors.generative import Job, Task  # noqa: E402
from image_core.editors.mdp import MdpConfig  # noqa: E402
from image_core.editors.mdp.method import Mdp, leading  # noqa: E402
from image_core.editors.mdp.mixing import mixing_factors  # noqa: E402
from image_core.errors import EditCancelled, InvalidInput  # noqa: E402
from image_core.testing import STEPS, batch_of, check_editor, scene  # noqa: E402
from image_core.testing.miniature.stable_diffusion import write_stable_diffusion  # noqa: E402

STEP = STEPS["replace"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return write_stable_diffusion(tmp_path_factory.mktemp("weights") / "sd")


def config(folder: Path, **options: Any) -> MdpConfig:
    fixed = {"model": str(folder), "steps": 4, "resolution": 32, "crop": "none", "cache": False}
    return MdpConfig(**{**fixed, "mix_start": 0.75, "mix_end": 0.25, **options})


def jobs(number: int = 2) -> list[Job]:
    made = []
    for key in range(number):
        image, alpha = scene(32, 40, seed=key)
        made.append(Job(image=image, condition=image, mask=alpha, key=key))
    return made


def task(strength: float = 1.0) -> Task:
    return Task(
        step=STEP,
        source_caption=STEP.source_caption,
        edited_caption=STEP.edited_caption,
        strength=strength,
    )


def run(folder: Path, jobs: list[Job], *, strength: float = 1.0, **options: Any) -> np.ndarray:
    return np.stack(loaded(config(folder, **options)).run(jobs, task(strength)).images)


loaded = functools.cache(Mdp.loaded)


def reconstructed(folder: Path, job: Job) -> np.ndarray:
    network = loaded(config(folder)).network
    return network.decode(network.encode([job.image]))[0]


@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_mixed_all_the_way_the_source_comes_back_without_a_guided_call(
    folder: Path, strength: float
) -> None:
    editor = config(folder, mix_start=1.0, mix_end=0.0).build()
    job = jobs(1)[0]
    made = run(folder, [job], strength=strength, mix_start=1.0, mix_end=0.0)[0]
    np.testing.assert_allclose(made, reconstructed(folder, job), atol=1e-4)
    work = batch_of([job.image], [job.mask], strength=strength)
    assert editor.prepare(STEP, []).edit(work).rows["unet"] == round(4 * strength)


def test_it_equals_a_plain_recomputation_of_the_published_loop(folder: Path) -> None:
    """Mix two lists of noises and step with diffusers' own schedulers, in their own words."""
    from diffusers import DDIMInverseScheduler, DDIMScheduler, StableDiffusionPipeline

    pipeline = StableDiffusionPipeline.from_pretrained(
        folder, local_files_only=True, safety_checker=None, requires_safety_checker=False
    )
    up = DDIMInverseScheduler.from_config(pipeline.scheduler.config)
    down = DDIMScheduler.from_config(pipeline.scheduler.config)
    up.set_timesteps(4)
    down.set_timesteps(4)
    given, empty = pipeline.encode_prompt(STEP.edited_caption, "cpu", 1, True, "")
    source, _ = pipeline.encode_prompt(STEP.source_caption, "cpu", 1, False)
    job = jobs(1)[0]
    with torch.no_grad():
        pixels = torch.from_numpy(job.image).permute(2, 0, 1)[None] * 2 - 1
        latents = (
            pipeline.vae.encode(pixels).latent_dist.mode() * pipeline.vae.config.scaling_factor
        )
        noises = []
        for time in up.timesteps:
            noises.append(pipeline.unet(latents, time, source).sample)
            latents = up.step(noises[-1], time, latents).prev_sample
        for time, stored, factor in zip(
            down.timesteps, reversed(noises), (0, 0.6, 0.6, 0), strict=True
        ):
            without = pipeline.unet(latents, time, empty).sample
            edited = without + 7.5 * (pipeline.unet(latents, time, given).sample - without)
            noise = factor * stored + (1 - factor) * edited
            latents = down.step(noise, time, latents).prev_sample
        theirs = pipeline.vae.decode(latents / pipeline.vae.config.scaling_factor).sample
    theirs = (theirs[0].permute(1, 2, 0) / 2 + 0.5).clamp(0, 1).numpy()
    ours = run(folder, [job], mix=0.6)[0]
    assert ours.std() > 0.01
    np.testing.assert_allclose(ours, theirs, atol=1e-4)
    method = Mdp.loaded(config(folder, mix=0.6))
    with torch.no_grad():
        method.network.unet.conv_out.weight[0, 0, 1, 1] += 0.1
    assert np.abs(method.run([job], task()).images[0] - theirs).max() > 1e-3


def test_the_leading_noise_undoes_a_step_and_is_finite_between_equal_levels() -> None:
    noise, lower = torch.randn(2, 1, 4, 3, 3, generator=torch.Generator().manual_seed(0)).double()
    low, high = (Level(index=n, time=n, alpha=alpha) for n, alpha in enumerate((0.9, 0.4)))
    upper = moved(lower, noise, low, high)
    torch.testing.assert_close(leading(lower, upper, low, high), noise)
    assert leading(lower, lower, low, low).abs().max() == 0


def test_factors_are_those_of_the_published_notebook() -> None:
    """Its example: 50 steps, from level 49 on, 25 levels long."""
    factors = mixing_factors(50, start=0.98, end=0.48, factor=1.0, mixing="constant")
    assert [k for k, factor in enumerate(factors) if factor] == list(range(25, 50))
    assert set(factors) == {0.0, 1.0}
    falling = {
        "linear": np.linspace(1, 0, 25),
        "cosine": np.cos(np.linspace(0, np.pi / 2, 25)),
        "exponential": np.exp(np.linspace(0, -5, 25)),
    }
    for mixing, wanted in falling.items():
        factors = mixing_factors(50, start=0.98, end=0.48, factor=1.0, mixing=mixing)  # type: ignore[arg-type]
        np.testing.assert_allclose(factors[49:24:-1], wanted, atol=1e-12)
    assert mixing_factors(3, start=1, end=0, factor=0.5, mixing="constant") == (0, 0.5, 0.5, 0.5)


def test_a_batch_equals_single_edits_whatever_its_order(folder: Path) -> None:
    two = jobs()
    mild = {"guidance": 3.0}  # each unit of it amplifies the rounding of the network's batches
    together = run(folder, two, **mild)
    alone = [run(folder, [job], **mild)[0] for job in two]
    swapped = run(folder, two[::-1], **mild)[::-1]
    np.testing.assert_allclose(together, np.stack(alone), atol=1e-5)
    np.testing.assert_allclose(together, swapped, atol=1e-5)


def test_each_option_shows(folder: Path) -> None:
    job = jobs(1)
    plain = run(folder, job)
    for options in ({"mix": 0.5}, {"mix_start": 1.0}, {"mix_end": 0.5}, {"guidance": 2}):
        assert np.abs(run(folder, job, **options) - plain).mean() > 1e-3, options


def test_the_edit_depends_on_the_rendering(folder: Path) -> None:
    job = jobs(1)[0]
    render = dataclasses.replace(job, image=np.clip(job.image * 0.7, 0, 1))
    assert np.abs(run(folder, [job]) - run(folder, [render])).mean() > 1e-3
    # with the source's noises alone, the rendering itself comes back
    back = run(folder, [render], mix_start=1.0, mix_end=0.0)[0]
    alone = dataclasses.replace(render, condition=render.image)
    np.testing.assert_allclose(back, reconstructed(folder, alone), atol=2e-3)


def test_rows_skip_what_the_source_alone_decides_and_what_is_cached(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INSITU_CACHE", str(tmp_path))
    editor = config(folder, cache=True).build()
    told: list[float] = []
    pictures, alphas = zip(*(scene(32, 40, seed=n) for n in (0, 1)), strict=True)
    work = dataclasses.replace(
        batch_of(pictures, alphas), progress=lambda _stage, done: told.append(done)
    )
    prepared = editor.prepare(STEP, [])
    first = prepared.edit(work)
    assert first.rows["unet"] == 2 * (4 + 2 * 2)  # levels 4 and 1 are the edited caption's
    assert told == sorted(told)
    assert told[-1] == 1
    second = prepared.edit(work)
    assert second.rows["unet"] == 2 * 2 * 2
    for before, after in zip(first.images, second.images, strict=True):
        np.testing.assert_array_equal(before, after)


def test_cancelling_stops_between_two_calls(folder: Path) -> None:
    asked = iter([False, False, True])
    with pytest.raises(EditCancelled):
        Mdp.loaded(config(folder)).run(
            jobs(1), dataclasses.replace(task(), cancelled=lambda: next(asked))
        )


@pytest.mark.parametrize("options", [{"mix_start": 0.2, "mix_end": 0.4}, {"mix": 1.5}])
def test_options_out_of_range_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(InvalidInput, match="mix"):
        MdpConfig(**options)


def test_another_kind_of_checkpoint_is_refused(tmp_path: Path) -> None:
    other = write_stable_diffusion(tmp_path / "ip2p", flavour="instruct-pix2pix")
    with pytest.raises(InvalidInput, match="8 channels, not 4"):
        Mdp.loaded(config(other))


def test_it_keeps_the_contract(folder: Path) -> None:
    check_editor(config(folder).build(), kinds=["replace"], size=(48, 64), tolerance=1e-4)


def test_naming_it_imports_no_torch() -> None:
    code = (
        "import sys; from image_core.editors.mdp import MdpConfig as C;"
        "C().build().why_not();"
        "sys.exit(bool({'torch', 'diffusers', 'transformers'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
