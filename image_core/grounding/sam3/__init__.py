"""SAM 3 by transformers: from a phrase to outlines in one network.

N. Carion et al., "SAM 3: Segment Anything with Concepts", 2025 (arXiv 2511.16719). Its licence must
be accepted on the hub before its weights can be fetched.
"""

from __future__ import annotations

from dataclasses import dataclass

from image_core.devices import Precision
from image_core.errors import InvalidInput
from image_core.grounding.open_vocabulary.grounder import OpenVocabularyGrounder
from image_core.grounding.open_vocabulary.readiness import EXTRA, NEURAL, why_not


@dataclass(frozen=True, kw_only=True)
class Sam3Config:
    """How SAM 3 is run.

    Attributes:
        model: A hub id or a folder with the weights and the processor.
        threshold: Score above which an outline is an answer.
        mask_threshold: Probability from which a pixel belongs to an outline.
        overlap: Intersection over union from which two boxes are the same thing.
        max_batch: Most pictures in a call.
        device: Of torch; ``auto`` takes the fastest there is.
        dtype: In which pictures are encoded; the rest stays in float32.
    """

    model: str = "facebook/sam3"
    threshold: float = 0.5
    mask_threshold: float = 0.5
    overlap: float = 0.7
    max_batch: int = 2
    device: str = "auto"
    dtype: Precision = "auto"

    def __post_init__(self) -> None:
        """Refuse values that make no sense."""
        for name in ("threshold", "mask_threshold", "overlap"):
            if not 0 < getattr(self, name) < 1:
                raise InvalidInput(f"{name} {getattr(self, name)} is not between 0 and 1")
        if self.max_batch < 1:
            raise InvalidInput(f"max_batch {self.max_batch} is not 1 or more")

    def build(self) -> Sam3Grounder:
        """Make the grounder; its weights are loaded when it is first used."""
        return Sam3Grounder(self)


class Sam3Grounder(OpenVocabularyGrounder):
    """Grounds phrases by SAM 3; its detections bring their masks."""

    def __init__(self, config: Sam3Config = Sam3Config()) -> None:
        """Keep the settings."""
        from image_core.grounding.sam3.detector import Sam3Detector

        self.config = config
        super().__init__(
            Sam3Detector(config), min_confidence=config.threshold, overlap=config.overlap
        )

    def why_not(self) -> str:
        """Return "" when it could run here now, else why not in one sentence."""
        return why_not("sam3", NEURAL, EXTRA, self.config.model)


__all__ = ["Sam3Config", "Sam3Grounder"]
