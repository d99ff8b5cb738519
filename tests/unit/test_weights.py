"""Weights: what counts as present, which folder is taken, what is chosen to download."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("diffusers")
from safetensors.numpy import load_file, save_file

from image_core.errors import InvalidInput, MissingWeights
from image_core.weights import (
    CATALOGUE,
    entry_of,
    folder_of,
    is_present,
    licence_of,
    loaded,
    memory_needed,
    why_missing,
)
from image_core.weights.completeness import missing_files
from image_core.weights.own_folder import use_folder
from image_core.weights.registry import config_file, register, registered
from image_core.weights.selection import needed_files

COMMIT = "f" * 40


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A home of the test's own, with nothing in it."""
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("INSITU_CONFIG", str(tmp_path / "config"))
    return tmp_path


@pytest.fixture(scope="session")
def clip(tmp_path_factory):
    """A miniature CLIP text model with its tokenizer, as transformers saves it."""
    from image_core.testing.miniature.stable_diffusion import text_encoder, tokenizer

    folder = tmp_path_factory.mktemp("clip")
    text_encoder().save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


def write_pipeline(folder: Path, **more) -> Path:
    """Write a small pipeline as diffusers saves it."""
    index = {
        "_class_name": "StableDiffusionPipeline",
        "unet": ["diffusers", "UNet2DConditionModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "scheduler": ["diffusers", "DDIMScheduler"],
        "safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"],
        "image_encoder": [None, None],
        "requires_safety_checker": True,
        **more,
    }
    for name in ("unet", "tokenizer", "scheduler"):
        (folder / name).mkdir(parents=True)
    (folder / "model_index.json").write_text(json.dumps(index))
    (folder / "unet" / "config.json").write_text("{}")
    (folder / "tokenizer" / "vocab.json").write_text("{}")
    (folder / "scheduler" / "scheduler_config.json").write_text("{}")
    write_weights(folder / "unet" / "diffusion_pytorch_model.safetensors")
    return folder


def write_weights(path: Path) -> Path:
    save_file({"a": np.zeros(100, np.float32), "b": np.zeros((3, 3), np.float16)}, path)
    return path


def write_sharded(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text("{}")
    names = [f"model-0000{number}-of-00002.safetensors" for number in (1, 2)]
    for name in names:
        write_weights(folder / name)
    index = {"metadata": {}, "weight_map": dict(zip("ab", names, strict=True))}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    return folder


def into_hub_cache(folder: Path, hub_id: str, home: Path) -> Path:
    """Put a folder where the hub's libraries keep downloads."""
    root = home / "hf" / "hub" / f"models--{hub_id.replace('/', '--')}"
    (root / "refs").mkdir(parents=True)
    (root / "refs" / "main").write_text(COMMIT)
    (root / "snapshots").mkdir()
    return folder.rename(root / "snapshots" / COMMIT)


# what counts as complete


def test_a_whole_pipeline_lacks_nothing_even_without_its_safety_checker(tmp_path):
    assert missing_files(write_pipeline(tmp_path / "p")) == []


@pytest.mark.parametrize(
    ("gone", "told"),
    [
        ("unet/config.json", "unet/config.json"),
        ("unet/diffusion_pytorch_model.safetensors", "unet/model.safetensors"),
        ("tokenizer/vocab.json", "tokenizer/"),
        ("scheduler/scheduler_config.json", "scheduler/scheduler_config.json"),
    ],
)
def test_a_pipeline_without_one_of_its_files_is_told_which(tmp_path, gone, told):
    folder = write_pipeline(tmp_path / "p")
    (folder / gone).unlink()
    lacking = missing_files(folder)
    assert len(lacking) == 1
    assert lacking[0].startswith(told)


def test_a_component_that_the_index_names_must_be_there(tmp_path):
    folder = write_pipeline(tmp_path / "p", text_encoder=["transformers", "CLIPTextModel"])
    assert any(file.startswith("text_encoder/") for file in missing_files(folder))


@pytest.mark.parametrize("length", [0, 4, 30, 200])
def test_a_cut_off_weight_file_counts_as_missing(tmp_path, length):
    folder = write_pipeline(tmp_path / "p")
    path = folder / "unet" / "diffusion_pytorch_model.safetensors"
    path.write_bytes(path.read_bytes()[:length])
    assert missing_files(folder) == ["unet/diffusion_pytorch_model.safetensors"]


def test_a_link_to_a_blob_that_never_came_counts_as_missing(tmp_path):
    folder = write_pipeline(tmp_path / "p")
    path = folder / "unet" / "diffusion_pytorch_model.safetensors"
    path.unlink()
    path.symlink_to(tmp_path / "nowhere")
    assert missing_files(folder) == ["unet/diffusion_pytorch_model.safetensors"]


def test_every_shard_must_be_there(tmp_path):
    folder = write_sharded(tmp_path / "m")
    assert missing_files(folder) == []
    (folder / "model-00002-of-00002.safetensors").unlink()
    assert missing_files(folder) == ["model-00002-of-00002.safetensors"]
    (folder / "model.safetensors.index.json").unlink()
    assert missing_files(folder) == ["model.safetensors.index.json"]


@pytest.mark.parametrize("content", ["", "[]", "{", '{"weight_map": 3}'])
def test_a_damaged_index_counts_as_missing(tmp_path, content):
    folder = write_sharded(tmp_path / "m")
    (folder / "model.safetensors.index.json").write_text(content)
    assert "model.safetensors.index.json" in missing_files(folder)


def test_a_saved_model_of_transformers_is_complete(clip):
    assert missing_files(clip, ("tokenizer.json|vocab.json",)) == []
    assert missing_files(clip, ("preprocessor_config.json|processor_config.json",)) == [
        "preprocessor_config.json or processor_config.json"
    ]


def test_an_empty_folder_is_no_model(tmp_path):
    assert missing_files(tmp_path) == ["model_index.json or config.json"]


# which folder is taken


def test_nothing_is_present_in_an_empty_home():
    for model in CATALOGUE:
        assert not is_present(model.name)
        with pytest.raises(MissingWeights) as caught:
            folder_of(model.hub_id or model.name)
        assert f"insitu models {'pull' if model.hub_id else 'path'} {model.name}" in (
            caught.value.hint
        )


def test_an_unknown_hub_id_can_be_pulled_too():
    assert why_missing("owner/name").endswith("insitu models pull owner/name")


def test_the_hubs_cache_is_found_by_name_and_by_hub_id(tmp_path):
    entry = entry_of("sd15")
    folder = into_hub_cache(write_pipeline(tmp_path / "p"), entry.hub_id, tmp_path)
    assert folder_of("sd15") == folder_of(entry.hub_id) == folder
    assert folder_of("instructedit") == folder


def test_the_hubs_cache_may_lie_elsewhere(tmp_path, monkeypatch):
    folder = into_hub_cache(write_pipeline(tmp_path / "p"), "some/one", tmp_path)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "other"))
    assert not is_present("some/one")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hf" / "hub"))
    assert folder_of("some/one") == folder


def test_a_torn_download_is_not_present_and_the_file_is_named(tmp_path):
    folder = into_hub_cache(write_pipeline(tmp_path / "p"), "some/one", tmp_path)
    (folder / "scheduler" / "scheduler_config.json").unlink()
    assert not is_present("some/one")
    with pytest.raises(MissingWeights, match=r"scheduler/scheduler_config\.json") as caught:
        folder_of("some/one")
    assert caught.value.hint == "Get them: insitu models pull some/one"


def test_a_folder_is_taken_as_it_is(tmp_path):
    folder = write_pipeline(tmp_path / "p")
    assert folder_of(str(folder)) == folder
    (folder / "unet" / "config.json").unlink()
    with pytest.raises(MissingWeights, match=r"unet/config\.json"):
        folder_of(str(folder))


def test_a_folder_that_holds_another_kind_of_model_cannot_be_registered(tmp_path, clip):
    (tmp_path / "pth").mkdir()
    (tmp_path / "pth" / "sam_vit_b.pth").write_bytes(b"weights")
    pipeline = write_pipeline(tmp_path / "p")
    assert use_folder("segment_anything", str(tmp_path / "pth")) == tmp_path / "pth"
    for model, folder in (("sd15", tmp_path / "pth"), ("sd15", clip), ("clip", pipeline)):
        with pytest.raises(InvalidInput, match="cannot serve"):
            use_folder(model, str(folder))
    with pytest.raises(InvalidInput, match="does not exist"):
        use_folder("sd15", str(tmp_path / "nowhere"))
    assert registered() == {"segment-anything": tmp_path / "pth"}


def test_a_registered_folder_comes_before_the_hubs_cache(tmp_path):
    entry = entry_of("sd15")
    cached = into_hub_cache(write_pipeline(tmp_path / "p"), entry.hub_id, tmp_path)
    own = write_pipeline(tmp_path / "own")
    register("sd15", own)
    assert folder_of(entry.hub_id) == own
    register("sd15", None)
    assert folder_of(entry.hub_id) == cached


def test_a_registered_folder_that_went_away_is_told(tmp_path):
    register("sd15", tmp_path / "gone")
    with pytest.raises(MissingWeights, match="gone") as caught:
        folder_of("sd15")
    assert "models path sd15 DIR" in caught.value.hint


@pytest.mark.parametrize("content", ["", "{", "[]", '{"models": [1]}', '{"other": {}}'])
def test_a_damaged_register_is_told_with_its_path(content):
    path = config_file()
    path.parent.mkdir()
    path.write_text(content)
    with pytest.raises(InvalidInput, match=re.escape(str(path))):
        folder_of("sd15")
    assert str(path) in why_missing("sd15")
    with pytest.raises(InvalidInput):
        register("sd15", Path("x"))
    assert path.read_text() == content


def test_a_register_that_cannot_be_written_is_told_and_stays(tmp_path, monkeypatch):
    register("sd15", tmp_path)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(InvalidInput, match="No space left"):
        register("sam", tmp_path)
    assert registered() == {"sd15": tmp_path}
    assert [path.name for path in config_file().parent.iterdir()] == ["models.json"]


def test_asking_imports_neither_torch_nor_the_hubs_library():
    code = (
        "import sys\n"
        "from image_core.weights import is_present, licence_of, memory_needed, why_missing\n"
        "is_present('sd15'), why_missing('owner/x'), licence_of('sam3'), memory_needed('klein')\n"
        "heavy = {'torch', 'transformers', 'diffusers', 'huggingface_hub', 'numpy'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# loading


def test_a_saved_model_is_loaded_with_the_weights_in_its_file(clip):
    from transformers import CLIPTextModel, CLIPTokenizer

    network = loaded(CLIPTextModel, clip)
    stored = load_file(clip / "model.safetensors")
    found = {name: value.numpy() for name, value in network.state_dict().items()}
    name = "encoder.layers.0.mlp.fc1.weight"
    (kept,) = [value for key, value in stored.items() if key.endswith(name)]
    (got,) = [value for key, value in found.items() if key.endswith(name)]
    assert kept.std() > 0.01
    np.testing.assert_array_equal(kept, got)
    ids = loaded(CLIPTokenizer, clip)("a cat").input_ids
    assert ids[0] != ids[1]


def test_a_model_of_another_kind_is_refused_rather_than_filled_with_noise(clip):
    from transformers import CLIPVisionModel

    with pytest.raises(InvalidInput, match="CLIPVisionModel"):
        loaded(CLIPVisionModel, clip)


def test_weights_that_do_not_fill_the_network_are_refused(clip, tmp_path):
    from transformers import CLIPTextModel

    folder = Path(shutil.copytree(clip, tmp_path / "clip"))
    stored = load_file(folder / "model.safetensors")
    few = dict(list(stored.items())[:3])
    save_file(few, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(InvalidInput, match="tensors are not in it"):
        loaded(CLIPTextModel, folder)


def test_a_damaged_weight_file_is_told_when_it_is_loaded(clip, tmp_path):
    from transformers import CLIPTextModel

    folder = Path(shutil.copytree(clip, tmp_path / "clip"))
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(MissingWeights):
        loaded(CLIPTextModel, folder)
    path.unlink()
    with pytest.raises(MissingWeights, match="CLIPTextModel"):
        loaded(CLIPTextModel, folder)


# what is downloaded


def listed(text: str) -> list[str]:
    """Return a repository's files, written here as words."""
    return text.split()


_SDXL = listed("""
README.md model_index.json sd_xl_base_1.0.safetensors sd_xl_base_1.0_0.9vae.safetensors
scheduler/scheduler_config.json tokenizer/vocab.json tokenizer/merges.txt
text_encoder/config.json text_encoder/flax_model.msgpack text_encoder/model.safetensors
text_encoder/model.fp16.safetensors text_encoder/model.onnx text_encoder/openvino_model.bin
unet/config.json unet/diffusion_pytorch_model.safetensors unet/model.onnx
unet/diffusion_pytorch_model.fp16.safetensors unet/diffusion_flax_model.msgpack
vae/config.json vae/diffusion_pytorch_model.safetensors vae/diffusion_pytorch_model.fp16.safetensors
vae_1_0/config.json vae_1_0/diffusion_pytorch_model.safetensors vae_decoder/model.onnx
""")
_COMPONENTS = ("unet", "vae", "text_encoder", "tokenizer", "scheduler", "safety_checker")


def test_one_copy_of_a_pipelines_weights_is_chosen_in_half_precision():
    assert [name for name in needed_files(_SDXL, _COMPONENTS) if name.endswith("tensors")] == [
        "text_encoder/model.fp16.safetensors",
        "unet/diffusion_pytorch_model.fp16.safetensors",
        "vae/diffusion_pytorch_model.fp16.safetensors",
    ]
    kept = set(needed_files(_SDXL, _COMPONENTS))
    assert {"tokenizer/merges.txt", "unet/config.json", "model_index.json"} <= kept
    assert not any("onnx" in name or "openvino" in name or "vae_" in name for name in kept)


def test_full_precision_is_chosen_where_a_component_has_no_half():
    listing = [name for name in _SDXL if name != "vae/diffusion_pytorch_model.fp16.safetensors"]
    chosen = [name for name in needed_files(listing, _COMPONENTS) if name.endswith("tensors")]
    assert not any("fp16" in name for name in chosen)
    assert len(chosen) == 3


def test_pickles_are_chosen_only_where_there_is_nothing_else():
    listing = listed("""config.json tokenizer.json tf_model.h5 pytorch_model.bin.index.json
        pytorch_model-00001-of-00002.bin pytorch_model-00002-of-00002.bin""")
    chosen = needed_files(listing)
    assert {"pytorch_model.bin.index.json", "pytorch_model-00002-of-00002.bin"} <= set(chosen)
    assert "tf_model.h5" not in chosen
    both = needed_files([*listing, "model.safetensors", "original/model.pth", "model.pt"])
    assert both == ["config.json", "tokenizer.json", "model.safetensors"]


def test_exactly_the_named_files_are_chosen_where_a_repository_has_no_layout():
    listing = ["README.md", "one.pth", "other.pth", "one.cfg.py", "cats.png"]
    assert needed_files(listing, exactly=("one.pth", "*.cfg.py")) == ["one.pth", "one.cfg.py"]


# the catalogue


def test_names_and_hub_ids_are_unique_and_each_source_is_a_page_or_unverified():
    assert len({entry_of(model.name) for model in CATALOGUE}) == len(CATALOGUE)
    ids = [model.hub_id for model in CATALOGUE if model.hub_id]
    assert len(set(ids)) == len(ids)
    for model in CATALOGUE:
        assert entry_of(model.hub_id or model.name) is model
        assert (model.source == "unverified") == (model.licence_class == "unverified")
        assert model.source.startswith("https://") or model.source == "unverified"
        assert model.hub_id or model.files_at
        assert 10**8 < model.size < 10**11


def test_ids_that_are_taken_from_a_docstring_stand_in_it():
    for model in CATALOGUE:
        if model.id_source:
            file = model.id_source.removeprefix("docstring in ")
            library, _, inside = file.partition("/")
            folder = Path(find_spec(library).origin).parent
            assert model.hub_id in (folder / inside).read_text()


def test_the_page_on_licences_tells_what_the_catalogue_holds():
    page = (Path(__file__).parents[2] / "docs" / "weights.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    assert rows[1:] == [_row(model) for model in CATALOGUE]


def _row(model):
    hub_id = model.hub_id or f"[not on the hub]({model.files_at})"
    source = f"[page]({model.source})" if model.source != "unverified" else model.source
    if model.id_source:
        source += f"; id: {model.id_source}"
    cells = (
        model.name,
        ", ".join(model.parts),
        hub_id,
        f"{model.size / 1e9:.1f} GB",
        model.licence,
        model.licence_class,
        model.gated,
        source,
    )
    return f"| {' | '.join(cells)} |"


def test_the_receipt_gets_a_licence_with_its_source():
    record = licence_of("black-forest-labs/FLUX.2-klein-9B")
    assert record.licence_class == "non-commercial"
    assert record.source.startswith("https://")
    assert licence_of("klein").licence_class == "permissive"
    assert licence_of("owner/unknown") is None


def test_memory_is_told_for_known_models_and_for_present_ones(tmp_path):
    assert memory_needed("sdxl") > memory_needed("sd15") > 10**9
    assert memory_needed("owner/unknown") is None
    folder = write_pipeline(tmp_path / "p")
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    assert memory_needed(str(folder)) == weights.stat().st_size
