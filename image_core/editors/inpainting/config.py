"""The options of inpainting."""

from __future__ import annotations

from dataclasses import dataclass, fields

from image_core.editors.generative import GenerativeConfig, GenerativeEditor, Method
from image_core.types import Capabilities, Kind

_KINDS: frozenset[Kind] = frozenset({"recolor", "texture", "replace", "add", "remove", "attribute"})


@dataclass(frozen=True, kw_only=True)
class InpaintingConfig(GenerativeConfig):
    """A network that was trained to fill a hole (Rombach et al., Latent Diffusion, section 4.5).

    It sees the picture with the region blanked, and the edited caption. Strength 1 starts from
    pure noise, as published, so that nothing of the old content is left; strength s < 1 from the
    picture noised up to that share of the levels. Removing is always done at full strength.
    """

    model: str = "stable-diffusion-v1-5/stable-diffusion-inpainting"

    def build(self) -> GenerativeEditor:
        """Make the editor; its networks are loaded when it first edits."""
        return self._built("inpainting")

    def _built(self, name: str) -> GenerativeEditor:
        options = tuple(field.name for field in fields(self))
        return GenerativeEditor(name, self, Capabilities(kinds=_KINDS, options=options), _load)


@dataclass(frozen=True, kw_only=True)
class SdxlInpaintingConfig(InpaintingConfig):
    """The same with SDXL's inpainting weights, which want pictures of about 1024 x 1024."""

    model: str = "diffusers/stable-diffusion-xl-1.0-inpainting-0.1"
    resolution: int = 1024

    def build(self) -> GenerativeEditor:
        """Make the editor; its networks are loaded when it first edits."""
        return self._built("sdxl-inpainting")


def _load(config: GenerativeConfig) -> Method:
    from image_core.editors.inpainting.method import Inpainting

    assert isinstance(config, InpaintingConfig)
    return Inpainting.loaded(config)
