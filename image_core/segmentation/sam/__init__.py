"""SAM and SAM 2 by transformers.

A. Kirillov et al., "Segment Anything", ICCV 2023 (arXiv 2304.02643); N. Ravi et al., "SAM 2:
Segment Anything in Images and Videos", 2024 (arXiv 2408.00714).
"""

from __future__ import annotations

from dataclasses import dataclass

from image_core.devices import Precision
from image_core.grounding.open_vocabulary.readiness import EXTRA, NEURAL, require, why_not
from image_core.segmentation.prompted.prompts import PromptedNetwork
from image_core.segmentation.prompted.segmenter import CutConfig, PromptedSegmenter


@dataclass(frozen=True, kw_only=True)
class SamConfig(CutConfig):
    """How SAM or SAM 2 is run; which of them the weights are, their own settings tell.

    Attributes:
        model: A hub id or folder: facebook/sam-vit-huge, facebook/sam2.1-hiera-large …
        device: Of torch; ``auto`` takes the fastest there is.
        dtype: In which pictures are encoded; prompts and masks stay in float32.
    """

    model: str = "facebook/sam-vit-huge"
    device: str = "auto"
    dtype: Precision = "auto"

    def build(self) -> SamSegmenter:
        """Make the segmenter; its weights are loaded when it is first used."""
        return SamSegmenter(self)


class SamSegmenter(PromptedSegmenter):
    """Cuts by SAM or SAM 2."""

    def __init__(self, config: SamConfig = SamConfig()) -> None:
        """Keep the settings."""
        self.config = config
        super().__init__(self._made, config, "SAM")

    def _made(self) -> PromptedNetwork:
        require("sam", NEURAL, EXTRA)
        from image_core.segmentation.sam.network import TransformersSam

        return TransformersSam(self.config)

    def why_not(self) -> str:
        """Return "" when it could run here now, else why not in one sentence."""
        return why_not("sam", NEURAL, EXTRA, self.config.model)


__all__ = ["SamConfig", "SamSegmenter"]
