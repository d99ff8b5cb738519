"""Directional CLIP similarity: does the picture change as its caption does?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from image_core.devices import Placement
from image_core.evaluations import count
from image_core.types import Image
from image_core.weights import folder_of, loaded


def directional_similarity(
    image_change: Float[Tensor, "b d"], text_change: Float[Tensor, "b d"]
) -> Float[Tensor, " b"]:
    """Return the cosine between changes in CLIP's space (Gal et al., StyleGAN-NADA, eq. 2).

    Args:
        image_change: Edited minus source picture, each normalised.
        text_change: Edited minus source caption, each normalised.

    Returns:
        In [-1, 1]; 0 where one of them did not change at all.
    """
    return torch.nn.functional.cosine_similarity(image_change, text_change, dim=-1)


@dataclass(frozen=True, kw_only=True)
class ClipDirection:
    """A CLIP model that scores edits.

    Attributes:
        model: ``CLIPModel``.
        processor: Its image processor.
        tokenizer: Its tokenizer.
        placement: Where it runs.
    """

    model: Any
    processor: Any
    tokenizer: Any
    placement: Placement

    @classmethod
    def loaded(cls, model: str, placement: Placement) -> ClipDirection:
        """Load a CLIP model by hub id or folder.

        Raises:
            MissingWeights: It is not on this machine.
        """
        from transformers import CLIPImageProcessor, CLIPModel, CLIPTokenizer

        folder = folder_of(model)
        return cls(
            model=loaded(CLIPModel, folder, dtype=torch.float32).to(placement.device).eval(),
            processor=loaded(CLIPImageProcessor, folder),
            tokenizer=loaded(CLIPTokenizer, folder),
            placement=placement,
        )

    @torch.no_grad()
    def scores(
        self,
        sources: Sequence[Image],
        edited: Sequence[Image],
        source_caption: str,
        edited_caption: str,
    ) -> list[float]:
        """Return each edit's directional similarity.

        Args:
            sources: Pictures before; one for all, or one for each.
            edited: The same after.
            source_caption: What they show before.
            edited_caption: What they shall show after.
        """
        pictures = self.embedded([*sources, *edited])
        before, after = pictures[: len(sources)], pictures[len(sources) :]
        texts = self._texts([source_caption, edited_caption])
        change = (texts[1] - texts[0]).expand(len(after), -1)
        found = directional_similarity(after - before, change)
        return [float(score) for score in found.cpu()]

    def embedded(self, images: Sequence[Image]) -> Tensor:
        """Return CLIP's embedding of each picture, (n, d), of length 1."""
        bytes_ = [np.rint(np.clip(np.nan_to_num(i), 0, 1) * 255).astype(np.uint8) for i in images]
        pixels = self.processor(  # a picture of 3 rows would pass for one of 3 planes
            bytes_, return_tensors="pt", input_data_format="channels_last"
        ).pixel_values
        count("clip image", len(images))
        vision = self.model.vision_model(pixel_values=pixels.to(self.placement.device))
        return torch.nn.functional.normalize(
            self.model.visual_projection(vision.pooler_output), dim=-1
        )

    def _texts(self, captions: Sequence[str]) -> Tensor:
        ids = self.tokenizer(list(captions), padding=True, truncation=True, return_tensors="pt").to(
            self.placement.device
        )
        count("clip text", len(captions))
        text = self.model.text_model(**ids)
        return torch.nn.functional.normalize(self.model.text_projection(text.pooler_output), dim=-1)
