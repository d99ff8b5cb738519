"""The authors' network: pictures and a caption in, scored tokens and boxes out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from image_core.devices import placement
from image_core.errors import InvalidInput
from image_core.evaluations import count
from image_core.grounding.grounding_dino.detector import in_batches, in_pixels
from image_core.grounding.groundingdino_py.settings import settings_of
from image_core.grounding.open_vocabulary.candidates import Candidates
from image_core.grounding.open_vocabulary.checkpoint import file_of, state_of
from image_core.grounding.open_vocabulary.grounder import Picture
from image_core.grounding.open_vocabulary.phrases import Phrase
from image_core.grounding.open_vocabulary.readiness import require
from image_core.grounding.open_vocabulary.tokens import candidates_of, caption_of
from image_core.weights import folder_of

if TYPE_CHECKING:
    from image_core.grounding.groundingdino_py import GroundingDinoPyConfig


class GroundingDinoPyDetector:
    """``groundingdino``'s own model and preprocessing."""

    def __init__(self, config: GroundingDinoPyConfig) -> None:
        """Keep the settings; nothing is loaded."""
        self.config = config

    @cached_property
    def network(self) -> Any:
        """The network with its weights, on its device; loaded at first use."""
        from image_core.grounding.groundingdino_py import EXTRA, MODULES

        require("groundingdino_py", MODULES, EXTRA)
        path = file_of(self.config.model, self.config.checkpoint)
        text_model = folder_of(self.config.text_model)
        state = state_of(path)
        settings = settings_of(self.config.settings, state)
        settings.text_encoder_type = str(text_model)
        network = built(settings)
        # BERT's position numbers were kept in earlier checkpoints and are not in later ones
        missing, unexpected = network.load_state_dict(state, strict=False)
        strangers = [name for name in (*missing, *unexpected) if "position_ids" not in name]
        if strangers:
            raise InvalidInput(
                f"{path.name} does not fit its settings: {len(strangers)} weights differ, "
                f"such as {strangers[0]}",
                hint="Name the checkpoint's own settings file: settings=FILE.py",
            )
        device = placement(self.config.device, "float32").device
        return network.to(device).eval().requires_grad_(False)

    def detect(
        self, pictures: Sequence[Picture], phrases: Sequence[Phrase]
    ) -> list[list[Candidates]]:
        """Return, per picture, what was seen of each phrase; pictures of one size share a call.

        Raises:
            MissingWeights: The weights or the extra are not on this machine.
            InvalidInput: The checkpoint does not fit its settings.
        """
        return in_batches(pictures, self.config.max_batch, lambda batch: self._run(batch, phrases))

    def _run(self, batch: Sequence[Picture], phrases: Sequence[Phrase]) -> list[list[Candidates]]:
        import torch

        network = self.network
        caption = caption_of(phrases)
        offsets = np.array(
            network.tokenizer(caption.text, return_offsets_mapping=True)["offset_mapping"]
        )
        device = next(network.parameters()).device
        with torch.no_grad():
            seen = torch.stack([self._prepared(picture) for picture in batch]).to(device)
            output = network(seen, captions=[caption.text] * len(batch))
        count("grounding dino", len(batch))
        probabilities = output["pred_logits"].sigmoid().cpu().numpy()
        height, width = batch[0].shape[:2]
        corners = in_pixels(output["pred_boxes"].cpu().numpy(), height, width)
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

    def _prepared(self, picture: Picture) -> Any:
        """Resize and normalise a picture as the authors do."""
        from groundingdino.datasets import transforms
        from PIL import Image as Pillow

        steps = transforms.Compose(
            [
                transforms.RandomResize([self.config.shortest], max_size=self.config.longest),
                transforms.ToTensor(),
                transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
            ]
        )
        return steps(Pillow.fromarray(picture), None)[0]


def built(settings: Any) -> Any:
    """Build the authors' network from its settings, with random weights but its BERT's."""
    from groundingdino.models import build_model
    from groundingdino.models.GroundingDINO import groundingdino as module

    from image_core.grounding.groundingdino_py.text_encoder import with_text_encoder

    with with_text_encoder(module):
        return build_model(settings)
