"""``insitu models``: what is listed, what is pulled from a hub on this machine, what is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from image_core.errors import MissingWeights
from image_core.weights import folder_of, is_present

pytest.importorskip("huggingface_hub")
from huggingface_hub.utils import disable_progress_bars, enable_progress_bars
from local_hub import COMMIT, LocalHub
from safetensors.numpy import save_file

HUB_ID = "someone/a-miniature"


def write_pipeline(folder: Path) -> Path:
    """Write a pipeline's files as a hub's repository holds them, with much that is not needed."""
    index = {
        "_class_name": "StableDiffusionPipeline",
        "unet": ["diffusers", "UNet2DConditionModel"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "scheduler": ["diffusers", "DDIMScheduler"],
        "safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"],
        "feature_extractor": [None, None],
        "requires_safety_checker": True,
    }
    folder.mkdir(parents=True)
    (folder / "model_index.json").write_text(json.dumps(index))
    for name, file in (
        ("unet", "diffusion_pytorch_model"),
        ("text_encoder", "model"),
        ("safety_checker", "model"),
    ):
        (folder / name).mkdir()
        (folder / name / "config.json").write_text("{}")
        for variant in ("", ".fp16", ".non_ema"):
            weights = {name: np.full(50_000, len(variant), np.float16)}
            save_file(weights, folder / name / f"{file}{variant}.safetensors")
        (folder / name / f"{file}.bin").write_bytes(b"a pickle")
        (folder / name / "flax_model.msgpack").write_bytes(b"for another library")
    for name, file in (
        ("tokenizer", "vocab.json"),
        ("scheduler", "scheduler_config.json"),
        ("vae_of_old", "config.json"),
    ):
        (folder / name).mkdir()
        (folder / name / file).write_text("{}")
    (folder / "everything.ckpt").write_bytes(bytes(10_000))
    (folder / "everything.safetensors").write_bytes(bytes(10_000))
    (folder / "README.md").write_text("---\nlicense: mit\n---\n")
    return folder


NEEDED = {
    "README.md",
    "model_index.json",
    "scheduler/scheduler_config.json",
    "text_encoder/config.json",
    "text_encoder/model.fp16.safetensors",
    "tokenizer/vocab.json",
    "unet/config.json",
    "unet/diffusion_pytorch_model.fp16.safetensors",
}


@pytest.fixture
def hub(tmp_path):
    served = LocalHub(repositories={HUB_ID: write_pipeline(tmp_path / "served")})
    server = served.start()
    yield served
    server.shutdown()


@pytest.fixture
def home(hub, tmp_path_factory, monkeypatch):
    """Know no hub but the local one, and keep everything in a folder of the test's."""
    for name in os.environ:
        if name.startswith(("HF_", "HUGGING", "TRANSFORMERS_")):
            monkeypatch.delenv(name)
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    monkeypatch.setenv("HF_HOME", str(folder))
    monkeypatch.setenv("HF_TOKEN_PATH", str(folder / "token"))
    monkeypatch.setenv("INSITU_CONFIG", str(folder / "config"))
    disable_progress_bars()
    yield folder
    enable_progress_bars()


@pytest.fixture
def models(insitu, home):
    """Run ``insitu models`` in this process."""
    return lambda *arguments: insitu("models", *arguments)


def _files(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_pull_brings_just_what_is_loaded_and_prints_the_folder_last(models):
    done = models("pull", HUB_ID)
    assert done.code == 0, done.err
    folder = Path(done.out.splitlines()[-1])
    assert folder.name == COMMIT
    assert _files(folder) == NEEDED


def test_pull_brings_the_safety_checker_when_asked(models):
    done = models("pull", HUB_ID, "--safety-checker", "--format", "json")
    folder = Path(json.loads(done.out)["folder"])
    more = {"safety_checker/config.json", "safety_checker/model.fp16.safetensors"}
    assert _files(folder) == NEEDED | more


def test_a_second_pull_sends_nothing_again(models, hub):
    models("pull", HUB_ID)
    hub.sent.clear()
    assert models("pull", HUB_ID).code == 0
    assert hub.sent == []


def test_a_killed_pull_is_not_present_and_goes_on_where_it_stopped(hub, home):
    unet = "diffusion_pytorch_model.fp16.safetensors"
    hub.stalling.add(unet)
    command = [sys.executable, "-m", "insitu", "models", "pull", HUB_ID]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert hub.stalled.wait(60)
    _wait_until(lambda: "model.fp16.safetensors" in hub.sent)
    child.kill()
    child.communicate()
    with pytest.raises(MissingWeights, match="unet/"):
        folder_of(HUB_ID)

    hub.stalling.clear()
    hub.sent.clear()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert unet in hub.sent
    assert "model_index.json" not in hub.sent
    assert done.stdout.splitlines()[-1] == str(folder_of(HUB_ID))
    assert "%" in done.stderr  # progress


def _wait_until(holds):
    for _ in range(600):
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError("it never came")


def test_a_server_in_trouble_is_told_and_the_rest_is_kept(models, hub):
    hub.failing.add("diffusion_pytorch_model.fp16.safetensors")
    refused = models("pull", HUB_ID)
    assert refused.code == 6
    assert "answered 500" in refused.err
    assert not is_present(HUB_ID)
    hub.failing.clear()
    hub.sent.clear()
    assert models("pull", HUB_ID).code == 0
    assert "model_index.json" not in hub.sent
    assert is_present(HUB_ID)


def test_a_gated_model_tells_to_accept_its_licence(models, hub, monkeypatch):
    hub.gated.add(HUB_ID)
    refused = models("pull", HUB_ID)
    assert refused.code == 6
    assert "HF_TOKEN" in refused.err
    assert f"{hub.url}/{HUB_ID}" in refused.err
    monkeypatch.setenv("HF_TOKEN", hub.token)
    assert models("pull", HUB_ID).code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("someone/else",), 7, "there is no model someone/else"),
        ((HUB_ID, "--revision", "nowhere"), 7, "no such revision"),
        (("no-such-name",), 7, "no hub id"),
        (("segment_anything",), 7, "models path segment-anything DIR"),
    ],
)
def test_what_cannot_be_pulled_is_told_in_one_line(models, arguments, code, words):
    refused = models("pull", *arguments)
    assert refused.code == code
    assert words in refused.err
    assert refused.err.count("\n") == 1
    assert refused.out == ""


def test_without_a_network_pull_says_so(models, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    refused = models("pull", HUB_ID)
    assert refused.code == 6
    assert "Check the network" in refused.err


def test_offline_forbids_downloads_but_finds_what_is_here(models, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    refused = models("pull", HUB_ID)
    assert refused.code == 6
    assert "HF_HUB_OFFLINE is set" in refused.err
    monkeypatch.delenv("HF_HUB_OFFLINE")
    models("pull", HUB_ID)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert models("pull", HUB_ID).code == 0


def test_a_full_disk_is_told_before_anything_is_downloaded(models, hub):
    huge = hub.repositories[HUB_ID] / "unet" / "diffusion_pytorch_model.fp16.safetensors"
    with huge.open("r+b") as file:
        file.truncate(2**43)  # sparse: 8 TiB that take no room
    refused = models("pull", HUB_ID)
    assert refused.code == 7
    assert "GB free" in refused.err
    assert "diffusion_pytorch_model.fp16.safetensors" not in hub.sent


def test_a_repository_that_holds_no_model_is_refused(models, hub, tmp_path):
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "README.md").write_text("words")
    hub.repositories["someone/words"] = tmp_path / "text"
    refused = models("pull", "someone/words")
    assert refused.code == 7
    assert "no file that a part could load" in refused.err


def test_a_repository_that_lacks_a_part_is_told(models, hub):
    (hub.repositories[HUB_ID] / "tokenizer" / "vocab.json").unlink()
    refused = models("pull", HUB_ID)
    assert refused.code == 6
    assert "has no tokenizer/" in refused.err


def test_another_revision_is_used_until_the_next_pull(models, home):
    done = models("pull", HUB_ID, "--revision", COMMIT)
    assert done.code == 0, done.err
    assert is_present(HUB_ID)
    kept = json.loads((home / "config" / "models.json").read_text())["models"]
    assert kept == {HUB_ID: done.out.splitlines()[-1]}
    models("pull", HUB_ID)
    assert json.loads((home / "config" / "models.json").read_text())["models"] == {}


def test_a_folder_of_ones_own_is_checked_and_then_listed(models, tmp_path):
    folder = write_pipeline(tmp_path / "mine")
    assert models("path", "sd15", folder).out.strip() == str(folder)
    rows = json.loads(models("list", "--format", "json").out)["models"]
    here = {row["name"]: row["folder"] for row in rows if row["present"]}
    assert here == {"sd15": str(folder)}
    assert str(folder) in models("list").out

    (folder / "tokenizer" / "vocab.json").unlink()
    refused = models("path", "instruct-pix2pix", folder)
    assert refused.code == 7
    assert "tokenizer/tokenizer_config.json" in refused.err
    row = json.loads(models("list", "--format", "json").out)["models"][0]
    assert not row["present"]
    assert "tokenizer" in row["why_missing"]


def test_a_damaged_register_names_its_file(models, home, tmp_path):
    (home / "config").mkdir()
    (home / "config" / "models.json").write_text('{"models": [')
    refused = models("path", "sd15", tmp_path / "served")
    assert refused.code == 7
    assert str(home / "config" / "models.json") in refused.err
