"""Directional CLIP similarity, and InstructEdit's choice of its ratio by it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")

import torch

from image_core.devices import placement
from image_core.diffusion.schedule import used_steps
from image_core.editors.generative import GenerativeEditor
from image_core.editors.masked_ddim import InstructEditConfig
from image_core.editors.masked_ddim.method import ratios_tried
from image_core.errors import MissingWeights
from image_core.evaluations import counting
from image_core.metrics.clip_direction import ClipDirection, directional_similarity
from image_core.testing import STEPS, batch_of, scene
from image_core.testing.miniature.clip import write_clip
from image_core.testing.miniature.stable_diffusion import write_stable_diffusion
from image_core.types import Edit, Image

CAPTIONS = ("a photo of a cat", "a photo of a dog in the snow")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return write_clip(tmp_path_factory.mktemp("weights") / "clip")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_stable_diffusion(tmp_path_factory.mktemp("weights") / "sd")


@pytest.fixture
def metric(clip: Path) -> ClipDirection:
    return ClipDirection.loaded(str(clip), placement("cpu"))


def pictures(number: int = 3, size: tuple[int, int] = (40, 52)) -> tuple[list[Image], list[Image]]:
    before = [scene(*size, seed=n)[0] for n in range(number)]
    after = [
        np.ascontiguousarray(image[::-1, :, ::-1] ** (1 + n)) for n, image in enumerate(before)
    ]
    return before, after


def by_the_library(clip: Path, before: list[Image], after: list[Image]) -> np.ndarray:
    """Compute the same with CLIPModel's own embeddings and a cosine by hand."""
    from transformers import CLIPImageProcessor, CLIPModel, CLIPTokenizer

    model = CLIPModel.from_pretrained(clip, local_files_only=True).eval()
    tokenizer = CLIPTokenizer.from_pretrained(clip, local_files_only=True)
    processor = CLIPImageProcessor.from_pretrained(clip, local_files_only=True)
    planes = [np.rint(image * 255).astype(np.uint8) for image in (*before, *after)]
    with torch.no_grad():
        out = model(
            **tokenizer(list(CAPTIONS), padding=True, return_tensors="pt"),
            **processor(planes, return_tensors="pt", input_data_format="channels_last"),
        )
    texts, images = out.text_embeds.numpy(), out.image_embeds.numpy()  # normalised by the model
    change, told = images[len(before) :] - images[: len(before)], texts[1] - texts[0]
    return (change @ told) / (np.linalg.norm(change, axis=1) * np.linalg.norm(told))


def test_scores_equal_a_plain_computation_with_the_library(
    metric: ClipDirection, clip: Path
) -> None:
    before, after = pictures()
    scores = metric.scores(before, after, *CAPTIONS)
    np.testing.assert_allclose(scores, by_the_library(clip, before, after), atol=1e-5)
    assert np.ptp(scores) > 0.01
    assert all(-1 <= score <= 1 for score in scores)


@pytest.mark.parametrize("size", [(1, 40), (3, 40), (40, 3), (3, 3), (1, 1), (4, 7)])
def test_thin_pictures_are_not_taken_for_planes(
    metric: ClipDirection, clip: Path, size: tuple[int, int]
) -> None:
    before, after = pictures(2, size)
    np.testing.assert_allclose(
        metric.scores(before, after, *CAPTIONS), by_the_library(clip, before, after), atol=1e-5
    )


def test_pictures_of_many_sizes_are_scored_together_as_alone(metric: ClipDirection) -> None:
    before = [scene(*size)[0] for size in ((40, 52), (64, 30))]
    after = [1 - image for image in before]
    together = metric.scores(before, after, *CAPTIONS)
    alone = [metric.scores([b], [a], *CAPTIONS)[0] for b, a in zip(before, after, strict=True)]
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_turning_the_captions_round_turns_the_sign(metric: ClipDirection) -> None:
    before, after = pictures()
    there, back = (metric.scores(before, after, *words) for words in (CAPTIONS, CAPTIONS[::-1]))
    np.testing.assert_allclose(there, [-score for score in back], atol=1e-6)


def test_where_nothing_changed_the_score_is_0(metric: ClipDirection) -> None:
    before, after = pictures()
    assert metric.scores(before, before, *CAPTIONS) == pytest.approx([0] * 3, abs=1e-6)
    assert metric.scores(before, after, "a cat", "a cat") == pytest.approx([0] * 3, abs=1e-6)


def test_a_long_caption_is_cut_and_not_refused(metric: ClipDirection) -> None:
    before, after = pictures(1)
    assert np.isfinite(metric.scores(before, after, "a cat", "a very long tale " * 50)).all()


def test_rows_are_counted(metric: ClipDirection) -> None:
    with counting() as rows:
        metric.scores(*pictures(3), *CAPTIONS)
    assert dict(rows) == {"clip image": 6, "clip text": 2}


def test_the_similarity_is_a_cosine() -> None:
    one, other = torch.tensor([[1.0, 0.0], [0.0, 2.0]]), torch.tensor([[3.0, 0.0], [1.0, 1.0]])
    assert directional_similarity(one, other).tolist() == pytest.approx([1, 2**-0.5])


def test_weights_stored_in_16_bits_judge_in_32(tmp_path: Path, clip: Path) -> None:
    from transformers import CLIPModel

    folder = write_clip(tmp_path / "half")
    CLIPModel.from_pretrained(folder, local_files_only=True).half().save_pretrained(folder)
    before, after = pictures()
    half = ClipDirection.loaded(str(folder), placement("cpu")).scores(before, after, *CAPTIONS)
    np.testing.assert_allclose(half, by_the_library(clip, before, after), atol=0.02)


def test_a_judge_that_is_not_there_is_missing_weights(tmp_path: Path) -> None:
    with pytest.raises(MissingWeights):
        ClipDirection.loaded(str(tmp_path / "nothing"), placement("cpu"))


STEPS_OF_RUN = 8


@pytest.fixture
def instructedit(
    checkpoint: Path, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Any:
    monkeypatch.setenv("INSITU_CACHE", str(tmp_path / "cache"))

    def make(**options: Any) -> GenerativeEditor:
        given = {"steps": STEPS_OF_RUN, "resolution": 32, "crop": "none", "cache": False, **options}
        return InstructEditConfig(
            model=str(checkpoint), clip_model=str(clip), device="cpu", **given
        ).build()

    return make


def swept(editor: GenerativeEditor, number: int = 1, strength: Any = "auto") -> Edit:
    pairs = [scene(32, 32, seed=n) for n in range(number)]
    work = batch_of([p[0] for p in pairs], [p[1] for p in pairs])
    return editor.prepare(STEPS["replace"], ()).edit(replace(work, strength=strength))


@pytest.mark.parametrize("samples", [1, 2, 4])
def test_a_sweep_pays_one_inversion_and_two_rows_a_level_of_each_ratio(
    instructedit: Any, samples: int
) -> None:
    depths = [used_steps(STEPS_OF_RUN, ratio) for ratio in ratios_tried(samples)]
    made = swept(instructedit(samples=samples))
    assert made.rows["unet"] == 2 * sum(depths) + max(depths)
    assert made.rows["vae decoder"] == samples
    assert made.evaluations == sum(made.rows.values())


def test_a_sweep_over_cached_paths_pays_no_inversion(instructedit: Any) -> None:
    depths = [used_steps(STEPS_OF_RUN, ratio) for ratio in ratios_tried(3)]
    editor = instructedit(cache=True)
    first, again = swept(editor), swept(editor)
    assert first.rows["unet"] - again.rows["unet"] == max(depths)
    np.testing.assert_array_equal(first.images[0], again.images[0])


def test_the_chosen_picture_is_that_of_the_ratio_which_the_note_names(instructedit: Any) -> None:
    editor = instructedit()
    made = swept(editor)
    (note,) = made.notes
    chosen = float(note.split("encoding ratio ")[1].split()[0])
    told = dict(part.split(": ") for part in note.split("(")[1].rstrip(")").split(", "))
    assert list(told) == ["0.5", "0.7", "0.9"]
    assert max(told, key=lambda ratio: float(told[ratio])) == f"{chosen:g}"
    alone = swept(editor, strength=chosen)
    np.testing.assert_allclose(made.images[0], alone.images[0], atol=1e-5)
    assert alone.notes == ()


def test_a_sweep_is_deterministic_and_each_picture_chooses_for_itself(instructedit: Any) -> None:
    first, again = (swept(instructedit(), number=2) for _ in range(2))
    assert first.notes == again.notes
    for n in range(2):
        np.testing.assert_array_equal(first.images[n], again.images[n])
    single = swept(instructedit())
    np.testing.assert_allclose(first.images[0], single.images[0], atol=1e-5)


def test_without_its_judge_a_sweep_is_missing_weights_and_a_given_ratio_is_not(
    instructedit: Any, tmp_path: Path
) -> None:
    editor = replace(instructedit().config, clip_model=str(tmp_path / "nothing")).build()
    with pytest.raises(MissingWeights):
        swept(editor)
    assert np.isfinite(swept(editor, strength=0.5).images[0]).all()
