"""Inpainting: equal to the published pipelines, SD and SDXL, one picture or many."""

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

from image_core.diffusion.ddim import noised  # noqa: E402
from image_core.diffusion.keyed_noise import keyed_noise  # noqa: E402
from image_core.editors.generative import Job, Task  # noqa: E402
from image_core.editors.inpainting import InpaintingConfig, SdxlInpaintingConfig  # noqa: E402
from image_core.editors.inpainting.method import Inpainting  # noqa: E402
from image_core.errors import EditCancelled, InvalidInput, UnsupportedEdit  # noqa: E402
from image_core.testing import STEPS, batch_of, check_editor, scene  # noqa: E402
from image_core.testing.miniature.stable_diffusion import write_stable_diffusion  # noqa: E402
from image_core.types import EditStep  # noqa: E402

STEP = STEPS["replace"]


def write(folder: Path, *, seed: int = 0, xl: bool = False) -> Path:
    """Write a checkpoint whose VAE's posterior has no spread, so that its draws are its mean."""
    from diffusers import AutoencoderKL

    write_stable_diffusion(folder, flavour="inpainting", seed=seed, xl=xl)
    vae = AutoencoderKL.from_pretrained(folder, subfolder="vae", local_files_only=True)
    with torch.no_grad():
        vae.quant_conv.weight[4:] = 0
        vae.quant_conv.bias[4:] = -30
    vae.save_pretrained(folder / "vae")
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return write(tmp_path_factory.mktemp("weights") / "inpainting")


def config(folder: Path, **options: Any) -> InpaintingConfig:
    return InpaintingConfig(
        **{"model": str(folder), "steps": 4, "resolution": 32, "crop": "none", **options}
    )


def jobs(number: int = 2) -> list[Job]:
    made = []
    for key in range(number):
        image, _ = scene(32, 40, seed=key)
        mask = np.zeros((32, 40), np.float32)
        mask[8:24, 12 : 28 - 4 * key] = 1  # on the latents' grid, where all ways to reduce agree
        made.append(Job(image=image, condition=image, mask=mask, key=key + 3))
    return made


def task(strength: float = 1.0, step: EditStep = STEP) -> Task:
    return Task(
        step=step,
        source_caption=step.source_caption,
        edited_caption=step.edited_caption or step.instruction,
        strength=strength,
    )


def run(folder: Path, jobs: list[Job], *, strength: float = 1.0, **options: Any) -> np.ndarray:
    return np.stack(loaded(config(folder, **options)).run(jobs, task(strength)).images)


loaded = functools.cache(Inpainting.loaded)


def published(folder: Path, jobs: list[Job], latents: Any, *, xl: bool, **options: Any) -> Any:
    """Call diffusers' pipeline as it is, from given latents."""
    from diffusers import (
        DDIMScheduler,
        StableDiffusionInpaintPipeline,
        StableDiffusionXLInpaintPipeline,
    )

    kind = StableDiffusionXLInpaintPipeline if xl else StableDiffusionInpaintPipeline
    extra = {} if xl else {"safety_checker": None, "requires_safety_checker": False}
    pipeline = kind.from_pretrained(folder, local_files_only=True, **extra)
    pipeline.scheduler = DDIMScheduler.from_config(pipeline.scheduler.config)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline(
        prompt=[STEP.edited_caption] * len(jobs),
        image=torch.from_numpy(np.stack([job.image for job in jobs])).permute(0, 3, 1, 2),
        mask_image=torch.from_numpy(np.stack([job.mask for job in jobs]))[:, None],
        height=32,
        width=40,
        num_inference_steps=4,
        guidance_scale=7.5,
        latents=latents,
        output_type="np",
        **options,
    ).images


def start(jobs: list[Job]) -> Any:
    return keyed_noise((4, 8, 10), [job.key for job in jobs], "start", torch.zeros(1))


@pytest.mark.parametrize("xl", [False, True])
def test_it_equals_diffusers_pipeline_on_a_job_of_two_pictures(
    folder: Path, tmp_path: Path, xl: bool
) -> None:
    weights = write(tmp_path / "xl", xl=True) if xl else folder
    ours = run(weights, jobs())
    theirs = published(weights, jobs(), start(jobs()), xl=xl, strength=1.0)
    assert ours.std() > 0.01
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_half_strength_equals_diffusers_from_the_same_noised_picture(folder: Path) -> None:
    two = jobs()
    network = Inpainting.loaded(config(folder)).network
    clean = network.encode([job.image for job in two])
    latents = noised(clean, start(two), network.schedule.levels(4)[2])
    theirs = published(folder, two, latents, xl=False, strength=0.5)
    np.testing.assert_allclose(run(folder, two, strength=0.5), theirs, atol=1e-4)


@pytest.mark.parametrize("channel", [4, 6])  # the mask's, and one of the masked picture's
def test_the_parity_sees_a_single_perturbed_weight(folder: Path, channel: int) -> None:
    method = Inpainting.loaded(config(folder))
    with torch.no_grad():
        method.network.unet.conv_in.weight[0, channel, 1, 1] += 0.05
    ours = np.stack(method.run(jobs(), task()).images)
    theirs = published(folder, jobs(), start(jobs()), xl=False, strength=1.0)
    assert np.abs(ours - theirs).max() > 1e-3


def test_a_batch_equals_single_edits_whatever_its_order(folder: Path) -> None:
    two = jobs()
    together = run(folder, two, strength=0.6)
    alone = [run(folder, [job], strength=0.6)[0] for job in two]
    swapped = run(folder, two[::-1], strength=0.6)[::-1]
    np.testing.assert_allclose(together, np.stack(alone), atol=1e-5)
    np.testing.assert_allclose(together, swapped, atol=1e-5)


def test_at_full_strength_nothing_of_the_old_content_is_seen(folder: Path) -> None:
    job = jobs(1)[0]
    hidden = np.where(job.mask[..., None] > 0, np.float32(0.9), job.image)
    other = dataclasses.replace(job, image=hidden, condition=hidden)
    np.testing.assert_array_equal(run(folder, [job]), run(folder, [other]))
    assert (
        np.abs(run(folder, [job], strength=0.5) - run(folder, [other], strength=0.5)).max() > 0.01
    )


def test_what_lies_around_the_region_and_where_it_lies_both_count(folder: Path) -> None:
    job = jobs(1)[0]
    plain = run(folder, [job])
    around = np.where(job.mask[..., None] > 0, job.image, np.float32(0.9))
    elsewhere = np.roll(job.mask, 8, axis=1)
    assert np.abs(run(folder, [dataclasses.replace(job, condition=around)]) - plain).max() > 0.01
    assert np.abs(run(folder, [dataclasses.replace(job, mask=elsewhere)]) - plain).max() > 0.01


def test_removing_is_told_no_word_of_the_thing_and_goes_all_the_way(folder: Path) -> None:
    method = Inpainting.loaded(config(folder))
    remove = STEPS["remove"]
    made = method.run(jobs(1), task(0.5, remove))
    unprompted = Task(
        step=dataclasses.replace(STEP, edited_caption=""), source_caption="", edited_caption=""
    )
    np.testing.assert_array_equal(made.images[0], method.run(jobs(1), unprompted).images[0])
    assert made.notes == ("removed at full strength",)
    filled = dataclasses.replace(remove, edited_caption="grass")
    assert np.abs(method.run(jobs(1), task(1.0, filled)).images[0] - made.images[0]).max() > 0.01


@pytest.mark.parametrize(
    ("kind", "options", "strength", "rows"),
    [
        ("replace", {}, 1.0, 2 * 2 * 4),
        ("replace", {}, 0.5, 2 * 2 * 2),
        ("replace", {"guidance": 1}, 1.0, 2 * 4),
        ("remove", {}, 1.0, 2 * 4),
    ],
)
def test_rows_are_two_per_level_and_progress_ends_at_one(
    folder: Path, kind: Any, options: dict[str, Any], strength: float, rows: int
) -> None:
    prepared = config(folder, **options).build().prepare(STEPS[kind], [])
    told: list[float] = []
    pictures, alphas = zip(*(scene(32, 40, seed=n) for n in (0, 1)), strict=True)
    work = dataclasses.replace(
        batch_of(pictures, alphas, strength=strength),
        progress=lambda _stage, done: told.append(done),
    )
    assert prepared.edit(work).rows["unet"] == rows
    assert told[-1] == 1


def test_cancelling_stops_between_two_calls(folder: Path) -> None:
    asked = iter([False, False, True])
    with pytest.raises(EditCancelled):
        Inpainting.loaded(config(folder)).run(
            jobs(1), dataclasses.replace(task(), cancelled=lambda: next(asked))
        )


def test_other_checkpoints_and_kinds_are_refused(tmp_path: Path) -> None:
    plain = write_stable_diffusion(tmp_path / "sd")
    with pytest.raises(InvalidInput, match="4 channels, not 9"):
        Inpainting.loaded(config(plain))
    with pytest.raises(UnsupportedEdit):
        config(plain).build().prepare(STEPS["style"], [])
    assert SdxlInpaintingConfig().build().name == "sdxl-inpainting"
    assert SdxlInpaintingConfig().resolution == 1024


def test_it_keeps_the_contract(tmp_path: Path) -> None:
    weights = write(tmp_path / "weights", seed=2)  # random, but more strength changes more
    kinds: Any = ["remove", "replace"]
    check_editor(config(weights).build(), kinds=kinds, size=(48, 64), tolerance=1e-4)


def test_naming_it_imports_no_torch() -> None:
    code = (
        "import sys; from image_core.editors.inpainting import InpaintingConfig as C;"
        "C().build().why_not();"
        "sys.exit(bool({'torch', 'diffusers', 'transformers'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
