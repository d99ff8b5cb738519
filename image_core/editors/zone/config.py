"""The options of ZONE."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Literal, get_args

from image_core.editors.generative import GenerativeConfig, GenerativeEditor, Method
from image_core.errors import InvalidInput
from image_core.types import Capabilities, Kind


@dataclass(frozen=True, kw_only=True)
class ZoneConfig(GenerativeConfig):
    """An instruction network that finds its own region by attention (Li et al., ZONE).

    It needs neither captions nor a phrase. InstructPix2Pix edits the whole picture, for removals
    together with MagicBrush; where it attends is the rough region, which SAM refines; the layer
    that is cut out there is all that changes. Given a region, only what lies in both is edited.
    Strength 1 starts from pure noise, as published; s < 1 from the picture noised up to that share
    of the levels. Steps are DPM-Solver++ 2M's.

    Attributes:
        image_guidance: How near to the source (s_I).
        second_model: The network that removals are drawn to; it is loaded for them alone.
        beta: Its weight; the paper's 0.2 for removals and none otherwise unless given. 0 leaves it
            out.
        action: ``change``, ``add`` or ``remove``; ``auto`` asks the trained classifier, where
            there is one, and the language processor.
        threshold: Share of the attention's range that the rough region takes in; more gives a
            larger region.
        segmenter: What refines it: ``sam``, ``grabcut`` (which needs no weights), ``none``, or
            ``auto``: SAM where it is present, else GrabCut.
        sam_model: SAM's weights.
        smooth: Hide the layer's seam.
    """

    model: str = "timbrooks/instruct-pix2pix"
    steps: int = 20
    image_guidance: float = 1.5
    second_model: str = "vinesmsuic/magicbrush-jul7"
    beta: float | None = None
    action: Literal["auto", "change", "add", "remove"] = "auto"
    threshold: float = 0.5
    segmenter: Literal["auto", "sam", "grabcut", "none"] = "auto"
    sam_model: str = "facebook/sam-vit-huge"
    smooth: bool = True

    def __post_init__(self) -> None:
        """Refuse values that cannot be used.

        Raises:
            InvalidInput: It says which.
        """
        super().__post_init__()
        if not (math.isfinite(self.image_guidance) and 0 <= self.image_guidance <= 100):
            raise InvalidInput(f"image_guidance={self.image_guidance:g} is not between 0 and 100")
        if self.beta is not None and not (math.isfinite(self.beta) and self.beta >= 0):
            raise InvalidInput(f"beta={self.beta:g} is not 0 or more")
        if not 0 <= self.threshold <= 1:
            raise InvalidInput(f"threshold={self.threshold:g} is not from 0 to 1")

    def build(self) -> GenerativeEditor:
        """Make the editor; its networks are loaded when it first edits."""
        kinds: frozenset[Kind] = frozenset(get_args(Kind))
        return GenerativeEditor(
            "zone",
            self,
            Capabilities(
                kinds=kinds,
                needs_region=False,
                finds_region=True,
                options=tuple(field.name for field in fields(self)),
            ),
            _load,
        )


def _load(config: GenerativeConfig) -> Method:
    from image_core.editors.zone.method import Zone

    assert isinstance(config, ZoneConfig)
    return Zone.loaded(config)
