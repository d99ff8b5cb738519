"""ZONE whole: the region from attention, the layer cut out there, two networks for removals."""

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

from image_core.diffusion.keyed_noise import keyed_noise  # noqa: E402
from image_core.editors.generative import Job, Made, Task  # noqa: E402
from image_core.editors.zone import ZoneConfig  # noqa: E402
from image_core.editors.zone.method import Zone  # noqa: E402
from image_core.errors import EditCancelled, InvalidInput, MissingWeights  # noqa: E402
from image_core.testing import batch_of, check_editor, scene  # noqa: E402
from image_core.testing.miniature.segmentation import write_sam  # noqa: E402
from image_core.testing.miniature.stable_diffusion import write_stable_diffusion  # noqa: E402
from image_core.types import EditStep, Kind  # noqa: E402

CHANGE = EditStep(instruction="make the disc a planet", kind="replace", whole_image=True)
REMOVE = EditStep(instruction="remove the disc", kind="remove", whole_image=True)
STEPS = 4


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two instruction networks and SAM."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("weights")
    write_stable_diffusion(folder / "first", flavour="instruct-pix2pix")
    write_stable_diffusion(folder / "second", flavour="instruct-pix2pix", seed=1)
    write_sam(folder / "sam")
    return folder


def config(weights: Path, **options: Any) -> ZoneConfig:
    return ZoneConfig(
        **{
            "model": str(weights / "first"),
            "second_model": str(weights / "second"),
            "sam_model": str(weights / "sam"),
            "steps": STEPS,
            "resolution": 32,
            "crop": "none",
            "segmenter": "grabcut",
            **options,
        }
    )


def jobs(number: int = 2) -> list[Job]:
    made = []
    for key in range(number):
        image, _ = scene(32, 40, seed=key)
        everywhere = np.ones((32, 40), np.float32)
        made.append(Job(image=image, condition=image, mask=everywhere, key=key + 3, whole=True))
    return made


def run(
    weights: Path, given: list[Job], step: EditStep = CHANGE, strength: float = 1.0, **options: Any
) -> Made:
    task = Task(step=step, source_caption="", edited_caption="", strength=strength)
    return Zone.loaded(config(weights, **options)).run(given, task)


def test_a_change_equals_diffusers_pipeline_with_the_same_solver(weights: Path) -> None:
    from diffusers import DPMSolverMultistepScheduler, StableDiffusionInstructPix2PixPipeline

    pipeline = StableDiffusionInstructPix2PixPipeline.from_pretrained(
        weights / "first", local_files_only=True, safety_checker=None,
        requires_safety_checker=False,
    )  # fmt: skip
    pipeline.scheduler = DPMSolverMultistepScheduler.from_config(
        pipeline.scheduler.config, algorithm_type="dpmsolver++", solver_order=2
    )
    pipeline.set_progress_bar_config(disable=True)
    two = jobs()
    theirs = pipeline(
        prompt=[CHANGE.instruction] * 2,
        image=torch.from_numpy(np.stack([job.image for job in two])).permute(0, 3, 1, 2),
        num_inference_steps=STEPS,
        guidance_scale=7.5,
        image_guidance_scale=1.5,
        latents=keyed_noise((4, 8, 10), [job.key for job in two], "start", torch.zeros(1)),
        output_type="np",
    ).images
    ours = np.stack(run(weights, two).images)
    assert ours.std() > 0.01
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


@pytest.mark.parametrize(
    ("step", "options", "first", "second"),
    [
        (CHANGE, {}, 3 * STEPS, 0),
        (REMOVE, {}, 3 * STEPS, 3 * STEPS),
        (REMOVE, {"beta": 0.0}, 3 * STEPS, 0),
        (CHANGE, {"beta": 0.3}, 3 * STEPS, 3 * STEPS),
        (CHANGE, {"action": "remove"}, 3 * STEPS, 3 * STEPS),
    ],
)
def test_the_second_network_runs_where_it_counts_and_each_part_once(
    weights: Path, step: EditStep, options: dict[str, Any], first: int, second: int
) -> None:
    method = Zone.loaded(config(weights, **options))
    rows = {"first": 0, "second": 0, "encoder": 0, "decoder": 0}

    def counting(name: str) -> Any:
        def hook(_: Any, given: tuple[Any, ...], *__: Any) -> None:
            rows[name] += len(given[0])

        return hook

    method.network.unet.register_forward_pre_hook(counting("first"))
    method.network.vae.encoder.register_forward_pre_hook(counting("encoder"))
    method.network.vae.decoder.register_forward_pre_hook(counting("decoder"))
    if second:
        method._drawing().unet.register_forward_pre_hook(counting("second"))
    method.run(jobs(1), Task(step=step, source_caption="", edited_caption=""))
    assert rows == {"first": first, "second": second, "encoder": 1, "decoder": 1}


def test_the_two_networks_are_not_alike(weights: Path) -> None:
    removed = np.stack(run(weights, jobs(1), REMOVE).images)
    swapped = {
        "model": str(weights / "second"),
        "second_model": str(weights / "first"),
    }
    assert np.abs(removed - np.stack(run(weights, jobs(1), REMOVE, **swapped).images)).max() > 0.01
    alone = np.stack(run(weights, jobs(1), REMOVE, beta=0.0).images)
    assert np.abs(removed - alone).max() > 1e-3


def test_the_region_is_where_attention_is_and_within_the_given_one(weights: Path) -> None:
    job = jobs(1)[0]
    # a miniature's attention tells little: what lies in the upper half of its range is taken
    made = run(weights, [job], segmenter="none", smooth=False)
    assert made.masks is not None
    region = made.masks[0] > 0
    assert 0.01 < region.mean() < 0.99
    given = np.zeros_like(job.mask)
    given[:, :20] = 1
    within = run(weights, [dataclasses.replace(job, mask=given)], segmenter="none")
    assert within.masks is not None
    inside = within.masks[0] > 0
    assert inside.any()
    assert not inside[:, 20:].any()
    more = run(weights, [job], segmenter="none", smooth=False, threshold=0.8)
    assert more.masks is not None
    assert (more.masks[0] > 0).sum() > region.sum()


@pytest.mark.parametrize("segmenter", ["grabcut", "sam"])
def test_a_segmenter_refines_it_or_the_rough_region_stays(weights: Path, segmenter: str) -> None:
    made = run(weights, jobs(1), segmenter=segmenter)
    assert made.masks is not None
    assert (made.masks[0] > 0).any()
    assert any("segments" in note for note in made.notes)
    assert any("the action is change by the rules" in note for note in made.notes)


def test_attention_that_tells_nothing_changes_nothing(weights: Path) -> None:
    method = Zone.loaded(config(weights))
    with torch.no_grad():
        for name, module in method.network.unet.named_modules():
            if name.endswith("attn2.to_q"):
                module.weight.zero_()
    made = method.run(jobs(2), Task(step=CHANGE, source_caption="", edited_caption=""))
    assert made.masks is not None
    assert not np.stack(made.masks).any()
    assert [warning for warning in made.warnings if "same everywhere" in warning]


def test_a_batch_equals_single_edits(weights: Path) -> None:
    two = jobs()
    together = run(weights, two)
    alone = [run(weights, [job]) for job in two]
    assert together.masks is not None
    for n, one in enumerate(alone):
        assert one.masks is not None
        np.testing.assert_allclose(together.images[n], one.images[0], atol=1e-5)
        np.testing.assert_allclose(together.masks[n], one.masks[0], atol=1e-4)


def test_below_full_strength_it_starts_from_the_picture(weights: Path) -> None:
    job = jobs(1)[0]
    brighter = dataclasses.replace(job, image=np.clip(job.image + 0.2, 0, 1))
    for strength, counts in ((1.0, False), (0.5, True)):
        plain = run(weights, [job], strength=strength).images[0]
        moved = np.abs(run(weights, [brighter], strength=strength).images[0] - plain).mean()
        assert (moved > 1e-3) == counts


def test_long_instructions_are_cut_off_and_said_so(weights: Path) -> None:
    long = dataclasses.replace(CHANGE, instruction="make the disc " + "very " * 90 + "red")
    made = run(weights, jobs(1), long)
    assert any("cut off" in warning for warning in made.warnings)


def test_cancelling_stops_between_two_calls(weights: Path) -> None:
    asked = iter([False, False, True])
    task = Task(step=CHANGE, source_caption="", edited_caption="", cancelled=lambda: next(asked))
    with pytest.raises(EditCancelled):
        Zone.loaded(config(weights)).run(jobs(1), task)


@pytest.mark.parametrize("kind", ["replace", "remove"])
def test_it_keeps_the_contract(weights: Path, kind: Kind) -> None:
    check_editor(config(weights).build(), kinds=[kind], size=(48, 64), tolerance=1e-4)


def test_progress_ends_at_one(weights: Path) -> None:
    told: list[float] = []
    image, alpha = scene(32, 40)
    work = dataclasses.replace(
        batch_of([image], [alpha]), progress=lambda _stage, done: told.append(done)
    )
    made = config(weights).build().prepare(REMOVE, []).edit(work)
    assert made.rows["unet"] == 6 * STEPS
    assert told[-1] == 1


def test_what_is_missing_or_wrong_is_said(weights: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingWeights):
        run(weights, jobs(1), REMOVE, second_model=str(tmp_path / "nowhere"))
    run(weights, jobs(1), CHANGE, second_model=str(tmp_path / "nowhere"))
    with pytest.raises(MissingWeights):
        run(weights, jobs(1), segmenter="sam", sam_model=str(tmp_path / "nowhere"))
    for options in ({"beta": -1.0}, {"threshold": 2.0}, {"image_guidance": float("nan")}):
        with pytest.raises(InvalidInput):
            ZoneConfig(**options)  # type: ignore[arg-type]


def test_naming_it_imports_no_torch() -> None:
    code = (
        "import sys; from image_core.editors.zone import ZoneConfig as C; C().build().why_not();"
        "sys.exit(bool({'torch', 'diffusers', 'transformers'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
