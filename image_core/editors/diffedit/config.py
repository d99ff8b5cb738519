"""The options of DiffEdit."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from image_core.editors.generative import GenerativeConfig, GenerativeEditor, Method
from image_core.editors.masked_ddim import InstructEditConfig
from image_core.errors import InvalidInput
from image_core.types import Capabilities, Kind

_KINDS: frozenset[Kind] = frozenset(
    {"recolor", "texture", "style", "replace", "add", "remove", "attribute"}
)


@dataclass(frozen=True, kw_only=True)
class DiffEditConfig(InstructEditConfig):
    """A region from noise contrast, then InstructEdit's mask-guided DDIM (Couairon et al.).

    Given a region, only what lies in both is edited. The strength is the encoding ratio r.

    Attributes:
        maps: How many noises the contrast is averaged over (the paper's n = 10).
        mask_strength: Up to which share of the levels they noise the picture (the paper's 50 %).
        ratio: Contrast above this many times its mean counts as this much: no few cells set the
            scale (diffusers' ``mask_thresholding_ratio``; the paper removes extremes unnamed).
        threshold: Share of that bound above which a cell belongs to the region (the paper's 0.5);
            lower gives a larger region.
    """

    maps: int = 10
    mask_strength: float = 0.5
    ratio: float = 3.0
    threshold: float = 0.5

    def __post_init__(self) -> None:
        """Refuse values that cannot be used.

        Raises:
            InvalidInput: It says which.
        """
        super().__post_init__()
        if not 1 <= self.maps <= 1000:
            raise InvalidInput(f"maps={self.maps} is not between 1 and 1000")
        if not 0 < self.mask_strength <= 1:
            raise InvalidInput(f"mask_strength={self.mask_strength:g} is not above 0 and up to 1")
        if not (math.isfinite(self.ratio) and self.ratio > 0):
            raise InvalidInput(f"ratio={self.ratio:g} is not above 0")
        if not 0 <= self.threshold < 1:
            raise InvalidInput(f"threshold={self.threshold:g} is not from 0 to below 1")

    def build(self) -> GenerativeEditor:
        """Make the editor; its networks are loaded when it first edits."""
        return GenerativeEditor(
            "diffedit",
            self,
            Capabilities(
                kinds=_KINDS,
                needs_region=False,
                finds_region=True,
                options=tuple(field.name for field in fields(self)),
                default_strength=0.7,
                automatic_strength=True,
            ),
            _load,
        )


def _load(config: GenerativeConfig) -> Method:
    from image_core.editors.diffedit.method import DiffEdit

    assert isinstance(config, DiffEditConfig)
    return DiffEdit.loaded(config)
