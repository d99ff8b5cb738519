"""The authors' SAM as a promptable network."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import torch
from segment_anything.modeling import Sam
from segment_anything.utils.transforms import ResizeLongestSide

from image_core.devices import placement
from image_core.evaluations import count
from image_core.grounding.open_vocabulary.checkpoint import file_of, state_of
from image_core.segmentation.prompted.prompts import Guesses, Picture, Prompt
from image_core.segmentation.sam.network import Seen, prompt_tensors, without_padding
from image_core.segmentation.segment_anything.architecture import sam_of

if TYPE_CHECKING:
    from image_core.segmentation.segment_anything import SegmentAnythingConfig


class SegmentAnything:
    """Encodes pictures and answers prompts."""

    def __init__(self, config: SegmentAnythingConfig) -> None:
        """Keep the settings; nothing is loaded."""
        self.config = config

    @cached_property
    def sam(self) -> Sam:
        """The network with its weights, on its device; loaded at first use."""
        state = state_of(file_of(self.config.model, self.config.checkpoint))
        network = sam_of(state, self.config.model_type)
        return network.to(placement(self.config.device, self.config.dtype).device)

    def encode(self, pictures: Sequence[Picture]) -> list[Seen]:
        """Look at pictures, all in one call, each resized and padded as ``SamPredictor`` does."""
        sam = self.sam
        where = placement(self.config.device, self.config.dtype)
        resize = ResizeLongestSide(sam.image_encoder.img_size)
        resized = [torch.from_numpy(resize.apply_image(picture).copy()) for picture in pictures]
        pixels = torch.stack([sam.preprocess(p.permute(2, 0, 1).to(where.device)) for p in resized])
        with torch.no_grad(), torch.autocast(where.device.type, where.dtype, enabled=where.half):
            embeddings = sam.image_encoder(pixels)
        count("sam encoder", len(pictures))
        return [
            Seen(
                embedding=embeddings[k : k + 1].float(),
                height=picture.shape[0],
                width=picture.shape[1],
                rows=resized[k].shape[0],
                columns=resized[k].shape[1],
            )
            for k, picture in enumerate(pictures)
        ]

    def decode(self, seen: Seen, prompts: Sequence[Prompt]) -> list[Guesses]:
        """Answer prompts of one shape about a picture, all in one call."""
        sam = self.sam
        asked = {
            name: value[0].to(sam.device) for name, value in prompt_tensors(seen, prompts).items()
        }
        points = (asked["input_points"], asked["input_labels"]) if "input_points" in asked else None
        with torch.no_grad():
            sparse, dense = sam.prompt_encoder(
                points=points, boxes=asked.get("input_boxes"), masks=None
            )
            logits, quality = sam.mask_decoder(
                image_embeddings=seen.embedding,
                image_pe=sam.prompt_encoder.get_dense_pe(),
                sparse_prompt_embeddings=sparse,
                dense_prompt_embeddings=dense,
                multimask_output=True,
            )
        count("sam decoder", len(prompts))
        masks = without_padding(logits.float().cpu(), seen, sam.image_encoder.img_size)
        return [
            Guesses(logits=own.numpy(), quality=rated.numpy())
            for own, rated in zip(masks, quality.float().cpu(), strict=True)
        ]
