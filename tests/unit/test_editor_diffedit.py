"""DiffEdit: each of its steps equals diffusers' pipeline, but for the level of its blend."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")

from image_core.applying import apply_steps, value_of  # noqa: E402
from image_core.diffusion.keyed_noise import generator_of  # noqa: E402
from image_core.editors.diffedit import DiffEditConfig  # noqa: E402
from image_core.editors.diffedit.contrast import contrast, contrasting, feathered  # noqa: E402
from image_core.editors.diffedit.method import DiffEdit  # noqa: E402
from image_core.editors.generative import Job, Made, Task  # noqa: E402
from image_core.errors import EditCancelled, InvalidInput  # noqa: E402
from image_core.testing import STEPS, batch_of, check_editor, scene  # noqa: E402
from image_core.testing.miniature.stable_diffusion import write_stable_diffusion  # noqa: E402
from image_core.types import Location  # noqa: E402

STEP = STEPS["replace"]
FACTOR = 4
OPTIONS: dict[str, Any] = {
    "steps": 4,
    "resolution": 32,
    "crop": "none",
    "cache": False,
    "maps": 3,
    "ratio": 2.0,  # a random network's contrast is even: lower, so that some cells stand out
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint whose VAE's posterior has no spread, so that its draws are its mean."""
    from diffusers import AutoencoderKL

    torch.set_num_threads(1)
    folder = write_stable_diffusion(tmp_path_factory.mktemp("weights") / "sd")
    vae = AutoencoderKL.from_pretrained(folder, subfolder="vae", local_files_only=True)
    with torch.no_grad():
        vae.quant_conv.weight[4:] = 0
        vae.quant_conv.bias[4:] = -30
    vae.save_pretrained(folder / "vae")
    return folder


def method(folder: Path, **options: Any) -> DiffEdit:
    return DiffEdit.loaded(DiffEditConfig(model=str(folder), **{**OPTIONS, **options}))


def jobs(number: int = 2) -> list[Job]:
    made = []
    for key in range(number):
        image, _ = scene(32, 40, seed=key)
        made.append(Job(image=image, condition=image, mask=np.ones((32, 40), np.float32), key=key))
    return made


def task(strength: Any = 0.75) -> Task:
    return Task(
        step=STEP,
        source_caption=STEP.source_caption,
        edited_caption=STEP.edited_caption,
        strength=strength,
    )


def cells(made: Made) -> np.ndarray:
    """Return the latent cells of the found masks: each is 1 all over its cell."""
    assert made.masks is not None
    masks = np.stack(made.masks).reshape(len(made.masks), 8, FACTOR, 10, FACTOR)
    return (masks.min(axis=(2, 4)) == 1).astype(np.float32)


class Published:
    """diffusers' pipeline as it is, one picture at a time."""

    def __init__(self, folder: Path) -> None:
        from diffusers import DDIMInverseScheduler, DDIMScheduler
        from diffusers.pipelines.deprecated.stable_diffusion_diffedit import (
            pipeline_stable_diffusion_diffedit as module,
        )

        self.pipeline = module.StableDiffusionDiffEditPipeline.from_pretrained(
            folder,
            local_files_only=True,
            safety_checker=None,
            requires_safety_checker=False,
            inverse_scheduler=None,
        )
        config = self.pipeline.scheduler.config
        self.pipeline.scheduler = DDIMScheduler.from_config(config)
        self.pipeline.inverse_scheduler = DDIMInverseScheduler.from_config(config)
        self.pipeline.set_progress_bar_config(disable=True)

    def mask(self, latents: Any, key: int) -> np.ndarray:
        found = self.pipeline.generate_mask(
            image=latents,
            target_prompt=STEP.edited_caption,
            source_prompt=STEP.source_caption,
            num_maps_per_mask=3,
            mask_encode_strength=0.5,
            mask_thresholding_ratio=2.0,
            num_inference_steps=4,
            generator=[generator_of(key, f"contrast {n}") for n in range(3)],
        )
        return np.asarray(found[0], np.float32)

    def path(self, image: np.ndarray) -> Any:
        """Return latents at levels 3, 2, 1."""
        return self.pipeline.invert(
            prompt=STEP.source_caption,
            image=torch.from_numpy(image).permute(2, 0, 1)[None],
            inpaint_strength=0.75,
            guidance_scale=1,
            num_inference_steps=4,
        ).latents

    def edit(self, mask: np.ndarray, path: Any, **hooks: Any) -> np.ndarray:
        return self.pipeline(
            prompt=STEP.edited_caption,
            mask_image=torch.from_numpy(mask.copy()),
            image_latents=path,
            inpaint_strength=0.75,
            num_inference_steps=4,
            guidance_scale=7.5,
            output_type="np",
            **hooks,
        ).images[0]


def test_masks_inversion_and_edit_equal_diffusers_with_the_blends_levels_matched(
    folder: Path,
) -> None:
    ours, theirs, two = method(folder), Published(folder), jobs()
    made = ours.run(two, task())
    found = cells(made)
    assert 0 < found.mean() < 1
    for n, job in enumerate(two):
        latents = ours.masked.network.encode([job.image])
        mask = theirs.mask(latents, job.key)
        np.testing.assert_array_equal(found[n], mask)
        path = theirs.path(job.image)
        matched = [*path[0, 1:], latents[0]]  # levels 2, 1, 0: where each step leads to

        def rematch(index: int, _time: int, now: Any, mask: Any = mask, to: Any = matched) -> None:
            now.copy_(torch.where(torch.from_numpy(mask) > 0, now, to[index]))

        edited = theirs.edit(mask, path, callback=rematch, callback_steps=1)
        assert edited.std() > 0.01
        np.testing.assert_allclose(made.images[n], edited, atol=1e-4)
        lagging = theirs.edit(mask, path)
        assert np.abs(lagging - edited).max() > 1e-3, "the published blend is one level behind"


def test_where_everything_may_change_it_equals_diffusers_as_it_is(folder: Path) -> None:
    ours, theirs, two = method(folder, threshold=0.0), Published(folder), jobs()
    made = ours.run(two, task())
    for n, job in enumerate(two):
        edited = theirs.edit(np.ones((8, 10), np.float32), theirs.path(job.image))
        np.testing.assert_allclose(made.images[n], edited, atol=1e-4)


def test_the_parity_sees_a_single_perturbed_weight(folder: Path) -> None:
    ours, theirs, job = method(folder), Published(folder), jobs(1)[0]
    path = ours.masked.network.encode([job.image])
    before = theirs.mask(path, job.key)
    with torch.no_grad():
        ours.masked.network.unet.conv_out.weight[0, 0, 1, 1] += 2
    made = ours.run([job], task())
    assert (cells(made)[0] != before).any()
    edited = theirs.edit(np.ones((8, 10), np.float32), theirs.path(job.image))
    assert np.abs(made.images[0] - edited).max() > 1e-3


def test_guidance_does_not_move_the_mask(folder: Path) -> None:
    weak, strong = (cells(method(folder, guidance=g).run(jobs(), task())) for g in (1, 12))
    np.testing.assert_array_equal(weak, strong)


def test_contrast_is_cut_off_at_a_multiple_of_its_mean() -> None:
    source = torch.zeros(2, 3, 4, 4)
    edited = torch.ones(2, 3, 4, 4)
    edited[..., 0, 0] = -25  # an extreme: 25 among 15 ones, so the mean is 2.5
    apart = contrast(source, edited)
    assert apart[0, 0] == 25
    found = contrasting(apart, ratio=3.0, threshold=0.5)
    assert found[0, 0]
    assert found.sum() == 1
    assert contrasting(apart, ratio=3.0, threshold=0.1).all()
    assert not contrasting(torch.zeros(4, 4), ratio=3.0, threshold=0.5).any()


def test_a_found_mask_is_whole_in_its_cells_and_soft_outside_them() -> None:
    cells_ = torch.zeros(4, 5)
    cells_[1:3, 2] = 1
    mask = feathered(cells_, 8)
    assert mask.shape == (32, 40)
    assert (mask[8:24, 16:24] == 1).all()
    assert 0 < mask[16, 25] < 1
    assert mask[:, :12].max() == 0 == mask[:, 28:].max()


def test_a_batch_equals_single_edits_whatever_its_order(folder: Path) -> None:
    two, ours = jobs(), method(folder)
    together = ours.run(two, task())
    swapped = ours.run(two[::-1], task())
    for n, job in enumerate(two):
        alone = ours.run([job], task())
        np.testing.assert_allclose(together.images[n], alone.images[0], atol=1e-5)
        np.testing.assert_allclose(together.images[n], swapped.images[1 - n], atol=1e-5)
        np.testing.assert_array_equal(cells(together)[n], cells(alone)[0])


def test_a_given_region_bounds_the_found_one(folder: Path) -> None:
    editor = DiffEditConfig(model=str(folder), **{**OPTIONS, "threshold": 0.0}).build()
    image, alpha = scene(32, 40)
    work = batch_of([image, image], [np.ones_like(alpha), alpha], strength=0.75)
    made = editor.prepare(STEP, []).edit(work)
    assert made.regions is not None
    free, bounded = (region.alpha for region in made.regions)
    assert free.min() == 1
    np.testing.assert_array_equal(bounded > 0, alpha > 0)


def test_latents_outside_a_given_region_keep_the_originals_path(folder: Path) -> None:
    box = np.zeros((32, 40), np.float32)
    box[8:20, 12:28] = 1
    job = dataclasses.replace(jobs(1)[0], mask=box)
    found = cells(method(folder, threshold=0.0).run([job], task()))[0]
    np.testing.assert_array_equal(found, box[::FACTOR, ::FACTOR])


def test_captions_that_agree_give_an_empty_region_a_warning_and_no_edit(folder: Path) -> None:
    captions = {"source_caption": "a disc", "edited_caption": "a disc"}
    editor = DiffEditConfig(model=str(folder), **OPTIONS, **captions).build()
    image, alpha = scene(32, 40)
    made = editor.prepare(STEP, []).edit(batch_of([image], [np.ones_like(alpha)]))
    assert made.regions is not None
    assert made.regions[0].alpha.max() == 0
    assert made.rows["unet"] == 2 * 3
    assert any("threshold=" in warning for warning in made.warnings)
    work = batch_of([image], [np.ones_like(alpha)])
    location = Location(regions=tuple(work.regions))
    result = value_of(apply_steps([STEP], [editor.prepare(STEP, [])], [0], work, [location])[0])
    np.testing.assert_array_equal(result.image, image)
    assert result.alpha.max() == 0
    assert any("changed nothing" in warning for warning in result.warnings)


def test_rows_are_two_per_noise_then_three_per_level(folder: Path) -> None:
    editor = DiffEditConfig(model=str(folder), **OPTIONS).build()
    told: list[float] = []
    pictures, alphas = zip(*(scene(32, 40, seed=n) for n in (0, 1)), strict=True)
    work = dataclasses.replace(
        batch_of(pictures, [np.ones_like(alpha) for alpha in alphas], strength=0.5),
        progress=lambda _stage, done: told.append(done),
    )
    made = editor.prepare(STEP, []).edit(work)
    assert made.rows["unet"] == 2 * (2 * 3 + 3 * 2)
    assert told == sorted(told)
    assert told[-1] == 1


def test_the_region_is_sought_in_the_original_and_the_edit_depends_on_the_render(
    folder: Path,
) -> None:
    ours, job = method(folder), jobs(1)[0]
    render = dataclasses.replace(job, image=np.clip(job.image * 0.7, 0, 1))
    plain, moved = ours.run([job], task()), ours.run([render], task())
    np.testing.assert_array_equal(cells(plain), cells(moved))
    inside = np.kron(cells(plain)[0], np.ones((FACTOR, FACTOR))) > 0
    assert np.abs(plain.images[0] - moved.images[0])[inside].mean() > 1e-3


def test_cancelling_stops_before_the_edit(folder: Path) -> None:
    asked = iter([False, True])
    with pytest.raises(EditCancelled):
        method(folder).run(jobs(), dataclasses.replace(task(), cancelled=lambda: next(asked)))


@pytest.mark.parametrize(
    "options", [{"maps": 0}, {"ratio": 0.0}, {"threshold": 1.0}, {"mask_strength": 0.0}]
)
def test_options_out_of_range_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match=next(iter(options))):
        DiffEditConfig(**options)


def test_another_kind_of_checkpoint_is_refused(tmp_path: Path) -> None:
    other = write_stable_diffusion(tmp_path / "inpainting", flavour="inpainting")
    with pytest.raises(InvalidInput, match="9 channels, not 4"):
        method(other)


def test_it_keeps_the_contract(folder: Path) -> None:
    editor = DiffEditConfig(model=str(folder), **{**OPTIONS, "threshold": 0.0}).build()
    check_editor(editor, kinds=["replace"], size=(48, 64), tolerance=1e-4)


def test_naming_it_imports_no_torch() -> None:
    code = (
        "import sys; from image_core.editors.diffedit import DiffEditConfig as C;"
        "C().build().why_not();"
        "sys.exit(bool({'torch', 'diffusers', 'transformers'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
