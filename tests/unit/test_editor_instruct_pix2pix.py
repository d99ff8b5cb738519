"""InstructPix2Pix: equal to the published pipeline, whole or local, one picture or many."""

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

from image_core.diffusion.keyed_noise import generator_of, keyed_noise  # noqa: E402
from image_core.editors.generative import Job, Task  # noqa: E402
from image_core.editors.instruct_pix2pix import (  # noqa: E402
    InstructPix2PixConfig,
    MagicBrushConfig,
)
from image_core.editors.instruct_pix2pix.method import InstructPix2Pix  # noqa: E402
from image_core.errors import EditCancelled, InvalidInput, MissingWeights  # noqa: E402
from image_core.testing import STEPS, batch_of, check_editor, scene  # noqa: E402
from image_core.testing.miniature.stable_diffusion import write_stable_diffusion  # noqa: E402
from image_core.types import EditStep  # noqa: E402

STEP = EditStep(instruction="make the disc a planet", kind="replace", whole_image=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return write_stable_diffusion(
        tmp_path_factory.mktemp("weights") / "ip2p", flavour="instruct-pix2pix"
    )


def config(folder: Path, **options: Any) -> InstructPix2PixConfig:
    return InstructPix2PixConfig(
        **{"model": str(folder), "steps": 4, "resolution": 32, "crop": "none", **options}
    )


def jobs(number: int = 2) -> list[Job]:
    made = []
    for key in range(number):
        image, alpha = scene(32, 40, seed=key)
        made.append(Job(image=image, condition=image, mask=alpha, key=key + 3))
    return made


def run(folder: Path, jobs: list[Job], *, strength: float = 1.0, **options: Any) -> np.ndarray:
    return np.stack(loaded(config(folder, **options)).run(jobs, task(strength)).images)


loaded = functools.cache(InstructPix2Pix.loaded)


def task(strength: float = 1.0) -> Task:
    return Task(step=STEP, source_caption="", edited_caption="", strength=strength)


def published(folder: Path, jobs: list[Job], scheduler: Any, **options: Any) -> np.ndarray:
    """Call diffusers' pipeline as it is, with our starting noise."""
    from diffusers import StableDiffusionInstructPix2PixPipeline

    pipeline = StableDiffusionInstructPix2PixPipeline.from_pretrained(
        folder, local_files_only=True, safety_checker=None, requires_safety_checker=False
    )
    pipeline.scheduler = scheduler.from_config(pipeline.scheduler.config)
    pipeline.set_progress_bar_config(disable=True)
    keys = [job.key for job in jobs]
    pictures = torch.from_numpy(np.stack([job.image for job in jobs])).permute(0, 3, 1, 2)
    return pipeline(
        prompt=[STEP.instruction] * len(jobs),
        image=pictures,
        num_inference_steps=4,
        guidance_scale=7.5,
        image_guidance_scale=1.5,
        latents=keyed_noise((4, 8, 10), keys, "start", torch.zeros(1)),
        generator=[generator_of(key, "ancestral") for key in keys],
        output_type="np",
        **options,
    ).images


def test_it_equals_diffusers_pipeline_on_a_job_of_two_pictures(folder: Path) -> None:
    from diffusers import DDIMScheduler

    theirs, ours = published(folder, jobs(), DDIMScheduler), run(folder, jobs())
    assert ours.std() > 0.01
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_the_ancestral_sampler_equals_diffusers_with_the_same_fresh_noise(folder: Path) -> None:
    from diffusers import EulerAncestralDiscreteScheduler

    class Leading(EulerAncestralDiscreteScheduler):
        @classmethod
        def from_config(cls, config: Any, **kwargs: Any) -> Any:
            changed = {**config, "timestep_spacing": "leading", "steps_offset": 1}
            return EulerAncestralDiscreteScheduler.from_config(changed, **kwargs)

    theirs = published(folder, jobs(), Leading)
    np.testing.assert_allclose(run(folder, jobs(), sampler="euler_ancestral"), theirs, atol=1e-4)


def test_the_parity_sees_a_single_perturbed_weight(folder: Path) -> None:
    from diffusers import DDIMScheduler

    method = InstructPix2Pix.loaded(config(folder))
    with torch.no_grad():
        method.network.unet.conv_in.weight[0, 6, 1, 1] += 0.05  # it sees the source's latents
    ours = np.stack(method.run(jobs(), task()).images)
    assert np.abs(ours - published(folder, jobs(), DDIMScheduler)).max() > 1e-3


@pytest.mark.parametrize("sampler", ["ddim", "euler_ancestral"])
def test_a_batch_equals_single_edits_whatever_its_order(folder: Path, sampler: str) -> None:
    two = jobs()
    together = run(folder, two, strength=0.6, sampler=sampler)
    alone = [run(folder, [job], strength=0.6, sampler=sampler)[0] for job in two]
    swapped = run(folder, two[::-1], strength=0.6, sampler=sampler)[::-1]
    np.testing.assert_allclose(together, np.stack(alone), atol=1e-5)
    np.testing.assert_allclose(together, swapped, atol=1e-5)


def test_the_key_decides_the_noise(folder: Path) -> None:
    job = jobs(1)[0]
    first, again, other = (run(folder, [dataclasses.replace(job, key=key)])[0] for key in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).mean() > 0.01


def test_a_rendering_counts_below_full_strength_and_the_original_always(folder: Path) -> None:
    job = jobs(1)[0]
    render = dataclasses.replace(job, image=np.clip(job.image + 0.2, 0, 1))
    elsewhere = dataclasses.replace(job, condition=np.ascontiguousarray(job.image[::-1]))
    for strength, counts in ((1.0, False), (0.5, True)):
        plain = run(folder, [job], strength=strength)
        moved = np.abs(run(folder, [render], strength=strength) - plain).mean()
        assert (moved > 1e-3) == counts
        assert np.abs(run(folder, [elsewhere], strength=strength) - plain).mean() > 1e-3


@pytest.mark.parametrize(
    ("options", "strength", "rows"),
    [
        ({}, 1.0, 2 * 3 * 4),
        ({}, 0.5, 2 * 3 * 2),
        ({"guidance": 1, "image_guidance": 1}, 1.0, 2 * 4),
    ],
)
def test_rows_are_three_per_level_and_progress_ends_at_one(
    folder: Path, options: dict[str, Any], strength: float, rows: int
) -> None:
    prepared = config(folder, **options).build().prepare(STEP, [])
    told: list[float] = []
    pictures, alphas = zip(*(scene(32, 40, seed=n) for n in (0, 1)), strict=True)
    work = dataclasses.replace(
        batch_of(pictures, alphas, strength=strength),
        progress=lambda _stage, done: told.append(done),
    )
    assert prepared.edit(work).rows["unet"] == rows
    assert told[-1] == 1
    assert len(told) > 2


def test_cancelling_stops_between_two_calls(folder: Path) -> None:
    asked = iter([False, False, True])
    cancelled = dataclasses.replace(task(), cancelled=lambda: next(asked))
    with pytest.raises(EditCancelled):
        InstructPix2Pix.loaded(config(folder)).run(jobs(1), cancelled)


def test_instruction_guidances_and_magicbrush_weights_each_show(
    folder: Path, tmp_path: Path
) -> None:
    job = jobs(1)
    plain = run(folder, job)
    for options in ({"guidance": 3}, {"image_guidance": 1}, {"sampler": "euler_ancestral"}):
        assert np.abs(run(folder, job, **options) - plain).mean() > 1e-3, options
    other = write_stable_diffusion(tmp_path / "other", flavour="instruct-pix2pix", seed=1)
    brush = MagicBrushConfig(model=str(other), steps=4, resolution=32, crop="none")
    assert (
        np.abs(np.stack(InstructPix2Pix.loaded(brush).run(job, task()).images) - plain).max() > 0.1
    )
    assert brush.build().name == "magicbrush"


def test_captions_are_not_dropped_in_silence(folder: Path) -> None:
    options = {"source_caption": "a disc", "edited_caption": "a planet"}
    made = InstructPix2Pix.loaded(config(folder, **options)).run(jobs(1), task())
    assert any("not used" in warning for warning in made.warnings)


def test_other_checkpoints_and_values_are_refused(tmp_path: Path) -> None:
    plain = write_stable_diffusion(tmp_path / "sd")
    with pytest.raises(InvalidInput, match="4 channels, not 8"):
        InstructPix2Pix.loaded(config(plain))
    with pytest.raises(InvalidInput, match="image_guidance"):
        InstructPix2PixConfig(image_guidance=float("nan"))
    editor = InstructPix2PixConfig(model=str(tmp_path / "nowhere")).build()
    assert "missing" in editor.why_not()
    with pytest.raises(MissingWeights):
        editor.prepare(STEP, [])


def test_it_keeps_the_contract(folder: Path) -> None:
    check_editor(config(folder).build(), kinds=["replace"], size=(48, 64), tolerance=1e-4)


def test_a_small_region_is_edited_on_a_crop(folder: Path) -> None:
    image, _ = scene(96, 128)
    alpha = np.zeros((96, 128), np.float32)
    alpha[40:56, 40:60] = 1
    prepared = config(folder, crop="auto").build().prepare(STEPS["replace"], [])
    edited = prepared.edit(batch_of([image], [alpha])).images[0]
    assert np.abs(edited - image)[alpha > 0].mean() > 0.01
    np.testing.assert_array_equal(edited[:, 100:], image[:, 100:])


def test_naming_it_imports_no_torch() -> None:
    code = (
        "import sys; from image_core.editors.instruct_pix2pix import InstructPix2PixConfig as C;"
        "C().build().why_not();"
        "sys.exit(bool({'torch', 'diffusers', 'transformers'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
