"""Grounding DINO's network: pictures and a caption in, scored tokens and boxes out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from image_core.devices import placement
from image_core.evaluations import count
from image_core.grounding.open_vocabulary.candidates import Candidates
from image_core.grounding.open_vocabulary.grounder import Picture
from image_core.grounding.open_vocabulary.phrases import Phrase
from image_core.grounding.open_vocabulary.readiness import EXTRA, NEURAL, require
from image_core.grounding.open_vocabulary.tokens import candidates_of, caption_of
from image_core.segmentation.prompted.border import with_border
from image_core.weights import folder_of, loaded

if TYPE_CHECKING:
    from image_core.grounding.grounding_dino import GroundingDinoConfig


class GroundingDinoDetector:
    """transformers' ``GroundingDinoForObjectDetection`` and its processor."""

    def __init__(self, config: GroundingDinoConfig) -> None:
        """Keep the settings; nothing is loaded."""
        self.config = config

    @cached_property
    def _parts(self) -> tuple[Any, Any]:
        """The processor and the network, loaded at first use."""
        require("grounding_dino", NEURAL, EXTRA)
        from transformers import GroundingDinoForObjectDetection, GroundingDinoProcessor

        folder = folder_of(self.config.model)
        where = placement(self.config.device, self.config.dtype)
        processor = loaded(GroundingDinoProcessor, folder)
        network = loaded(GroundingDinoForObjectDetection, folder, dtype=where.dtype)
        return processor, network.to(where.device).eval().requires_grad_(False)

    def detect(
        self, pictures: Sequence[Picture], phrases: Sequence[Phrase]
    ) -> list[list[Candidates]]:
        """Return, per picture, what was seen of each phrase.

        Pictures of one size share a call. Sizes are never padded to each other: Swin's windows
        would see the padding, and a batch would no longer equal single calls.

        Raises:
            MissingWeights: The weights or the extra are not on this machine.
        """
        return in_batches(pictures, self.config.max_batch, lambda batch: self._run(batch, phrases))

    def _run(self, batch: Sequence[Picture], phrases: Sequence[Phrase]) -> list[list[Candidates]]:
        import torch

        processor, network = self._parts
        caption = caption_of(phrases)
        text = processor.tokenizer(
            caption.text, return_offsets_mapping=True, return_token_type_ids=True
        )
        offsets = np.array(text.pop("offset_mapping"))
        inputs = processor.image_processor(images=list(batch), return_tensors="pt")
        with torch.no_grad():
            tokens = {
                name: torch.tensor([row] * len(batch), device=network.device)
                for name, row in text.items()
            }
            output = network(
                pixel_values=inputs["pixel_values"].to(network.device, network.dtype),
                pixel_mask=inputs["pixel_mask"].to(network.device),
                **tokens,
            )
        count("grounding dino", len(batch))
        probabilities = output.logits.float().sigmoid().cpu().numpy()
        height, width = batch[0].shape[:2]
        corners = in_pixels(output.pred_boxes.float().cpu().numpy(), height, width)
        return [
            candidates_of(
                probability,
                boxes,
                offsets=offsets,
                caption=caption,
                phrases=phrases,
                box_threshold=self.config.box_threshold,
                text_threshold=self.config.text_threshold,
            )
            for probability, boxes in zip(probabilities, corners, strict=True)
        ]


def in_batches(
    pictures: Sequence[Picture],
    most: int,
    run: Callable[[Sequence[Picture]], list[list[Candidates]]],
) -> list[list[Candidates]]:
    """Run pictures of one size together, at most so many a call; slim ones get a border first."""
    bordered = [with_border(picture) for picture in pictures]
    sizes: dict[tuple[int, ...], list[int]] = {}
    for k, picture in enumerate(bordered):
        sizes.setdefault(picture.shape, []).append(k)
    found: dict[int, list[Candidates]] = {}
    for same in sizes.values():
        for start in range(0, len(same), most):
            batch = same[start : start + most]
            found.update(zip(batch, run([bordered[k] for k in batch]), strict=True))
    return [found[k] for k in range(len(pictures))]


def in_pixels(boxes: np.ndarray, height: int, width: int) -> np.ndarray:
    """Turn centres and sizes in [0, 1] into XYXY in pixels; the last axis holds the four."""
    centre, half = boxes[..., :2], boxes[..., 2:] / 2
    corners = np.concatenate([centre - half, centre + half], axis=-1)
    return np.asarray(corners * np.array([width, height, width, height], boxes.dtype))
