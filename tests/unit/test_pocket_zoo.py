"""The pocket zoo's models: the libraries' own classes, which our parts load unmodified."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")
pytest.importorskip("transformers")

from image_core.devices import placement  # noqa: E402
from image_core.diffusion.loading import load_latent_diffusion  # noqa: E402
from image_core.errors import InvalidInput  # noqa: E402
from image_core.grounding.grounding_dino import GroundingDinoConfig  # noqa: E402
from image_core.instructions import RulesConfig  # noqa: E402
from image_core.segmentation.sam import SamConfig  # noqa: E402
from image_core.types import Detection  # noqa: E402
from pocket.flat import WORDS, caption, edits, sample_scenes  # noqa: E402
from pocket.zoo.autoencoder import build_autoencoder, fold_statistics  # noqa: E402
from pocket.zoo.denoiser import INPUTS, build_denoiser, widened  # noqa: E402
from pocket.zoo.detector import build_detector, detector_processor  # noqa: E402
from pocket.zoo.folders import replacing, stored_bytes, write_model, write_pipeline  # noqa: E402
from pocket.zoo.merges import learned_merges  # noqa: E402
from pocket.zoo.scorer import build_scorer, scorer_processor  # noqa: E402
from pocket.zoo.segmenter import build_segmenter, segmenter_processor  # noqa: E402
from pocket.zoo.words import (  # noqa: E402
    LENGTH,
    STOP_ID,
    bert_tokenizer,
    build_text_encoder,
    clip_tokenizer,
)


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All models with fresh weights, as folders."""
    folder = tmp_path_factory.mktemp("zoo")
    torch.manual_seed(0)
    random = torch.Generator().manual_seed(0)
    vae, unet = build_autoencoder(), build_denoiser("stable-diffusion")
    text = build_text_encoder(random)
    for flavour in INPUTS:
        unet_of = unet if flavour == "stable-diffusion" else widened(unet, flavour)
        write_pipeline(folder / flavour, flavour, unet=unet_of, vae=vae, text_encoder=text)
    write_model(folder / "clip", build_scorer(random), scorer_processor(), clip_tokenizer())
    write_model(folder / "sam", build_segmenter(random), segmenter_processor())
    write_model(folder / "grounding-dino", build_detector(random), detector_processor())
    return folder


def test_merges_make_one_part_of_every_word_and_settle_ties_by_the_alphabet() -> None:
    assert learned_merges(["ab", "cd"]) == (("a", "b</w>"), ("c", "d</w>"))
    assert learned_merges(["aaa"]) == (("a", "a"), ("aa", "a</w>"))


def test_every_word_of_the_world_is_one_token() -> None:
    tokenizer = clip_tokenizer()
    assert [word for word in WORDS if len(tokenizer(word).input_ids) != 3] == []
    ids = tokenizer("a red zebra").input_ids
    assert tokenizer.decode(ids[1:-1]).strip() == "a red zebra"
    assert ids[-1] == STOP_ID


def test_captions_and_instructions_fit_into_a_prompt() -> None:
    tokenizer, scenes = clip_tokenizer(), sample_scenes("validation", count=300)
    told = [caption(scenes, row, draw=k) for row in range(300) for k in range(2)]
    told += [case.instruction for case in edits(scenes).cases]
    assert max(len(ids) for ids in tokenizer(told).input_ids) <= LENGTH


def test_grounding_dinos_words_keep_the_ids_that_it_knows_by_heart() -> None:
    tokenizer = bert_tokenizer()
    assert tokenizer("red star. ?").input_ids[0] == 101
    assert [tokenizer.convert_tokens_to_ids(one) for one in ("[SEP]", ".", "?")] == [
        102,
        1012,
        1029,
    ]
    ids = tokenizer(" ".join(WORDS)).input_ids
    assert 100 not in ids
    assert len(ids) == len(WORDS) + 2


def test_folding_whitens_the_latents_and_leaves_the_pictures_as_they_were() -> None:
    torch.manual_seed(3)
    vae = build_autoencoder().eval()
    pictures = torch.rand(6, 3, 32, 32) * 2 - 1
    with torch.no_grad():
        latents = vae.encode(pictures).latent_dist.mean
        before = vae.decode(latents).sample
        cells = latents.transpose(0, 1).flatten(1)
        fold_statistics(vae, cells.mean(dim=1), torch.cov(cells))
        white = vae.encode(pictures).latent_dist.mean
        after = vae.decode(white).sample
    cells = white.transpose(0, 1).flatten(1)
    assert torch.allclose(cells.mean(dim=1), torch.zeros(4), atol=1e-4)
    assert torch.allclose(torch.cov(cells), torch.eye(4), atol=1e-3)
    assert torch.allclose(before, after, atol=1e-4)


def test_a_widened_denoiser_at_first_does_what_it_did() -> None:
    torch.manual_seed(0)
    unet = build_denoiser("stable-diffusion").eval()
    wide = widened(unet, "inpainting").eval()
    latents, joined, words = (
        torch.randn(2, 4, 16, 16),
        torch.randn(2, 5, 16, 16),
        torch.randn(2, 7, 96),
    )
    with torch.no_grad():
        plain = unet(latents, 300, words).sample
        same = wide(torch.cat([latents, joined], dim=1), 300, words).sample
    assert torch.equal(plain, same)


@pytest.mark.parametrize("flavour", list(INPUTS))
def test_our_editors_loader_takes_each_pipeline(zoo: Path, flavour: str) -> None:
    network = load_latent_diffusion(zoo / flavour, placement("cpu"))
    assert (network.factor, network.multiple, network.channels) == (4, 8, 4)
    picture = np.random.default_rng(0).random((64, 64, 3)).astype(np.float32)
    latents = network.encode([picture])
    extra = INPUTS[flavour] - 4  # type: ignore[index]
    joined = torch.zeros(1, extra, 16, 16) if extra else None
    level = network.schedule.levels(10)[5]
    told = network.embed("a red ball")
    assert network.predict(latents, level, told, joined=joined).shape == (1, 4, 16, 16)
    assert network.decode(latents)[0].shape == (64, 64, 3)


def test_diffusers_own_pipeline_runs_on_the_folder(zoo: Path) -> None:
    from diffusers import StableDiffusionPipeline

    pipeline = StableDiffusionPipeline.from_pretrained(
        zoo / "stable-diffusion", dtype=torch.float32
    )
    pipeline.set_progress_bar_config(disable=True)
    out = pipeline("a red ball", num_inference_steps=2, height=64, width=64, output_type="np")
    assert out.images.shape == (1, 64, 64, 3)


def test_our_grounder_and_segmenter_run_on_the_folders(zoo: Path) -> None:
    picture = np.random.default_rng(1).random((64, 64, 3)).astype(np.float32)
    step = RulesConfig().build().parse("remove the red star").steps[0]
    grounder = GroundingDinoConfig(model=str(zoo / "grounding-dino"), device="cpu").build()
    found = grounder.ground([picture], step)[0]
    assert all(0 <= one.score <= 1 for one in found)
    segmenter = SamConfig(model=str(zoo / "sam"), device="cpu").build()
    detection = Detection(box=(10.0, 12.0, 40.0, 44.0), score=1.0, evidence="given")
    regions = segmenter.segment([picture], [[detection]])[0]
    assert all(region.alpha.shape == (64, 64) for region in regions)


def test_clip_tells_pictures_and_captions_apart_before_it_learns(zoo: Path) -> None:
    from transformers import CLIPModel, CLIPTokenizer

    model = CLIPModel.from_pretrained(zoo / "clip").float()
    tokens = CLIPTokenizer.from_pretrained(zoo / "clip")(
        ["a red ball", "a blue star"], padding=True, return_tensors="pt"
    )
    pixels = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    logits = model(**tokens, pixel_values=pixels).logits_per_image
    assert logits.shape == (2, 2)
    assert len(set(logits.flatten().tolist())) == 4


def test_the_whole_zoo_takes_no_more_than_20_mb(zoo: Path) -> None:
    names = [*INPUTS, "clip", "sam", "grounding-dino"]
    assert 10e6 < stored_bytes(zoo, names) < 20e6


def test_weights_are_stored_in_sixteen_bits(zoo: Path) -> None:
    from safetensors import safe_open

    for path in zoo.rglob("*.safetensors"):
        with safe_open(path, "pt") as file:
            kinds = {file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118
        assert kinds <= {"F16", "I64"}, path


def test_the_same_seed_draws_the_same_weights() -> None:
    one, other, third = (
        build_segmenter(torch.Generator().manual_seed(seed)).state_dict() for seed in (0, 0, 1)
    )
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert any(not torch.equal(one[name], third[name]) for name in one)


def test_a_folder_is_replaced_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    with replacing(folder) as place:
        (place / "old").write_text("1")
    with pytest.raises(UnicodeEncodeError), replacing(folder) as place:
        (place / "new").write_bytes("no ASCII: é".encode("ascii"))
    assert [path.name for path in folder.iterdir()] == ["old"]
    with replacing(folder) as place:
        (place / "new").write_text("2")
    assert [path.name for path in folder.iterdir()] == ["new"]
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInput, match="cannot write"), replacing(tmp_path / "file" / "model"):
        pass
