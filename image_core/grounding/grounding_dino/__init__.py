"""Grounding DINO by transformers.

S. Liu et al., "Grounding DINO: Marrying DINO with Grounded Pre-Training for Open-Set Object
Detection", ECCV 2024 (arXiv 2303.05499).
"""

from __future__ import annotations

from dataclasses import dataclass

from image_core.devices import Precision
from image_core.errors import InvalidInput
from image_core.grounding.open_vocabulary.grounder import OpenVocabularyGrounder
from image_core.grounding.open_vocabulary.readiness import EXTRA, NEURAL, why_not


@dataclass(frozen=True, kw_only=True)
class GroundingDinoConfig:
    """How Grounding DINO is run.

    Attributes:
        model: A hub id or a folder with the weights and the processor.
        box_threshold: A box is looked at when its best token scores more; also the score from which
            a phrase counts as found.
        text_threshold: A word scoring less lowers its box's score; as published, it is the score
            from which a word names a box.
        overlap: Intersection over union from which two boxes are the same thing.
        max_batch: Most pictures of one size in a call.
        device: Of torch; ``auto`` takes the fastest there is.
        dtype: In 16 bits, boxes of large pictures lie pixels off.
    """

    model: str = "IDEA-Research/grounding-dino-base"
    box_threshold: float = 0.3
    text_threshold: float = 0.25
    overlap: float = 0.7
    max_batch: int = 4
    device: str = "auto"
    dtype: Precision = "float32"

    def __post_init__(self) -> None:
        """Refuse values that make no sense."""
        for name in ("box_threshold", "text_threshold", "overlap"):
            if not 0 < getattr(self, name) < 1:
                raise InvalidInput(f"{name} {getattr(self, name)} is not between 0 and 1")
        if self.max_batch < 1:
            raise InvalidInput(f"max_batch {self.max_batch} is not 1 or more")

    def build(self) -> GroundingDinoGrounder:
        """Make the grounder; its weights are loaded when it is first used."""
        return GroundingDinoGrounder(self)


class GroundingDinoGrounder(OpenVocabularyGrounder):
    """Grounds phrases by Grounding DINO."""

    def __init__(self, config: GroundingDinoConfig = GroundingDinoConfig()) -> None:
        """Keep the settings."""
        from image_core.grounding.grounding_dino.detector import GroundingDinoDetector

        self.config = config
        super().__init__(
            GroundingDinoDetector(config),
            min_confidence=config.box_threshold,
            overlap=config.overlap,
        )

    def why_not(self) -> str:
        """Return "" when it could run here now, else why not in one sentence."""
        return why_not("grounding_dino", NEURAL, EXTRA, self.config.model)


__all__ = ["GroundingDinoConfig", "GroundingDinoGrounder"]
