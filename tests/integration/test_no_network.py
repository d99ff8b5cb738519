"""No command but ``models pull`` touches the network, with or without weights on the machine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from skimage import data, io

from image_core.discovery import build, names

RUNNER = Path(__file__).with_name("without_network.py")
BOX = ("--box", "100", "40", "330", "240")
BY_KIND = {
    "replace": "replace the cat with a fox",
    "add": "add a hat to the cat",
    "style": "make it a watercolour painting",
    "attribute": "make the cat wooden",
    "remove": "remove the cat",
    "recolor": "make the cat blue",
    "texture": "make the cat wooden",
}


@pytest.fixture
def blocked(tmp_path):
    """Run commands where no connection can be made; return their codes and what was tried."""
    io.imsave(tmp_path / "cat.png", data.chelsea(), check_contrast=False)

    def run(*commands):
        (tmp_path / "commands.json").write_text(json.dumps(commands))
        attempts = tmp_path / "attempts.txt"
        attempts.write_text("")
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("HF_", "HUGGING", "TRANSFORMERS_", "DIFFUSERS_", "DISABLE_"))
        }
        kept |= {
            "HOME": str(tmp_path),
            "XDG_CACHE_HOME": str(tmp_path / "cache"),
            "XDG_CONFIG_HOME": str(tmp_path / "config"),
        }
        done = subprocess.run(
            [sys.executable, RUNNER, tmp_path / "commands.json", attempts],
            cwd=tmp_path,
            env=kept,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1]), attempts.read_text()

    return run


@pytest.fixture(scope="session")
def miniature(tmp_path_factory):
    """A real Stable Diffusion folder of some hundred kilobytes, and a copy with pickled weights."""
    pytest.importorskip("diffusers")
    from safetensors.torch import load_file
    from torch import save

    from image_core.testing.miniature.stable_diffusion import write_stable_diffusion

    folder = write_stable_diffusion(tmp_path_factory.mktemp("sd"))
    pickled = Path(shutil.copytree(folder, folder.with_name("pickled")))
    for path in pickled.glob("*/*.safetensors"):
        stem = "pytorch_model" if path.stem == "model" else path.stem
        save(load_file(path), path.with_name(f"{stem}.bin"))
        path.unlink()
    return folder, pickled


def test_the_block_is_noticed(blocked):
    _, attempts = blocked(
        "import socket\ntry: socket.create_connection(('a.b', 1))\nexcept OSError: 0"
    )
    assert "create_connection" in attempts


def test_no_command_tries_to_connect(blocked, tmp_path):
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "sam_vit_b.pth").write_bytes(b"weights")
    codes, attempts = blocked(
        ["image", "cat.png", "make the cat blue", *BOX, "-o", "blue.png"],
        ["image", "cat.png", "make the cat blue", *BOX, "-o", "overlay.png", "--dry-run"],
        ["image", "cat.png", "make the cat blue", *BOX, "-o", "x.png", "--editor", "classic"],
        ["verify", "blue.png"],
        ["image", "--replay", "blue.png.json", "-o", "again.png"],
        ["image", "c*.png", "make the image brighter", "-o", "all", "--workers", "1"],
        ["image", "cat.png", "replace the cat with a fox", *BOX, "-o", "fox.png"],
        ["doctor"],
        ["demo", "-o", "demo"],
        ["models", "list"],
        ["models", "list", "--format", "json"],
        ["models", "path", "segment_anything", "own"],
        ["models", "path", "sd15", "own"],
    )
    assert attempts == ""
    assert codes == [0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 7]


def _neural():
    return [name for name in names("editors") if hasattr(build("editors", name), "why_not")]


def _command(name, *options):
    kinds = build("editors", name).capabilities.kinds
    instruction = next(text for kind, text in BY_KIND.items() if kind in kinds)
    named = ("--editor", name, *(("--editor-options", *options) if options else ()))
    return ["image", "cat.png", instruction, *BOX, "-o", f"{name}.png", *named]


def test_each_neural_editor_without_weights_is_code_6_and_tries_nothing(blocked):
    commands = [_command(name) for name in _neural()]
    codes, attempts = blocked(*commands)
    assert attempts == ""
    assert codes == [6] * len(commands)


_LOADING = """
from pathlib import Path

from diffusers import AutoencoderKL, DDIMScheduler, DiffusionPipeline, UNet2DConditionModel
from transformers import AutoTokenizer, CLIPTextModel, CLIPTokenizer

from image_core.weights import loaded

for folder in map(Path, {folders}):
    loaded(UNet2DConditionModel, folder, subfolder="unet")
    loaded(AutoencoderKL, folder, subfolder="vae")
    loaded(DDIMScheduler, folder, subfolder="scheduler")
    loaded(CLIPTextModel, folder, subfolder="text_encoder")
    loaded(CLIPTextModel, folder / "text_encoder")
    loaded(CLIPTokenizer, folder, subfolder="tokenizer")
    loaded(AutoTokenizer, folder / "tokenizer")
    loaded(DiffusionPipeline, folder, safety_checker=None)
"""


def test_with_weights_on_the_machine_neither_libraries_nor_editors_try_to_connect(
    blocked, miniature
):
    folder, pickled = miniature
    loading = _LOADING.format(folders=(str(folder), str(pickled)))
    small = {name: () if name == "qwen-image-edit" else ("resolution=64",) for name in _neural()}
    commands = [_command(name, f"model={folder}", "steps=2", *small[name]) for name in small]
    codes, attempts = blocked(loading, *commands)
    assert attempts == ""
    # an editor edits, refuses a checkpoint of another kind, or lacks a second model
    assert set(codes) <= {0, 6, 7}
