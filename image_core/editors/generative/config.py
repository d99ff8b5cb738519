"""The options that every generative editor takes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from image_core.devices import Precision
from image_core.errors import InvalidInput

Crop = Literal["auto", "none"]


@dataclass(frozen=True, kw_only=True)
class GenerativeConfig:
    """Options; each editor's own configuration adds its default weights and what else it has.

    Attributes:
        model: Hub id, catalogue name or folder of the weights.
        steps: Denoising steps of a full run.
        guidance: Classifier-free guidance scale for the text; 1 is none.
        source_caption: What the picture shows; with ``edited_caption`` no language processor is
            asked.
        edited_caption: What it shall show.
        crop: ``auto`` edits a crop around a small region at the model's full resolution, and the
            whole picture where no resolution is named and the model's own is below 256; ``none``
            sends the whole picture.
        resolution: Side in pixels of the square whose area the network's picture has; 512 unless
            given, or the model's own where that is smaller.
        dtype: Precision of the networks.
        device: Where they run.
        memory: ``low`` trades time for memory; ``auto`` decides by what is free.
        compile: Compile the network; pays from some hundred calls on.
        safety_checker: ``auto`` heeds the checker where the checkpoint brings one.
    """

    model: str
    steps: int = 50
    guidance: float = 7.5
    source_caption: str = ""
    edited_caption: str = ""
    crop: Crop = "auto"
    resolution: int | None = None
    dtype: Precision = "auto"
    device: str = "auto"
    memory: Literal["auto", "high", "low"] = "auto"
    compile: bool = False
    safety_checker: Literal["auto", "off"] = "auto"

    def __post_init__(self) -> None:
        """Refuse values that no model could use.

        Raises:
            InvalidInput: It says which.
        """
        if not self.model.strip():
            raise InvalidInput("the option model= is empty", hint="Give a hub id or a folder.")
        if not 1 <= self.steps <= 1000:
            raise InvalidInput(f"steps={self.steps} is not between 1 and 1000")
        if not (math.isfinite(self.guidance) and 0 <= self.guidance <= 100):
            raise InvalidInput(f"guidance={self.guidance:g} is not between 0 and 100")
        if self.resolution is not None and not 16 <= self.resolution <= 4096:
            raise InvalidInput(f"resolution={self.resolution} is not between 16 and 4096")
        if bool(self.source_caption.strip()) != bool(self.edited_caption.strip()):
            raise InvalidInput(
                "one of source_caption= and edited_caption= is missing",
                hint="Give both: what the picture shows, and what it shall show.",
            )
