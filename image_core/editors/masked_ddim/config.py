"""InstructEdit's options."""

from __future__ import annotations

from dataclasses import dataclass, fields

from image_core.editors.generative import GenerativeConfig, GenerativeEditor, Method
from image_core.errors import InvalidInput
from image_core.types import Capabilities, Kind

_KINDS: frozenset[Kind] = frozenset(
    {"recolor", "texture", "style", "replace", "add", "remove", "attribute"}
)


@dataclass(frozen=True, kw_only=True)
class InstructEditConfig(GenerativeConfig):
    """Mask-guided DDIM (Wang et al., InstructEdit, section 3.4).

    The strength is the paper's encoding ratio r: the share of the steps that the picture is
    inverted by and denoised again. The paper tried 0.5, 0.7 and 0.9.

    Attributes:
        samples: How many ratios ``--strength auto`` tries, evenly from 0.5 to 0.9.
        clip_model: Judges them: a CLIP model's hub id or folder.
        reinvert: In rounds (NeRF): invert the rendering itself, at n more rows, instead of
            starting from the original's path.
        cache: Keep inverted latents on disk for further edits of the same picture.
    """

    model: str = "stable-diffusion-v1-5/stable-diffusion-v1-5"
    samples: int = 3
    clip_model: str = "openai/clip-vit-base-patch32"
    reinvert: bool = False
    cache: bool = True

    def __post_init__(self) -> None:
        """Refuse values that cannot be used.

        Raises:
            InvalidInput: It says which.
        """
        super().__post_init__()
        if not 1 <= self.samples <= 16:
            raise InvalidInput(f"samples={self.samples} is not between 1 and 16")

    def build(self) -> GenerativeEditor:
        """Make the editor; its networks are loaded when it first edits."""
        return GenerativeEditor(
            "instructedit",
            self,
            Capabilities(
                kinds=_KINDS,
                options=tuple(field.name for field in fields(self)),
                default_strength=0.7,
                automatic_strength=True,
            ),
            _load,
        )


def _load(config: GenerativeConfig) -> Method:
    from image_core.editors.masked_ddim.method import MaskedDdim

    assert isinstance(config, InstructEditConfig)
    return MaskedDdim.loaded(config)
