"""SAM by its authors' package, ``segment-anything``, with their checkpoints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from image_core.devices import Precision
from image_core.errors import InsituError
from image_core.grounding.open_vocabulary.readiness import EXTRA, require, why_not
from image_core.segmentation.prompted.prompts import PromptedNetwork
from image_core.segmentation.prompted.segmenter import CutConfig, PromptedSegmenter

MODULES = ("torch", "torchvision", "segment_anything")


@dataclass(frozen=True, kw_only=True)
class SegmentAnythingConfig(CutConfig):
    """How the authors' SAM is run.

    Attributes:
        model: A ``.pth`` file, or the name, hub id or folder of what holds it.
        checkpoint: The file's name there; of several that match, the largest is taken.
        model_type: The network's size; ``auto`` reads it off the weights.
        device: Of torch; ``auto`` takes the fastest there is.
        dtype: In which pictures are encoded; prompts and masks stay in float32.
    """

    model: str = "segment-anything"
    checkpoint: str = "sam_vit_*.pth"
    model_type: Literal["auto", "vit_h", "vit_l", "vit_b"] = "auto"
    device: str = "auto"
    dtype: Precision = "auto"

    def build(self) -> SegmentAnythingSegmenter:
        """Make the segmenter; its weights are loaded when it is first used."""
        return SegmentAnythingSegmenter(self)


class SegmentAnythingSegmenter(PromptedSegmenter):
    """Cuts by the authors' SAM."""

    def __init__(self, config: SegmentAnythingConfig = SegmentAnythingConfig()) -> None:
        """Keep the settings."""
        self.config = config
        super().__init__(self._made, config, "Segment Anything")

    def _made(self) -> PromptedNetwork:
        require("segment_anything", MODULES, EXTRA)
        from image_core.segmentation.segment_anything.network import SegmentAnything

        return SegmentAnything(self.config)

    def why_not(self) -> str:
        """Return "" when it could run here now, else why not in one sentence."""
        from image_core.grounding.open_vocabulary.checkpoint import file_of

        missing = why_not("segment_anything", MODULES, EXTRA)
        if missing:
            return missing
        try:
            file_of(self.config.model, self.config.checkpoint)
        except InsituError as error:
            return f"{error}. {error.hint}"
        return ""


__all__ = ["SegmentAnythingConfig", "SegmentAnythingSegmenter"]
