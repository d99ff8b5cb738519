"""SAM 3's network: pictures and phrases in, scored outlines out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from image_core.devices import placement
from image_core.errors import MissingWeights
from image_core.evaluations import count
from image_core.grounding.open_vocabulary.candidates import Candidates
from image_core.grounding.open_vocabulary.grounder import Picture
from image_core.grounding.open_vocabulary.phrases import Phrase
from image_core.grounding.open_vocabulary.readiness import EXTRA, NEURAL, require
from image_core.weights import folder_of, loaded

if TYPE_CHECKING:
    from image_core.grounding.sam3 import Sam3Config

_GATED = (
    "SAM 3 is published under Meta's own licence: accept it on its page on the hub, then "
    "insitu models pull {model} with a token in HF_TOKEN."
)


class Sam3Detector:
    """transformers' ``Sam3Model`` and its processor."""

    def __init__(self, config: Sam3Config) -> None:
        """Keep the settings; nothing is loaded."""
        self.config = config

    @cached_property
    def parts(self) -> tuple[Any, Any]:
        """The processor and the network, loaded at first use.

        Raises:
            MissingWeights: The weights or the extra are not on this machine.
        """
        require("sam3", NEURAL, EXTRA)
        import torch
        from transformers import Sam3Model, Sam3Processor

        try:
            folder = folder_of(self.config.model)
        except MissingWeights as error:
            raise MissingWeights(str(error), hint=_GATED.format(model=self.config.model)) from error
        processor = loaded(Sam3Processor, folder)
        network = loaded(Sam3Model, folder, dtype=torch.float32)
        where = placement(self.config.device, self.config.dtype)
        return processor, network.to(where.device).eval().requires_grad_(False)

    def detect(
        self, pictures: Sequence[Picture], phrases: Sequence[Phrase]
    ) -> list[list[Candidates]]:
        """Return, per picture, what was seen of each phrase; each picture is encoded once.

        Raises:
            MissingWeights: The weights or the extra are not on this machine.
        """
        found = []
        for start in range(0, len(pictures), self.config.max_batch):
            found += self._run(pictures[start : start + self.config.max_batch], phrases)
        return found

    def _run(self, batch: Sequence[Picture], phrases: Sequence[Phrase]) -> list[list[Candidates]]:
        import torch

        processor, network = self.parts
        where = placement(self.config.device, self.config.dtype)
        inputs = processor.image_processor(images=list(batch), return_tensors="pt")
        pixels = inputs["pixel_values"].to(where.device, torch.float32)
        sizes = [picture.shape[:2] for picture in batch]
        rows: list[list[Candidates]] = [[] for _ in batch]
        with torch.no_grad(), torch.autocast(where.device.type, where.dtype, enabled=where.half):
            encoded = network.get_vision_features(pixel_values=pixels)
        encoded.fpn_hidden_states = tuple(level.float() for level in encoded.fpn_hidden_states)
        count("sam3 encoder", len(batch))
        for phrase in phrases:
            text = processor(
                text=[phrase.text] * len(batch),
                original_sizes=[list(size) for size in sizes],
                return_tensors="pt",
            )
            with torch.no_grad():
                output = network(
                    vision_embeds=encoded,
                    input_ids=text["input_ids"].to(where.device),
                    attention_mask=text["attention_mask"].to(where.device),
                )
            count("sam3", len(batch))
            seen = processor.post_process_instance_segmentation(
                output,
                threshold=self.config.threshold,
                mask_threshold=self.config.mask_threshold,
                target_sizes=sizes,
            )
            for row, one in zip(rows, seen, strict=True):
                row.append(_candidates(one, phrase))
        return rows


def _candidates(seen: Any, phrase: Phrase) -> Candidates:
    """Turn the library's answer for one picture into ours; outlines without a pixel are dropped."""
    masks = seen["masks"].float().cpu().numpy().astype(np.float32)
    kept = [k for k, mask in enumerate(masks) if mask.any()]
    scores = seen["scores"].float().cpu().numpy()
    return Candidates(
        boxes=seen["boxes"].float().cpu().numpy()[kept].reshape(-1, 4),
        scores=scores[kept],
        evidence=[f"seen by SAM 3: {phrase.text} {scores[k]:.2f}" for k in kept],
        masks=[masks[k] for k in kept],
    )
