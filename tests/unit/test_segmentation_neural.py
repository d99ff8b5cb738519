"""SAM, SAM 2 and the authors' SAM: they agree with the libraries, and the right mask is chosen."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch

from image_core.compositing import dilated
from image_core.errors import InvalidInput, MissingWeights
from image_core.evaluations import counting
from image_core.segmentation.prompted.choosing import best_guess, box_fit, points_kept, stability
from image_core.segmentation.prompted.prompts import Guesses, Prompt
from image_core.segmentation.prompted.segmenter import PromptedSegmenter, enlarged
from image_core.segmentation.sam import SamConfig
from image_core.segmentation.segment_anything import SegmentAnythingConfig
from image_core.testing.miniature.segmentation import (
    write_sam,
    write_sam2,
    write_segment_anything,
)
from image_core.testing.scenes import scene
from image_core.types import Box, Detection, Image

BOX: Box = (20.0, 10.0, 70.0, 50.0)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {
        "sam": write_sam(tmp_path_factory.mktemp("sam")),
        "sam2": write_sam2(tmp_path_factory.mktemp("sam2"), seed=5),
        "sam2 for video": write_sam2(tmp_path_factory.mktemp("sam2v"), seed=1, video=True),
    }


def _sam(folder: Path, **settings: Any) -> PromptedSegmenter:
    return SamConfig(model=str(folder), **{"least": 0.0, "device": "cpu", **settings}).build()


def _bytes(image: Image) -> np.ndarray:
    return np.rint(image * 255).astype(np.uint8)


def _hard(segmenter: PromptedSegmenter, image: Image, prompt: Prompt) -> tuple[np.ndarray, int]:
    """Return the mask that is chosen before its edge gets an alpha, and which one it was."""
    seen = segmenter.network.encode([_bytes(image)])[0]
    guesses = segmenter.network.decode(seen, [prompt])[0]
    chosen = best_guess(guesses, prompt, *image.shape[:2])
    return enlarged(guesses.logits[chosen], *image.shape[:2]) > 0, chosen


# agreement with the libraries


@pytest.mark.parametrize("kind", ["sam", "sam2", "sam2 for video"])
@pytest.mark.parametrize("asked", ["box", "points", "both"])
def test_masks_agree_with_the_librarys_own_processing(
    folders: dict[str, Path], kind: str, asked: str
) -> None:
    import transformers

    image = scene(60, 90)[0]
    first = kind == "sam"
    load: Any = transformers.SamImageProcessor if first else transformers.Sam2ImageProcessor
    make: Any = transformers.SamProcessor if first else transformers.Sam2Processor
    processor = make(load.from_pretrained(folders[kind]))
    network_of: Any = transformers.SamModel if first else transformers.Sam2Model
    network = network_of.from_pretrained(folders[kind]).eval()
    prompt = Prompt(
        box=BOX if asked != "points" else None,
        points=((40.0, 30.0),) if asked != "box" else (),
        not_points=((5.0, 5.0),) if asked != "box" else (),
    )
    wanted: dict[str, Any] = {}
    if prompt.box is not None:
        wanted["input_boxes"] = [[list(prompt.box)]]
    if prompt.points:
        wanted["input_points"] = [[[list(p) for p in (*prompt.points, *prompt.not_points)]]]
        wanted["input_labels"] = [[[1, 0]]]
    inputs = processor(images=[_bytes(image)], return_tensors="pt", **wanted)
    sizes = [inputs.pop("original_sizes")]
    sizes += [inputs.pop("reshaped_input_sizes")] if first else []
    inputs = {
        name: value.float() if value.dtype == torch.float64 else value
        for name, value in inputs.items()
    }
    with torch.no_grad():
        output = network(**inputs, multimask_output=True)
    theirs = processor.post_process_masks(output.pred_masks, *sizes)[0][0].numpy()

    segmenter = _sam(folders[kind])
    ours, chosen = _hard(segmenter, image, prompt)
    assert 0 < ours.mean() < 1
    assert np.mean(ours != theirs[chosen]) < 1e-3
    assert all(np.mean(ours != other) > 0.01 for k, other in enumerate(theirs) if k != chosen)

    loaded: Any = segmenter.network
    with torch.no_grad():
        loaded.parts[1].mask_decoder.output_hypernetworks_mlps[chosen + 1].proj_out.weight[0] += 3
    seen = loaded.encode([_bytes(image)])[0]
    moved = enlarged(loaded.decode(seen, [prompt])[0].logits[chosen], 60, 90) > 0
    assert np.mean(moved != ours) > 0.01


@pytest.mark.parametrize("asked", ["box", "points", "both"])
def test_masks_agree_with_the_authors_predictor(tmp_path: Path, asked: str) -> None:
    pytest.importorskip("segment_anything", reason="segment-anything is not installed")
    from segment_anything import SamPredictor

    image = scene(60, 90)[0]
    folder = write_segment_anything(tmp_path)
    config = SegmentAnythingConfig(model=str(folder), checkpoint="tiny.pth", device="cpu")
    segmenter = config.build()
    assert segmenter.why_not() == ""
    network: Any = segmenter.network
    prompt = Prompt(
        box=BOX if asked != "points" else None,
        points=((40.0, 30.0),) if asked != "box" else (),
        not_points=((5.0, 5.0),) if asked != "box" else (),
    )
    predictor = SamPredictor(network.sam)
    predictor.set_image(_bytes(image))
    theirs, quality, _ = predictor.predict(
        box=None if prompt.box is None else np.array(prompt.box),
        point_coords=np.array([[40.0, 30.0], [5.0, 5.0]]) if prompt.points else None,
        point_labels=np.array([1, 0]) if prompt.points else None,
        return_logits=True,
    )
    seen = network.encode([_bytes(image)])[0]
    guesses = network.decode(seen, [prompt])[0]
    ours = np.stack([enlarged(logits, 60, 90) for logits in guesses.logits])
    assert np.allclose(ours, theirs, atol=1e-3)
    assert np.allclose(guesses.quality, quality, atol=1e-5)
    assert ours.std() > 0.1
    with torch.no_grad():
        network.sam.image_encoder.neck[0].weight[0] += 1
    again = network.decode(network.encode([_bytes(image)])[0], [prompt])[0]
    assert not np.allclose(again.logits, guesses.logits, atol=1e-2)


def test_a_checkpoint_tells_its_own_size(tmp_path: Path) -> None:
    pytest.importorskip("segment_anything", reason="segment-anything is not installed")
    from image_core.segmentation.segment_anything.architecture import sam_of

    state = torch.load(write_segment_anything(tmp_path, side=96) / "tiny.pth", weights_only=True)
    sam = sam_of(state)
    assert sam.image_encoder.img_size == 96
    assert [block.window_size for block in sam.image_encoder.blocks] == [4, 0]
    assert [block.attn.num_heads for block in sam.image_encoder.blocks] == [2, 2]
    with pytest.raises(InvalidInput, match="not vit_b"):
        sam_of(state, "vit_b")
    with pytest.raises(InvalidInput, match="not the weights of a SAM"):
        sam_of({"some.weight": torch.zeros(3)})


def test_the_published_sizes_are_read_right() -> None:
    pytest.importorskip("segment_anything", reason="segment-anything is not installed")
    from segment_anything import sam_model_registry

    from image_core.segmentation.segment_anything.architecture import _built

    with torch.device("meta"):
        theirs = sam_model_registry["vit_b"]()
        ours = _built(theirs.state_dict())
    assert repr(ours) == repr(theirs)
    assert ours.image_encoder.img_size == 1024
    windows = [[block.window_size for block in sam.image_encoder.blocks] for sam in (ours, theirs)]
    heads = [[block.attn.num_heads for block in sam.image_encoder.blocks] for sam in (ours, theirs)]
    assert windows[0] == windows[1]
    assert heads[0] == heads[1]
    decoders = [sam.mask_decoder.transformer.layers[0].self_attn for sam in (ours, theirs)]
    assert decoders[0].num_heads == decoders[1].num_heads


# choosing


def _rectangle(x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
    logits = np.full((64, 64), -5, np.float32)
    logits[y0:y1, x0:x1] = 5
    return logits


def _chosen(masks: list[np.ndarray], prompt: Prompt, quality: list[float] | None = None) -> int:
    rated = np.array(quality or [0.9] * len(masks), np.float32)
    return best_guess(Guesses(logits=np.stack(masks), quality=rated), prompt, 128, 128)


def test_the_mask_that_fills_its_box_is_chosen() -> None:
    part, thing, beyond = (
        _rectangle(20, 20, 30, 30), _rectangle(10, 10, 41, 39), _rectangle(0, 0, 64, 64)
    )  # fmt: skip
    box = Prompt(box=(20.0, 20.0, 80.0, 80.0))
    assert _chosen([part, thing, beyond], box) == 1
    assert _chosen([part, thing, beyond], box, [0.95, 0.8, 0.99]) == 1


def test_of_two_that_fit_the_steadier_and_better_rated_is_chosen() -> None:
    steady, shaky = _rectangle(10, 10, 40, 40), _rectangle(10, 10, 40, 40)
    shaky[shaky < 0] = -0.5
    box = Prompt(box=(20.0, 20.0, 80.0, 80.0))
    assert _chosen([shaky, steady], box) == 1
    assert stability(steady) == 1
    assert stability(shaky) < 0.3
    assert _chosen([steady, steady], box, [0.5, 0.9]) == 1


def test_a_mask_keeps_to_its_points() -> None:
    left, right = _rectangle(0, 0, 30, 64), _rectangle(34, 0, 64, 64)
    assert _chosen([left, right], Prompt(points=((100.0, 60.0),))) == 1
    both = Prompt(points=((10.0, 10.0),), not_points=((100.0, 60.0),))
    assert _chosen([_rectangle(0, 0, 64, 64), left], both) == 1
    assert points_kept(left > 0, [(127.9, 127.9)], [], 128, 128) < 0.01


def test_the_fit_to_a_box_is_1_only_when_it_is_filled() -> None:
    box = (20.0, 20.0, 80.0, 80.0)
    assert box_fit(_rectangle(10, 10, 40, 40) > 0, box, 128, 128) == 1
    assert box_fit(_rectangle(10, 10, 40, 25) > 0, box, 128, 128) == pytest.approx(0.5)
    assert box_fit(_rectangle(45, 45, 60, 60) > 0, box, 128, 128) == 0
    assert box_fit(np.zeros((64, 64), bool), box, 128, 128) == 0


class Draws:
    """A network whose three masks are given rectangles."""

    def __init__(self, *masks: np.ndarray) -> None:
        self.masks = masks

    def encode(self, pictures: Any) -> list[Any]:
        return [None for _ in pictures]

    def decode(self, seen: Any, prompts: Any) -> list[Guesses]:
        quality = np.full(len(self.masks), 0.9, np.float32)
        return [Guesses(logits=np.stack(self.masks), quality=quality) for _ in prompts]


def test_a_mask_that_misses_its_box_is_left_out_and_a_full_one_is_kept() -> None:
    image = np.full((128, 128, 3), 0.5, np.float32)
    box = Detection(box=(20.0, 20.0, 80.0, 80.0))
    elsewhere = PromptedSegmenter(lambda: Draws(_rectangle(50, 50, 60, 60)), SamConfig(), "test")
    assert elsewhere.segment([image], [[box]]) == [[]]
    screen = PromptedSegmenter(lambda: Draws(_rectangle(10, 10, 40, 40)), SamConfig(), "test")
    assert len(screen.segment([image], [[box]])[0]) == 1


def test_the_alpha_is_soft_at_the_edge_and_reaches_3_pixels_at_most() -> None:
    image = scene(256, 256)[0]
    segmenter = PromptedSegmenter(lambda: Draws(_rectangle(18, 16, 40, 48)), SamConfig(), "test")
    box = Detection(box=(72.0, 64.0, 160.0, 192.0), score=0.7, evidence="a disc")
    region = segmenter.segment([image], [[box]])[0][0]
    hard = enlarged(_rectangle(18, 16, 40, 48), 256, 256) > 0
    assert not (region.alpha[~dilated(hard, 3)] > 0).any()
    assert ((region.alpha > 0) & (region.alpha < 1)).any()
    assert (region.alpha[100:150, 90:140] == 1).all()
    assert region.confidence == 0.7
    assert region.evidence.startswith("a disc; outline by test")


# work


@pytest.mark.parametrize("kind", ["sam", "sam2"])
def test_a_picture_is_encoded_once_for_all_its_detections(
    folders: dict[str, Path], kind: str
) -> None:
    segmenter = _sam(folders[kind])
    images = [scene(60, 90)[0], scene(80, 50)[0]]
    wanted = [
        [Detection(box=BOX), Detection(box=(5.0, 5.0, 50.0, 50.0))],
        [Detection(box=None, points=((20.0, 30.0),))],
    ]
    with counting() as rows:
        first = segmenter.segment(images, wanted)
    assert rows == {"sam encoder": 2, "sam decoder": 3}
    with counting() as rows:
        again = segmenter.segment(images[1:], wanted[1:])
    assert rows == {"sam decoder": 1}
    assert np.array_equal(again[0][0].alpha, first[1][0].alpha)
    with counting() as rows:
        segmenter.segment([images[0] * np.float32(0.9)], [[Detection(box=BOX)]])
    assert rows == {"sam encoder": 1, "sam decoder": 1}


def test_detections_with_masks_need_no_network() -> None:
    image, mask = scene(60, 90)
    segmenter = SamConfig(model="nobody/nothing-here").build()
    with counting() as rows:
        region = segmenter.segment([image], [[Detection(box=BOX, mask=mask, score=0.6)]])[0][0]
    assert not rows
    assert region.confidence == 0.6
    assert (
        np.array_equal(region.alpha > 0.5, mask > 0.5)
        or np.mean((region.alpha > 0.5) != (mask > 0.5)) < 0.02
    )


@pytest.mark.parametrize("kind", ["sam", "sam2"])
def test_prompts_stay_exact_when_pictures_are_encoded_in_16_bits(
    folders: dict[str, Path], kind: str
) -> None:
    picture = _bytes(scene(60, 90)[0])
    full: Any = _sam(folders[kind]).network
    half: Any = _sam(folders[kind], dtype="bfloat16").network
    one, other = full.encode([picture])[0], half.encode([picture])[0]
    last, rounded = (e.embedding if kind == "sam" else e.embedding[-1] for e in (one, other))
    assert rounded.dtype == torch.float32
    assert 0 < float((last - rounded).abs().mean()) < 0.05 * float(last.std())
    prompts = [Prompt(box=BOX)]
    same = half.decode(one, prompts)[0].logits
    assert np.array_equal(same, full.decode(one, prompts)[0].logits)


def test_a_very_slim_picture_is_cut_too(folders: dict[str, Path]) -> None:
    segmenter = _sam(folders["sam"])
    for size in ((2, 300), (300, 2)):
        whole = Detection(box=(0.0, 0.0, float(size[1]), float(size[0])))
        row = segmenter.segment([scene(*size)[0]], [[whole]])[0]
        assert all(region.alpha.shape == size for region in row)


# what is missing or wrong


@pytest.mark.parametrize("config", [SamConfig, SegmentAnythingConfig])
def test_building_imports_no_network_library(config: type) -> None:
    code = (
        f"import sys; from {config.__module__} import {config.__name__} as C; C().build()\n"
        "print([m for m in ('torch', 'transformers', 'segment_anything') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_missing_weights_say_how_to_get_them() -> None:
    segmenter = SamConfig(model="nobody/nothing-here").build()
    assert "insitu models pull nobody/nothing-here" in segmenter.why_not()
    with pytest.raises(MissingWeights, match="nobody/nothing-here"):
        segmenter.segment([scene()[0]], [[Detection(box=(10.0, 10.0, 40.0, 40.0))]])


def test_a_folder_with_another_model_is_refused(tmp_path: Path) -> None:
    from image_core.testing.miniature.grounding import write_bert

    wanted = [[Detection(box=(10.0, 10.0, 40.0, 40.0))]]
    with pytest.raises(InvalidInput, match="neither SAM nor SAM 2"):
        _sam(write_bert(tmp_path)).segment([scene()[0]], wanted)


def test_a_folder_without_the_checkpoint_says_so(tmp_path: Path) -> None:
    pytest.importorskip("segment_anything", reason="segment-anything is not installed")
    (tmp_path / "other.pth").write_bytes(b"something")
    segmenter = SegmentAnythingConfig(model=str(tmp_path)).build()
    assert "holds no sam_vit_*.pth" in segmenter.why_not()
    garbage = SegmentAnythingConfig(model=str(tmp_path / "other.pth")).build()
    with pytest.raises(InvalidInput, match="cannot be read"):
        garbage.segment([scene()[0]], [[Detection(box=(10.0, 10.0, 40.0, 40.0))]])
