"""What the denoisers learn from: edits as latents and tokens, made once and kept on the disk.

One part of so many edits is a file; what is there already is not made again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int16
from torch import Tensor
from torch.nn.functional import max_pool2d

from image_core.photo.atomic import write_atomically
from pocket.flat.edits import Edits, edits, region_masks
from pocket.flat.phrases import caption
from pocket.flat.render import object_masks, render
from pocket.training.lesson import step_random
from pocket.training.pictures import EASY, HARD, as_input, train_scenes
from pocket.zoo.autoencoder import FACTOR
from pocket.zoo.words import clip_tokenizer

PART = 512
"""Edits a file."""
CAPTIONS = 3
"""Wordings of each picture's caption."""

_WIDEST = 4  # pixels by which a hole is wider than what an edit changes, at most
_BOXED = 0.5  # share of the holes that are boxes
_ENCODED = 64  # pictures that are encoded in a call


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """n edits.

    Attributes:
        before: Latents of the pictures before; in float16, as all latents here.
        after: Of the pictures after.
        blanked: Of the pictures after, with a grey hole over what changed.
        hole: Where the hole is, at the latents' size.
        region: Where the pictures differ.
        things_before: Where objects are, before.
        things_after: And after.
        captions_before: Tokens of several captions of the picture before.
        captions_after: Of the picture after, in the same wordings.
        instruction: Tokens of the instruction.
        filling: Tokens of what inpainting is told: the caption after, nothing for a removal.
    """

    before: Float[Tensor, "n c h w"]
    after: Float[Tensor, "n c h w"]
    blanked: Float[Tensor, "n c h w"]
    hole: Bool[Tensor, "n h w"]
    region: Bool[Tensor, "n h w"]
    things_before: Bool[Tensor, "n h w"]
    things_after: Bool[Tensor, "n h w"]
    captions_before: Int16[Tensor, "n k t"]
    captions_after: Int16[Tensor, "n k t"]
    instruction: Int16[Tensor, "n t"]
    filling: Int16[Tensor, "n t"]

    def __len__(self) -> int:
        return len(self.before)

    def to(self, device: torch.device) -> Pairs:
        """Return them on a device."""
        return Pairs(**{one.name: getattr(self, one.name).to(device) for one in fields(self)})


def part_path(folder: Path, number: int) -> Path:
    """Return where a part lies."""
    return folder / f"part-{number:04d}.pt"


def make_pairs(
    folder: Path,
    vae: Any,
    *,
    parts: int,
    seed: int,
    device: torch.device,
    stopped: Callable[[], bool],
) -> bool:
    """Make the parts that are missing; tell whether all are there.

    Args:
        folder: Where they lie; of one autoencoder only.
        vae: That.
        parts: How many.
        seed: Of the scenes.
        device: Of the autoencoder.
        stopped: Asked between two parts.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(parts):
        path = part_path(folder, number)
        if path.exists():
            continue
        if stopped():
            return False
        made = pairs_of(part_edits(number, seed), vae, device=device, seed=seed, number=number)
        buffer = BytesIO()
        torch.save({one.name: getattr(made, one.name) for one in fields(made)}, buffer)
        write_atomically(path, buffer.getvalue())
    return True


def load_pairs(folder: Path, parts: int) -> Pairs:
    """Read so many parts as one."""
    read = [torch.load(part_path(folder, k), weights_only=True) for k in range(parts)]
    return Pairs(**{name: torch.cat([one[name] for one in read]) for name in read[0]})


def part_edits(number: int, seed: int) -> Edits:
    """Return the edits of a part; every second part has scenes of one or two objects only."""
    settings = HARD if number % 2 == 0 else EASY
    return edits(train_scenes(number, PART, seed=seed, settings=settings))


def pairs_of(batch: Edits, vae: Any, *, device: torch.device, seed: int, number: int) -> Pairs:
    """Encode edits.

    Args:
        batch: The edits.
        vae: The autoencoder.
        device: Its.
        seed: Of the holes.
        number: Of the part: its holes depend on it.
    """
    random = step_random(seed, "holes", number)
    regions = region_masks(batch) > 0
    holes = np.stack([hole_around(region, random) for region in regions])
    after = render(batch.after)
    blanked = np.where(holes[..., None], np.float32(0.5), after)
    rows = range(len(batch))
    return Pairs(
        before=latents_of(vae, render(batch.before), device),
        after=latents_of(vae, after, device),
        blanked=latents_of(vae, blanked, device),
        hole=reduced(holes),
        region=reduced(regions),
        things_before=reduced(object_masks(batch.before).max(axis=1) > 0),
        things_after=reduced(object_masks(batch.after).max(axis=1) > 0),
        captions_before=_wordings(
            [[caption(batch.before, row, draw=k) for k in range(CAPTIONS)] for row in rows]
        ),
        captions_after=_wordings(
            [[caption(batch.after, row, draw=k) for k in range(CAPTIONS)] for row in rows]
        ),
        instruction=tokens_of([case.instruction for case in batch.cases]),
        filling=tokens_of([filling_of(case.task, case.target_caption) for case in batch.cases]),
    )


def filling_of(task: str, target_caption: str) -> str:
    """Return what inpainting is told: production code tells it nothing where a thing goes."""
    return "" if task == "remove" else target_caption


def hole_around(region: Bool[np.ndarray, "h w"], random: np.random.Generator) -> np.ndarray:
    """Return a hole over a region: a little wider, or its box; nothing where there is none."""
    wider, boxed = int(random.integers(_WIDEST + 1)), bool(random.random() < _BOXED)
    hole = np.array(region)
    if boxed and region.any():
        rows, columns = np.flatnonzero(region.any(axis=1)), np.flatnonzero(region.any(axis=0))
        hole[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = True
    kernel = np.ones((2 * wider + 1, 2 * wider + 1), np.uint8)
    return cv2.dilate(hole.astype(np.uint8), kernel).astype(bool)


def reduced(masks: Bool[np.ndarray, "n h w"]) -> Bool[Tensor, "n k l"]:
    """Return masks at the latents' size: a cell is in that has any pixel in."""
    return max_pool2d(torch.from_numpy(masks.astype(np.float32))[:, None], FACTOR)[:, 0] > 0


@torch.no_grad()
def latents_of(
    vae: Any, pictures: Float32[np.ndarray, "n h w 3"], device: torch.device
) -> Float[Tensor, "n c k l"]:
    """Return the mean latents of pictures in [0, 1], in float16 on the CPU."""
    made = [
        vae.encode(part.to(device)).latent_dist.mean.half().cpu()
        for part in torch.split(as_input(pictures), _ENCODED)
    ]
    return torch.cat(made)


def tokens_of(texts: list[str]) -> Int16[Tensor, "n t"]:
    """Return texts as tokens, padded to the tokenizer's length as the editors pad them."""
    tokens: Any = clip_tokenizer()(
        texts, padding="max_length", truncation=True, return_tensors="pt"
    )
    ids: Tensor = tokens.input_ids
    return ids.to(torch.int16)


def _wordings(texts: list[list[str]]) -> Int16[Tensor, "n k t"]:
    flat = tokens_of([text for row in texts for text in row])
    return flat.reshape(len(texts), CAPTIONS, -1)
