"""transformers' ``SamModel`` and ``Sam2Model`` behind one face."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import interpolate

from image_core.devices import placement
from image_core.errors import InvalidInput
from image_core.evaluations import count
from image_core.segmentation.prompted.prompts import Guesses, Picture, Prompt
from image_core.weights import folder_of, loaded

if TYPE_CHECKING:
    from image_core.segmentation.sam import SamConfig


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A picture as SAM sees it.

    Attributes:
        embedding: From the vision encoder; SAM 2 keeps three resolutions.
        height: Of the picture.
        width: Of the picture.
        rows: Height of the picture as the network got it, without padding.
        columns: Its width.
    """

    embedding: Any
    height: int
    width: int
    rows: int
    columns: int


class TransformersSam:
    """Encodes pictures and answers prompts; which network it is, its ``config.json`` tells."""

    def __init__(self, config: SamConfig) -> None:
        """Keep the settings; nothing is loaded."""
        self.config = config

    @cached_property
    def parts(self) -> tuple[Any, Any, bool]:
        """The image processor, the network, and whether it is SAM 2; loaded at first use."""
        import transformers

        folder = folder_of(self.config.model)
        name, image_processor = _CLASSES[_kind(folder)]
        processor = loaded(getattr(transformers, image_processor), folder)
        # prompts are coordinates: 16 bits would move them by pixels, so weights stay in float32
        network = loaded(getattr(transformers, name), folder, dtype=torch.float32)
        where = placement(self.config.device, self.config.dtype)
        return processor, network.to(where.device).eval().requires_grad_(False), name == "Sam2Model"

    def encode(self, pictures: Sequence[Picture]) -> list[Seen]:
        """Look at pictures, all in one call: the network sees each at one fixed size."""
        processor, network, second = self.parts
        inputs = processor(images=list(pictures), return_tensors="pt")
        where = placement(self.config.device, self.config.dtype)
        pixels = inputs["pixel_values"].to(where.device, torch.float32)
        with torch.no_grad(), torch.autocast(where.device.type, where.dtype, enabled=where.half):
            embeddings = network.get_image_embeddings(pixels)
        count("sam encoder", len(pictures))
        side = tuple(pixels.shape[-2:])
        sizes = [side] * len(pictures) if second else inputs["reshaped_input_sizes"].tolist()
        return [
            Seen(
                embedding=(
                    [level[k : k + 1].float() for level in embeddings]
                    if second
                    else embeddings[k : k + 1].float()
                ),
                height=picture.shape[0],
                width=picture.shape[1],
                rows=int(size[0]),
                columns=int(size[1]),
            )
            for k, (picture, size) in enumerate(zip(pictures, sizes, strict=True))
        ]

    def decode(self, seen: Seen, prompts: Sequence[Prompt]) -> list[Guesses]:
        """Answer prompts of one shape about a picture, all in one call."""
        _, network, second = self.parts
        asked = {
            name: value.to(network.device) for name, value in prompt_tensors(seen, prompts).items()
        }
        with torch.no_grad():
            output = network(image_embeddings=seen.embedding, multimask_output=True, **asked)
        count("sam decoder", len(prompts))
        logits = output.pred_masks[0].float().cpu()
        if not second:
            logits = without_padding(logits, seen, network.config.vision_config.image_size)
        quality = output.iou_scores[0].float().cpu()
        return [
            Guesses(logits=own.numpy(), quality=rated.numpy())
            for own, rated in zip(logits, quality, strict=True)
        ]


_CLASSES = {
    "sam": ("SamModel", "SamImageProcessor"),
    "sam2": ("Sam2Model", "Sam2ImageProcessor"),
    "sam2_video": ("Sam2Model", "Sam2ImageProcessor"),
}
"""By the model type of a ``config.json``; SAM 2 is published with its settings for video."""


def _kind(folder: Path) -> str:
    path = folder / "config.json"
    try:
        kind = json.loads(path.read_text()).get("model_type", "")
    except (OSError, ValueError, AttributeError) as error:
        raise InvalidInput(f"{path} cannot be read: {error}") from error
    if kind not in _CLASSES:
        raise InvalidInput(
            f"{folder} holds a model of the type {kind!r}, which is neither SAM nor SAM 2",
            hint="facebook/sam-vit-huge and facebook/sam2.1-hiera-large are known to fit.",
        )
    return str(kind)


def prompt_tensors(seen: Seen, prompts: Sequence[Prompt]) -> dict[str, Tensor]:
    """Return prompts of one shape as a network's inputs, in pixels of what it saw.

    Returns:
        ``input_boxes`` (1, n, 4); ``input_points`` (1, n, p, 2) and ``input_labels`` (1, n, p),
        1 inside and 0 outside; what the prompts have not is left out.
    """
    scale = torch.tensor([seen.columns / seen.width, seen.rows / seen.height], dtype=torch.float64)
    asked = {}
    if prompts[0].box is not None:
        boxes = torch.tensor([prompt.box for prompt in prompts], dtype=torch.float64)
        asked["input_boxes"] = (boxes * scale.repeat(2)).float()[None]
    if prompts[0].points or prompts[0].not_points:
        points = torch.tensor([(*p.points, *p.not_points) for p in prompts], dtype=torch.float64)
        labels = [[1] * len(p.points) + [0] * len(p.not_points) for p in prompts]
        asked["input_points"] = (points * scale).float()[None]
        asked["input_labels"] = torch.tensor(labels)[None]
    return asked


def without_padding(
    logits: Float[Tensor, "n k h w"], seen: Seen, side: int
) -> Float[Tensor, "n k rows columns"]:
    """Bring masks to the size that the network saw, and cut off what was only padding."""
    resized = interpolate(logits, (side, side), mode="bilinear", align_corners=False)
    return resized[..., : seen.rows, : seen.columns]
