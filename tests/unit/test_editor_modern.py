"""Today's editors: diffusers' own pipelines, real classes at miniature size."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
diffusers = pytest.importorskip("diffusers")

import PIL.Image  # noqa: E402
from diffusers.pipelines.qwenimage import (  # noqa: E402
    pipeline_qwenimage_edit,
    pipeline_qwenimage_edit_inpaint,
    pipeline_qwenimage_edit_plus,
)
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as some  # noqa: E402

from image_core.diffusion.keyed_noise import generator_of  # noqa: E402
from image_core.editors.generative import Job, Task  # noqa: E402
from image_core.editors.modern import (  # noqa: E402
    KleinConfig,
    KontextConfig,
    QwenImageEditConfig,
    Sd3InpaintingConfig,
)
from image_core.editors.modern.config import ModernConfig  # noqa: E402
from image_core.editors.modern.method import PipelineMethod  # noqa: E402
from image_core.editors.modern.sizes import covered, fitted, nearest_shape, settled  # noqa: E402
from image_core.editors.modern.wording import caption_for, instruction_for  # noqa: E402
from image_core.errors import (  # noqa: E402
    EditCancelled,
    EditFailed,
    InvalidInput,
    MissingWeights,
    NonFiniteOutput,
    UnsupportedEdit,
)
from image_core.testing import batch_of, check_editor, scene  # noqa: E402
from image_core.testing.miniature import modern  # noqa: E402
from image_core.types import EditStep, Image, Target  # noqa: E402

REPLACE = EditStep(
    instruction="replace the left disc with a ball",
    kind="replace",
    target=Target(phrase="left disc", noun="disc"),
    value="ball",
    source_caption="a disc",
    edited_caption="a ball",
)
SMALL = 128 * 128

Made = Callable[[str], ModernConfig]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Miniature checkpoints, by name."""
    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("modern")
    return {
        "klein": modern.write_klein(root / "klein"),
        "klein-base": modern.write_klein(root / "klein-base", distilled=False),
        "qwen": modern.write_qwen_image_edit(root / "qwen"),
        "qwen-plus": modern.write_qwen_image_edit(root / "qwen-plus", plus=True),
        "kontext": modern.write_kontext(root / "kontext"),
        "sd3": modern.write_sd3(root / "sd3"),
    }


@pytest.fixture(scope="module")
def configs(folders: dict[str, Path]) -> dict[str, ModernConfig]:
    """A configuration of each way to edit, one or two steps long."""
    small = {"resolution": 64, "steps": 1, "device": "cpu"}
    masked = {**small, "steps": 2, "region": "inpaint"}
    at = {name: str(folder) for name, folder in folders.items()}
    return {
        "klein": KleinConfig(model=at["klein"], **small),
        "klein-base": KleinConfig(model=at["klein-base"], **small),
        "klein-inpaint": KleinConfig(model=at["klein"], **masked),
        "qwen": QwenImageEditConfig(model=at["qwen"], steps=1, device="cpu"),
        "qwen-plus": QwenImageEditConfig(model=at["qwen-plus"], steps=1, device="cpu"),
        "qwen-inpaint": QwenImageEditConfig(
            model=at["qwen"], steps=2, device="cpu", region="inpaint"
        ),
        "kontext": KontextConfig(model=at["kontext"], **small),
        "kontext-inpaint": KontextConfig(model=at["kontext"], **masked),
        "sd3": Sd3InpaintingConfig(model=at["sd3"], resolution=64, steps=2, device="cpu"),
    }


@pytest.fixture(autouse=True)
def small_megapixel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Qwen's pipelines take 128 x 128 for their megapixel: one at full size takes seconds."""
    for module in (
        pipeline_qwenimage_edit,
        pipeline_qwenimage_edit_inpaint,
        pipeline_qwenimage_edit_plus,
    ):
        real = module.calculate_dimensions
        monkeypatch.setattr(
            module, "calculate_dimensions", lambda area, ratio, real=real: real(SMALL, ratio)
        )


@pytest.fixture(scope="module")
def methods(configs: dict[str, ModernConfig]) -> Callable[[str], PipelineMethod]:
    """Loaded methods, each made once."""
    known: dict[str, PipelineMethod] = {}

    def method(name: str) -> PipelineMethod:
        if name not in known:
            known[name] = PipelineMethod.loaded(configs[name])
        return known[name]

    return method


ALL = (
    "klein",
    "klein-inpaint",
    "qwen",
    "qwen-plus",
    "qwen-inpaint",
    "kontext",
    "kontext-inpaint",
    "sd3",
)


def picture(height: int, width: int, seed: int = 0) -> tuple[Image, Image]:
    """Return a scene and the mask of something in its upper left quarter."""
    image, _ = scene(height, width, seed=seed)
    mask = np.zeros((height, width), np.float32)
    mask[height // 4 : height // 2, width // 4 : width // 2] = 1
    return image, mask


def job_of(height: int, width: int, *, key: int = 3, seed: int = 0) -> Job:
    image, mask = picture(height, width, seed)
    return Job(image=image, condition=image, mask=mask, key=key)


def task_of(step: EditStep = REPLACE, **more: Any) -> Task:
    return Task(step=step, source_caption="a disc", edited_caption="a ball", **more)


# the arguments of an unmodified call, written by hand for a picture that needs no scaling
PLAIN: dict[str, Callable[[PIL.Image.Image, PIL.Image.Image], dict[str, Any]]] = {
    "klein": lambda image, mask: {"image": [image], "guidance_scale": 1.0},
    "klein-inpaint": lambda image, mask: {
        "image": image,
        "mask_image": mask,
        "strength": 0.6,
        "guidance_scale": 1.0,
    },
    "qwen": lambda image, mask: {"image": image, "true_cfg_scale": 4.0, "negative_prompt": " "},
    "qwen-plus": lambda image, mask: {
        "image": [image],
        "true_cfg_scale": 4.0,
        "negative_prompt": " ",
    },
    "qwen-inpaint": lambda image, mask: {
        "image": image,
        "mask_image": mask,
        "strength": 0.6,
        "true_cfg_scale": 4.0,
        "negative_prompt": " ",
    },
    "kontext": lambda image, mask: {
        "image": image,
        "guidance_scale": 2.5,
        "max_area": image.width * image.height,
        "_auto_resize": False,
    },
    "kontext-inpaint": lambda image, mask: {
        "image": image,
        "mask_image": mask,
        "strength": 0.6,
        "guidance_scale": 2.5,
        "max_area": image.width * image.height,
        "_auto_resize": False,
    },
    "sd3": lambda image, mask: {
        "image": image,
        "mask_image": mask,
        "strength": 0.6,
        "guidance_scale": 7.0,
    },
}


def unmodified(name: str, job: Job, config: ModernConfig, method: PipelineMethod) -> Image:
    """Call a freshly loaded pipeline of diffusers as its documentation does."""
    fresh = type(method.pipeline).from_pretrained(config.model, local_files_only=True)
    fresh.set_progress_bar_config(disable=True)
    image = PIL.Image.fromarray(np.rint(job.image * 255).astype(np.uint8))
    mask = PIL.Image.fromarray(np.rint(job.mask * 255).astype(np.uint8))
    prompt = "a ball" if name == "sd3" else "replace the disc with a ball"
    return fresh(
        prompt=prompt,
        height=image.height,
        width=image.width,
        num_inference_steps=config.steps,
        generator=generator_of(job.key, "start"),
        output_type="np",
        **PLAIN[name](image, mask),
    ).images[0]


@contextmanager
def changed(weight: Any) -> Iterator[None]:
    """Perturb a weight for a while."""
    before = weight.detach().clone()
    with torch.no_grad():
        weight.mul_(1.3).add_(0.05)
    try:
        yield
    finally:
        with torch.no_grad():
            weight.copy_(before)


@pytest.mark.parametrize("name", ALL)
def test_two_pictures_equal_unmodified_calls_of_the_pipeline(
    name: str, configs: dict[str, ModernConfig], methods: Callable[[str], PipelineMethod]
) -> None:
    side = 128 if name.startswith("qwen") else 64
    method, jobs = methods(name), [job_of(side, side), job_of(side, side, key=4, seed=1)]
    task = task_of(strength=0.6)
    made = method.run(jobs, task).images
    for job, image in zip(jobs, made, strict=True):
        plain = unmodified(name, job, configs[name], method)
        assert np.abs(image - plain).max() < 1e-4
        assert image.std() > 0.01
    assert np.abs(made[0] - made[1]).max() > 0.05
    weight = next(p for p in method.pipeline.transformer.parameters() if p.ndim > 1)
    with changed(weight):
        other = method.run(jobs[:1], task).images[0]
    assert np.abs(other - made[0]).max() > 1e-3


@pytest.mark.parametrize(
    ("name", "size"),
    [(name, (64, 96)) for name in ALL]
    + [(name, (160, 32)) for name in ("klein", "qwen-inpaint", "kontext-inpaint", "sd3")],
)
def test_what_goes_in_and_comes_out_lies_on_the_picture(
    name: str, size: tuple[int, int], methods: Callable[[str], PipelineMethod]
) -> None:
    method, job = methods(name), job_of(*size)
    seen: list[Any] = []
    shown: list[Any] = []
    vae = method.pipeline.vae
    handles = [
        vae.encoder.register_forward_pre_hook(lambda _m, given: seen.append(given[0])),
        vae.decoder.register_forward_hook(lambda _m, _g, output: shown.append(output)),
    ]
    try:
        made = method.run([job], task_of()).images[0]
    finally:
        for handle in handles:
            handle.remove()
    into, out = _as_image(seen[0], job), _as_image(shown[-1], job)
    assert made.shape == job.image.shape
    # scaled there and back a picture loses its noise, but nothing of it moves
    assert np.abs(into - job.image).mean() < 0.02
    for moved in (np.roll(job.image, 2, 0), np.roll(job.image, 2, 1), job.image[:, ::-1]):
        assert np.abs(into - job.image).mean() < np.abs(into - moved).mean()
    for moved in (np.roll(made, 1, 0), np.roll(made, 1, 1), made[::-1], made[:, ::-1]):
        assert np.abs(out - made).mean() < np.abs(out - moved).mean()


def _as_image(tensor: Any, job: Job) -> Image:
    """Return what a VAE got or gave as a picture of the job's size, by plain area sampling."""
    pixels = tensor if tensor.ndim == 4 else tensor[:, :, 0]
    pixels = (pixels.float() / 2 + 0.5).clamp(0, 1)
    same = torch.nn.functional.interpolate(
        pixels, job.image.shape[:2], mode="bicubic", antialias=True
    )
    return same[0].permute(1, 2, 0).clamp(0, 1).detach().numpy()


@pytest.mark.parametrize("name", ["kontext-inpaint", "klein-inpaint"])
def test_a_mask_holds_the_latents_outside_it_and_no_others(
    name: str, methods: Callable[[str], PipelineMethod]
) -> None:
    method, job = methods(name), job_of(64, 64)
    held: list[Any] = []
    handle = method.pipeline.vae.decoder.register_forward_pre_hook(
        lambda _m, given: held.append(given[0])
    )
    try:
        for key in (1, 2):
            method.run([replace(job, key=key)], task_of())
    finally:
        handle.remove()
    differs = (held[0] - held[1]).abs().flatten(0, -3).amax(dim=0) > 1e-2
    factor = method.pipeline.vae_scale_factor
    where = np.kron(differs.numpy(), np.ones((factor, factor))).astype(np.float32)
    assert np.array_equal(where, job.mask)


@pytest.mark.parametrize("name", ["klein", "qwen-plus", "kontext-inpaint", "sd3"])
def test_a_batch_equals_single_edits_and_the_key_decides_the_noise(
    name: str, configs: dict[str, ModernConfig], methods: Callable[[str], PipelineMethod]
) -> None:
    editor = configs[name].build()
    editor._method = methods(name)  # loaded before
    pairs = [picture(70, 90), picture(64, 64, seed=2)]
    images, masks = [p[0] for p in pairs], [p[1] for p in pairs]
    prepared = editor.prepare(REPLACE, [])
    both = prepared.edit(batch_of(images, masks, keys=[7, 8])).images
    alone = [
        prepared.edit(batch_of([image], [mask], keys=[key])).images[0]
        for image, mask, key in zip(images, masks, (7, 8), strict=True)
    ]
    for together, single in zip(both, alone, strict=True):
        assert np.abs(together - single).max() < 1e-5
    other = prepared.edit(batch_of(images[1:], masks[1:], keys=[9])).images[0]
    assert np.abs(other - alone[1]).max() > 0.02


def test_rows_are_counted_exactly_and_the_hooks_are_gone(
    configs: dict[str, ModernConfig], methods: Callable[[str], PipelineMethod]
) -> None:
    editor = replace(configs["klein-base"], steps=3).build()
    editor._method = replace(methods("klein-base"), config=editor.config)
    image, mask = picture(64, 64)
    made = editor.prepare(REPLACE, []).edit(batch_of([image] * 2, [mask] * 2))
    # guided: a call with the prompt and one without, at each of 3 steps, for each of 2 pictures
    assert dict(made.rows) == {
        "text encoder": 4,
        "vae encoder": 2,
        "transformer": 12,
        "vae decoder": 2,
    }
    assert made.evaluations == 20
    pipeline = methods("klein-base").pipeline
    for network in (pipeline.transformer, pipeline.vae.encoder, pipeline.text_encoder):
        assert not network._forward_hooks


def test_the_vision_encoder_is_counted_by_pictures(
    configs: dict[str, ModernConfig], methods: Callable[[str], PipelineMethod]
) -> None:
    editor = configs["qwen"].build()
    editor._method = methods("qwen")
    image, mask = picture(64, 64)
    rows = editor.prepare(REPLACE, []).edit(batch_of([image], [mask])).rows
    assert (rows["vision encoder"], rows["text encoder"], rows["transformer"]) == (2, 2, 2)


def test_a_crop_is_told_of_the_thing_and_the_whole_picture_of_its_place(
    methods: Callable[[str], PipelineMethod], configs: dict[str, ModernConfig]
) -> None:
    editor = configs["klein"].build()
    editor._method = methods("klein")
    image, _ = scene(200, 200)
    small, large = np.zeros((2, 200, 200), np.float32)
    small[80:100, 80:100] = 1
    large[20:180, 20:180] = 1
    prepared = editor.prepare(REPLACE, [])
    notes = [prepared.edit(batch_of([image], [mask])).notes[0] for mask in (small, large)]
    assert notes == [
        "the prompt was 'replace the disc with a ball'",
        "the prompt was 'replace the left disc with a ball'",
    ]


def test_cancelling_stops_between_two_steps(methods: Callable[[str], PipelineMethod]) -> None:
    method = methods("kontext-inpaint")
    told: list[float] = []
    task = task_of(tick=told.append, cancelled=lambda: bool(told))
    with pytest.raises(EditCancelled):
        method.run([job_of(64, 64)], task)
    assert len(told) == 1
    assert 0 < told[0] < 1


@pytest.mark.parametrize(
    ("name", "options", "error", "says"),
    [
        ("klein", {"guidance": 4.0}, UnsupportedEdit, "distilled"),
        ("qwen-plus", {"region": "inpaint"}, UnsupportedEdit, "region=inpaint"),
    ],
)
def test_an_option_that_the_checkpoint_lacks_is_refused(
    name: str,
    options: dict[str, Any],
    error: type[Exception],
    says: str,
    configs: dict[str, ModernConfig],
) -> None:
    with pytest.raises(error, match=says):
        PipelineMethod.loaded(replace(configs[name], **options))


def test_a_strength_is_refused_without_a_mask_and_taken_with_one(
    configs: dict[str, ModernConfig],
) -> None:
    image, mask = picture(64, 64)
    work = batch_of([image], [mask], strength=0.5)
    for name in ("klein", "qwen", "kontext"):
        with pytest.raises(UnsupportedEdit, match="has no strength"):
            configs[name].build().prepare(REPLACE, []).edit(work)
    assert configs["klein-inpaint"].build().capabilities.has_strength


def test_an_edited_caption_is_the_prompt_with_a_source_caption_or_without(
    configs: dict[str, ModernConfig], methods: Callable[[str], PipelineMethod]
) -> None:
    for source in ("", "a dog"):
        config = replace(configs["klein"], source_caption=source, edited_caption="make it a fox {}")
        method = replace(methods("klein"), config=config)
        assert method.call_for(job_of(64, 64), task_of()).prompt == "make it a fox {}"


def test_a_checkpoint_of_another_kind_or_a_missing_one_is_told(
    configs: dict[str, ModernConfig], tmp_path: Path
) -> None:
    with pytest.raises(InvalidInput, match="FluxKontextPipeline"):
        PipelineMethod.loaded(replace(configs["klein"], model=configs["kontext"].model))
    with pytest.raises(MissingWeights):
        KleinConfig(model=str(tmp_path / "nothing")).build().prepare(REPLACE, [])
    with pytest.raises(InvalidInput, match="steps=0"):
        KontextConfig(steps=0)
    with pytest.raises(InvalidInput, match="below 1"):
        KontextConfig(guidance=0.5)
    with pytest.raises(UnsupportedEdit, match="resolution=512"):
        QwenImageEditConfig(resolution=512)
    step = EditStep(instruction="blur the disc", kind="filter")
    with pytest.raises(UnsupportedEdit, match="blur"):
        configs["klein"].build().prepare(step, [])


def test_not_finite_weights_end_as_such(
    configs: dict[str, ModernConfig], methods: Callable[[str], PipelineMethod]
) -> None:
    editor = configs["kontext"].build()
    editor._method = methods("kontext")
    image, mask = picture(64, 64)
    weight = editor._method.pipeline.vae.decoder.conv_out.weight
    before = weight.detach().clone()
    with torch.no_grad():
        weight.fill_(float("nan"))
    try:
        with pytest.raises(NonFiniteOutput):
            editor.prepare(REPLACE, []).edit(batch_of([image], [mask]))
    finally:
        with torch.no_grad():
            weight.copy_(before)


@pytest.mark.parametrize("name", ["klein", "qwen", "kontext", "sd3"])
def test_little_memory_gives_the_same_picture(
    name: str, configs: dict[str, ModernConfig], methods: Callable[[str], PipelineMethod]
) -> None:
    low = PipelineMethod.loaded(replace(configs[name], memory="low"))
    assert low.pipeline.vae.use_tiling
    made = [method.run([job_of(64, 64)], task_of()).images[0] for method in (low, methods(name))]
    assert np.abs(made[0] - made[1]).max() < 1e-5


@pytest.mark.parametrize(
    ("name", "wanted", "size"),
    [
        ("kontext", (1024, 1024), (1024, 1024)),
        ("kontext", (880, 1192), (880, 1184)),  # one that it was trained on
        ("kontext", (512, 2048), (512, 2048)),  # none of those is like it
        ("kontext", (512, 512), (512, 512)),
        ("klein", (1032, 1024), (1024, 1016)),
        ("klein", (16, 4096), (88, 704)),
        ("qwen", (8, 8000), (32, 512)),
        ("sd3", (8, 1024), (8, 256)),
    ],
)
def test_each_pipeline_is_given_a_size_that_it_leaves_alone(
    name: str,
    wanted: tuple[int, int],
    size: tuple[int, int],
    methods: Callable[[str], PipelineMethod],
) -> None:
    method = methods(name)
    assert method.family.size(method.pipeline, wanted, method.multiple) == size


def test_a_flagged_picture_is_not_given_out(methods: Callable[[str], PipelineMethod]) -> None:
    method = methods("sd3")

    class Flagging(type(method.pipeline)):  # type: ignore[misc]
        def __call__(self, **named: Any) -> Any:
            images = super().__call__(**named).images
            return SimpleNamespace(images=images, nsfw_content_detected=[True])

    flagging = Flagging(**method.pipeline.components)
    with pytest.raises(EditFailed, match="safety checker refused"):
        replace(method, pipeline=flagging).run([job_of(64, 64)], task_of())


def test_making_an_editor_imports_no_torch() -> None:
    code = (
        "import sys; from image_core.editors.modern import *; "
        "e = QwenImageEditConfig(model='no/such').build(); assert 'no/such' in e.why_not(); "
        "assert not {'torch', 'diffusers', 'transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", ["klein", "qwen", "kontext", "sd3"])
def test_the_seam_is_kept(
    name: str, configs: dict[str, ModernConfig], methods: Callable[[str], PipelineMethod]
) -> None:
    editor = configs[name].build()
    editor._method = replace(methods(name), config=editor.config)
    check_editor(editor, kinds=["replace"], steps=[REPLACE], size=(64, 64), tolerance=1e-4)


@pytest.mark.parametrize(
    ("step", "crop", "whole"),
    [
        (REPLACE, "replace the disc with a ball", "replace the left disc with a ball"),
        (
            EditStep(
                instruction="put a hat on the second man from the left",
                kind="add",
                target=Target(phrase="second man from the left", noun="man", ordinal=2),
                value="hat",
                relation="on",
            ),
            "add a hat on the man",
            "add a hat on the second man from the left",
        ),
        (
            EditStep(
                instruction="change all the red apples to green",
                kind="recolor",
                target=Target(phrase="red apples", noun="apple", colours=("red",), all=True),
                value="green",
            ),
            "change the color of every red apple to green",
            "change the color of all the red apples to green",
        ),
        (
            EditStep(
                instruction="remove the big cup",
                kind="remove",
                target=Target(noun="cup", phrase="big cup"),
            ),
            "remove the cup",
            "remove the big cup",
        ),
        (
            EditStep(
                instruction="make it snowy",
                kind="attribute",
                value="snowy",
                target=Target(pronoun=True),
            ),
            "make it snowy",
            "make it snowy",
        ),
        (
            EditStep(
                instruction="everything but the sky as an oil painting",
                kind="style",
                value="oil painting",
                target=Target(phrase="sky", noun="sky", inverted=True),
            ),
            "everything but the sky as an oil painting",
            "everything but the sky as an oil painting",
        ),
    ],
)
def test_prompts_make_sense_on_a_crop(step: EditStep, crop: str, whole: str) -> None:
    assert instruction_for(step, whole=False) == crop
    assert instruction_for(step, whole=True) == whole


def test_a_hole_is_never_filled_with_what_is_to_be_removed() -> None:
    step = EditStep(instruction="remove the dog", kind="remove", target=Target(noun="dog"))
    assert "dog" not in caption_for(step, "remove the dog")
    assert caption_for(step, "an empty sofa") == "an empty sofa"


SIDES = some.integers(16, 4000)


@settings(max_examples=200, deadline=None)
@given(SIDES, SIDES)
def test_fitted_sizes_keep_every_bound_and_are_left_alone(height: int, width: int) -> None:
    bounds = {"multiple": 16, "least_side": 64, "most_area": 1024 * 1024, "most_ratio": 8.0}
    found = fitted((height, width), **bounds)
    assert all(side % 16 == 0 and side >= 64 for side in found)
    assert found[0] * found[1] <= 1024 * 1024
    assert max(found) <= 8 * min(found)
    assert fitted(found, **bounds) == found


@settings(max_examples=200, deadline=None)
@given(SIDES, SIDES)
def test_settled_sizes_are_left_alone_by_the_rule(height: int, width: int) -> None:
    def rule(ratio: float) -> tuple[int, int]:
        columns = round((1024 * 1024 * ratio) ** 0.5 / 32) * 32
        rows = round((1024 * 1024 / ratio) ** 0.5 / 32) * 32
        return max(32, rows), max(32, columns)

    found = settled((height, width), rule)
    assert rule(found[1] / found[0]) == found


def test_the_nearest_trained_shape_is_chosen() -> None:
    choices = [(1024, 1024), (832, 1248), (1248, 832)]
    assert nearest_shape((960, 1088), choices) == (1024, 1024)
    assert nearest_shape((800, 1300), choices) == (832, 1248)
    assert nearest_shape((1300, 800), choices) == (1248, 832)


def test_a_thin_line_is_not_lost_in_a_mask() -> None:
    mask = np.zeros((128, 128), np.float32)
    mask[:, 71] = 0.2
    for size in ((128, 128), (64, 64), (192, 192)):
        whole = covered(mask, size, 16)
        assert whole.shape == size
        assert set(np.unique(whole)) == {0, 1}
        assert whole[:, int(71.5 / 128 * size[1])].all()
        assert whole.mean() <= 32 / size[1]
