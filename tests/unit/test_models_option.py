"""A tree of models: every part loads from it, at the size of its own networks, or is missing."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from image_core import discovery
from image_core.choosing import grounder_name, segmenter_name
from image_core.editors.generative import GenerativeConfig, GenerativeEditor, Job, Made, Task
from image_core.editors.generative.native import is_miniature, native_side, working_side
from image_core.errors import InvalidInput, MissingWeights
from image_core.instructions.captioner import CaptionerConfig
from image_core.local_editor_config import LocalEditorConfig
from image_core.testing import STEPS
from image_core.types import Capabilities, EditBatch, Region
from image_core.weights.registry import register
from image_core.weights.tree import checked_tree, fields_from_tree, in_tree
from insitu import model_trees
from insitu.model_trees import model_tree, tree_record

SEAMS: tuple[discovery.Seam, ...] = ("instructions", "grounding", "segmentation", "editors")


def write_json(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def write_checkpoint(
    folder: Path, *, latents: Any = 16, blocks: Any = (16, 32, 64), weights: bool = True
) -> Path:
    """Write what a folder tells of a latent diffusion checkpoint; its weights are empty."""
    parts = {"unet": "UNet2DConditionModel", "vae": "AutoencoderKL"}
    write_json(folder / "model_index.json", {k: ["diffusers", v] for k, v in parts.items()})
    write_json(folder / "unet" / "config.json", {"sample_size": latents})
    write_json(folder / "vae" / "config.json", {"block_out_channels": blocks})
    for part in parts if weights else ():
        (folder / part / "diffusion_pytorch_model.safetensors").write_bytes(
            (2).to_bytes(8, "little") + b"{}"
        )
    return folder


def write_network(folder: Path, *beside: str) -> Path:
    write_json(folder / "config.json", {})
    (folder / "model.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    for name in beside:
        write_json(folder / name, {"a": 1})
    return folder


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    write_checkpoint(tmp_path / "tree" / "stable-diffusion")
    return tmp_path / "tree"


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("stable-diffusion-v1-5/stable-diffusion-v1-5", "stable-diffusion"),
        ("sd15-inpainting", "inpainting"),
        ("timbrooks/instruct-pix2pix", "instruct-pix2pix"),
        ("IDEA-Research/grounding-dino-base", "grounding-dino"),
        ("facebook/sam-vit-huge", "sam"),
        ("openai/clip-vit-base-patch32", "clip"),
        ("someone/their-own", "their-own"),
    ],
)
def test_a_model_has_one_folder_in_a_tree(tmp_path: Path, model: str, name: str) -> None:
    assert in_tree(tmp_path, model) == tmp_path / name


def test_every_part_of_ours_takes_every_model_from_the_tree(tmp_path: Path) -> None:
    seen = set()
    kinds = [discovery._load(seam, name) for seam in SEAMS for name in discovery._BUILT_IN[seam]]
    for kind in [*kinds, CaptionerConfig]:
        if not dataclasses.is_dataclass(kind):
            continue
        told = fields_from_tree(kind, tmp_path)
        for one in dataclasses.fields(kind):
            if one.name.endswith("model") and one.name != "endpoint_model":
                assert Path(told[one.name]).parent == tmp_path, (kind, one.name)
                seen.add(Path(told[one.name]).name)
    assert {"stable-diffusion", "inpainting", "instruct-pix2pix", "clip", "sam"} <= seen
    assert fields_from_tree(dict, tmp_path) == {}


def test_what_the_tree_lacks_is_missing_though_this_machine_has_it(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("diffusers")
    monkeypatch.setenv("INSITU_CONFIG", str(tmp_path / "config"))
    register("instruct-pix2pix", write_checkpoint(tmp_path / "elsewhere"))
    discovery.build("editors", "instruct-pix2pix").prepare(STEPS["replace"], ())
    editor = discovery.build("editors", "instruct-pix2pix", models=tree)
    with pytest.raises(MissingWeights, match="tree/instruct-pix2pix"):
        editor.prepare(STEPS["replace"], ())


def test_an_option_outweighs_the_tree(tree: Path) -> None:
    editor = discovery.build("editors", "diffedit", ["model=sdxl"], models=tree)
    assert editor.config.model == "sdxl"
    assert editor.config.clip_model == str(tree / "clip")


def test_auto_takes_what_the_tree_has(tree: Path) -> None:
    pytest.importorskip("torchvision")
    pytest.importorskip("transformers")
    assert (grounder_name("auto", tree), segmenter_name("auto", tree)) == ("classic", "grabcut")
    write_network(tree / "grounding-dino", "processor_config.json", "tokenizer.json")
    write_network(tree / "sam", "preprocessor_config.json")
    assert (grounder_name("auto", tree), segmenter_name("auto", tree)) == ("grounding_dino", "sam")
    made: Any = LocalEditorConfig(models=tree).build()
    assert made.grounder.config.model == str(tree / "grounding-dino")
    assert made.segmenter.config.model == str(tree / "sam")
    assert made.editors["instructedit"].models == (str(tree / "stable-diffusion"),)
    assert made.captioner is None
    assert made.language.model is None


def test_a_folder_without_models_is_no_tree(tree: Path, tmp_path: Path) -> None:
    assert checked_tree(tree) == tree.resolve()
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidInput, match="holds no models"):
        checked_tree(tmp_path / "empty")
    with pytest.raises(InvalidInput, match="does not exist") as caught:
        LocalEditorConfig(models=tmp_path / "nowhere").build()
    assert "pocket train" in caught.value.hint


def test_pocket_is_the_tree_that_is_named_or_the_repositorys(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_trees, "_IN_REPOSITORY", tmp_path / "repository")
    monkeypatch.delenv("INSITU_POCKET_MODELS", raising=False)
    with pytest.raises(MissingWeights) as caught:
        model_tree("pocket")
    assert "insitu pocket train -o DIR" in caught.value.hint
    monkeypatch.setenv("INSITU_POCKET_MODELS", str(tmp_path))
    with pytest.raises(MissingWeights, match="INSITU_POCKET_MODELS"):
        model_tree("pocket")
    monkeypatch.setenv("INSITU_POCKET_MODELS", str(tree))
    assert model_tree("pocket") == tree.resolve()
    monkeypatch.delenv("INSITU_POCKET_MODELS")
    tree.rename(tmp_path / "repository")
    assert model_tree("pocket") == tmp_path / "repository"
    assert tree_record("pocket") == str(tmp_path / "repository")
    assert tree_record(None) == ""


@pytest.mark.parametrize(
    ("latents", "blocks", "native", "working"),
    [
        (64, [128, 256, 512, 512], 512, 512),  # SD 1.5 and its fine-tunes
        (128, [128, 256, 512, 512], 1024, 512),  # SDXL
        (16, [16, 32, 64], 64, 64),  # the pocket models
        ([16, 24], [16, 32, 64], 64, 64),
        (None, [16, 32, 64], None, 512),
        (16, None, None, 512),
        (16, [], None, 512),
        ("16", [16], None, 512),
    ],
)
def test_the_size_that_a_network_was_made_for_stands_in_its_folder(
    tmp_path: Path, latents: Any, blocks: Any, native: int | None, working: int
) -> None:
    write_checkpoint(tmp_path, latents=latents, blocks=blocks, weights=False)
    assert native_side(tmp_path) == native
    assert working_side(tmp_path) == working
    assert is_miniature(tmp_path) == (native == 64)


def test_a_folder_without_a_unet_or_with_a_torn_file_tells_no_size(tmp_path: Path) -> None:
    assert native_side(tmp_path) is None
    write_checkpoint(tmp_path, weights=False)
    (tmp_path / "vae" / "config.json").write_text("[1")
    assert native_side(tmp_path) is None
    assert not is_miniature(tmp_path)


@dataclass
class Looker:
    """A method that gives back what it sees, and remembers its size."""

    sizes: list[tuple[int, ...]] = field(default_factory=list)
    multiple: int = 8

    def run(self, jobs: list[Job], task: Task) -> Made:
        self.sizes += [job.image.shape[:2] for job in jobs]
        return Made(images=[job.image for job in jobs])


@pytest.mark.parametrize(
    ("latents", "resolution", "side", "whole"),
    [
        (64, None, 512, False),  # a crop around a small region, as ever
        (16, None, 64, True),
        (16, 64, 64, False),  # a size that is named says nothing of crops
    ],
)
def test_a_miniature_sees_whole_pictures_at_its_own_size(
    tmp_path: Path, latents: int, resolution: int | None, side: int, whole: bool
) -> None:
    pytest.importorskip("diffusers")
    blocks = [16] * 4 if latents == 64 else [16] * 3
    model = write_checkpoint(tmp_path / "model", latents=latents, blocks=blocks)
    looker = Looker()
    config = GenerativeConfig(model=str(model), resolution=resolution, device="cpu")
    able = Capabilities(kinds=frozenset({"replace"}))
    editor = GenerativeEditor("looker", config, able, lambda _: looker)  # type: ignore[arg-type, return-value]
    alpha = np.zeros((160, 320), np.float32)
    alpha[60:76, 150:166] = 1
    image = np.random.default_rng(0).random((160, 320, 3), np.float32)
    batch = EditBatch(
        images=[image],
        conditions=[image],
        composite_over=[image],
        regions=[Region(alpha=alpha, confidence=1.0, evidence="")],
        keys=[0],
    )
    editor.prepare(STEPS["replace"], ()).edit(batch)
    ((height, width),) = looker.sizes
    assert (height * width) ** 0.5 == pytest.approx(side, rel=0.15)
    assert width / height == pytest.approx(2 if whole else 1, rel=0.25)
