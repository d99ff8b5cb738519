"""Loading a latent diffusion checkpoint in diffusers' layout from its folder."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any, Literal

import torch

from image_core.devices import Placement, free_memory
from image_core.diffusion.network import LatentDiffusion
from image_core.diffusion.schedule import Schedule
from image_core.diffusion.text import TextEncoders
from image_core.diffusion.variants import half_variant
from image_core.disk_cache import content_key
from image_core.errors import InvalidInput
from image_core.weights import loaded

Memory = Literal["auto", "high", "low"]

_LOG = logging.getLogger("insitu.diffusion")
_ROOM = 1.6  # times the weights: what a device needs to hold them and an edit's activations


def load_latent_diffusion(
    folder: Path, placement: Placement, *, memory: Memory = "auto", compiled: bool = False
) -> LatentDiffusion:
    """Load UNet, VAE and text encoders.

    Args:
        folder: A checkpoint with ``model_index.json``.
        placement: Where to, in which precision.
        memory: ``low`` keeps networks in main memory but for their turn and decodes in tiles;
            ``auto`` does so where the device's free memory is below 1.6 times the weights.
        compiled: Compile the UNet (worth it from some hundred calls on).

    Raises:
        MissingWeights: A file is missing.
        InvalidInput: It is a checkpoint of another kind.
    """
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

    index = _index(folder)
    low = memory == "low" or (memory == "auto" and _is_tight(folder, placement))
    home = torch.device("cpu") if low else placement.device
    kind = placement.dtype

    def part(module: Any, name: str, dtype: torch.dtype = kind) -> Any:
        made = loaded(module, folder, subfolder=name, dtype=dtype, **half_variant(folder / name))
        return made.to(home).eval().requires_grad_(False)

    tokenizers = [loaded(CLIPTokenizer, folder, subfolder="tokenizer")]
    encoders = [part(CLIPTextModel, "text_encoder")]
    if index.get("text_encoder_2"):
        tokenizers.append(loaded(CLIPTokenizer, folder, subfolder="tokenizer_2"))
        encoders.append(part(CLIPTextModelWithProjection, "text_encoder_2"))
    unet = part(UNet2DConditionModel, "unet")
    vae = part(AutoencoderKL, "vae")
    if vae.config.force_upcast and kind == torch.float16:
        vae = vae.float()  # SDXL's VAE overflows in float16
    if low:
        vae.enable_tiling()
    if compiled:
        unet.compile()
    _LOG.info("loaded %s, %s", folder, placement)
    return LatentDiffusion(
        unet=unet,
        vae=vae,
        text=TextEncoders(
            tokenizers=tokenizers,
            encoders=encoders,
            dropped_when_empty=bool(index.get("force_zeros_for_empty_prompt", False)),
        ),
        schedule=Schedule.from_folder(folder),
        placement=placement,
        identity=content_key(*_files(folder), str(kind), placement.device.type),
        offload=low,
    )


def _index(folder: Path) -> dict[str, Any]:
    path = folder / "model_index.json"
    try:
        index = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise InvalidInput(
            f"{folder} has no usable model_index.json",
            hint="Give a checkpoint folder in diffusers' layout, or a hub id.",
        ) from error
    missing = [name for name in ("unet", "vae", "text_encoder", "tokenizer") if not index.get(name)]
    if not isinstance(index, dict) or missing:
        raise InvalidInput(
            f"{folder} is no latent diffusion checkpoint with a UNet: it has no "
            f"{', '.join(missing)}",
            hint="Stable Diffusion 1.x, 2.x and XL, and their fine-tunes, are.",
        )
    return index


def _is_tight(folder: Path, placement: Placement) -> bool:
    if placement.device.type == "cpu":
        return False
    stored = sum(path.stat().st_size for path in folder.glob("*/*.safetensors"))
    return free_memory(placement.device) < _ROOM * stored


def _files(folder: Path) -> list[str]:
    """Return what identifies a checkpoint's weights without reading them: names, sizes, times."""
    found = []
    for path in sorted(folder.glob("*/*")):
        if path.suffix in {".safetensors", ".bin", ".json"}:
            status = path.stat()
            found.append(f"{path.relative_to(folder)} {status.st_size} {status.st_mtime_ns}")
    return [str(folder.resolve()), *found]
