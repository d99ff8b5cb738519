"""The options of InstructPix2Pix."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Literal, get_args

from image_core.editors.generative import GenerativeConfig, GenerativeEditor, Method
from image_core.errors import InvalidInput
from image_core.types import Capabilities, Kind


@dataclass(frozen=True, kw_only=True)
class InstructPix2PixConfig(GenerativeConfig):
    """A network that was trained to follow instructions (Brooks et al., InstructPix2Pix).

    The network is told the instruction itself; captions are of no use to it. Strength 1 starts
    from pure noise, as published; strength s < 1 from the picture noised up to that share of the
    levels. Defaults are those of Instruct-NeRF2NeRF's ``edit_image``: 20 DDIM steps, 7.5, 1.5.

    Attributes:
        image_guidance: How near to the source (s_I of the paper, which suggests 1 to 1.5).
        sampler: ``ddim``, or ``euler_ancestral`` as in the published command line.
    """

    model: str = "timbrooks/instruct-pix2pix"
    steps: int = 20
    image_guidance: float = 1.5
    sampler: Literal["ddim", "euler_ancestral"] = "ddim"

    def __post_init__(self) -> None:
        """Refuse values that cannot be used.

        Raises:
            InvalidInput: It says which.
        """
        super().__post_init__()
        if not (math.isfinite(self.image_guidance) and 0 <= self.image_guidance <= 100):
            raise InvalidInput(f"image_guidance={self.image_guidance:g} is not between 0 and 100")

    def build(self) -> GenerativeEditor:
        """Make the editor; its networks are loaded when it first edits."""
        return self._built("instruct-pix2pix")

    def _built(self, name: str) -> GenerativeEditor:
        kinds: frozenset[Kind] = frozenset(get_args(Kind))
        options = tuple(field.name for field in fields(self))
        return GenerativeEditor(name, self, Capabilities(kinds=kinds, options=options), _load)


@dataclass(frozen=True, kw_only=True)
class MagicBrushConfig(InstructPix2PixConfig):
    """InstructPix2Pix fine-tuned on MagicBrush's manual edits (Zhang et al., MagicBrush).

    Its model card warns that it may do badly on styles and other edits of large regions.
    """

    model: str = "vinesmsuic/magicbrush-jul7"

    def build(self) -> GenerativeEditor:
        """Make the editor; its networks are loaded when it first edits."""
        return self._built("magicbrush")


def _load(config: GenerativeConfig) -> Method:
    from image_core.editors.instruct_pix2pix.method import InstructPix2Pix

    assert isinstance(config, InstructPix2PixConfig)
    return InstructPix2Pix.loaded(config)
