"""Writing models as the folders that the libraries' ``from_pretrained`` reads, in 16 bits.

What is written takes its name only when all of it is there, and replaces what had it.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

from image_core.photo.atomic import not_writable
from image_core.weights.quiet import without_bars
from pocket.zoo.denoiser import SCHEDULE, Flavour
from pocket.zoo.words import clip_tokenizer


def write_model(folder: Path, network: Any, *beside: Any) -> None:
    """Write a network and its processor or tokenizer.

    Args:
        folder: Replaced where it exists.
        network: Of transformers or diffusers; it is not changed.
        beside: Whatever else has a ``save_pretrained``.

    Raises:
        InvalidInput: It cannot be written.
    """
    with replacing(folder) as place:
        for part in (halved(network), *beside):
            with without_bars():
                part.save_pretrained(place)


def write_pipeline(
    folder: Path, flavour: Flavour, *, unet: Any, vae: Any, text_encoder: Any
) -> None:
    """Write a pipeline of diffusers with its networks, tokenizer and scheduler.

    Args:
        folder: Replaced where it exists.
        flavour: Which pipeline.
        unet: Its denoiser; like the others it is not changed.
        vae: Its autoencoder.
        text_encoder: Its text encoder.

    Raises:
        InvalidInput: It cannot be written.
    """
    import diffusers

    kind: Any = getattr(diffusers, _PIPELINES[flavour])
    scheduler: Any = diffusers.DDIMScheduler  # untyped in diffusers
    pipeline = kind(
        unet=halved(unet),
        vae=halved(vae),
        text_encoder=halved(text_encoder),
        tokenizer=clip_tokenizer(),
        scheduler=scheduler(**SCHEDULE),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    with replacing(folder) as place, without_bars():
        pipeline.save_pretrained(place)


_PIPELINES: dict[Flavour, str] = {
    "stable-diffusion": "StableDiffusionPipeline",
    "instruct-pix2pix": "StableDiffusionInstructPix2PixPipeline",
    "inpainting": "StableDiffusionInpaintPipeline",
}


def halved(network: Any) -> Any:
    """Return a copy of a network on the CPU in float16."""
    return deepcopy(network).to("cpu").half().eval()


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """Give an empty folder to write into; it takes the other's place when all went well.

    Raises:
        InvalidInput: It cannot be written.
    """
    partial = folder.parent / f".{folder.name}.{secrets.token_hex(6)}.tmp"
    old = folder.parent / f".{folder.name}.{secrets.token_hex(6)}.old"
    try:
        partial.mkdir(parents=True)
        yield partial
        if folder.exists():
            os.replace(folder, old)
        os.replace(partial, folder)
    except OSError as error:
        raise not_writable(folder, error) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def stored_bytes(folder: Path, names: Sequence[str]) -> int:
    """Return the bytes of all files in some folders below one."""
    return sum(
        path.stat().st_size
        for name in names
        for path in (folder / name).rglob("*")
        if path.is_file()
    )
