"""The options of today's editors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal

from image_core.editors.generative import GenerativeConfig, GenerativeEditor, Method
from image_core.errors import InvalidInput, UnsupportedEdit
from image_core.types import Capabilities, Kind

RegionWay = Literal["composite", "inpaint"]

_INSTRUCTED: frozenset[Kind] = frozenset(
    {"recolor", "texture", "style", "replace", "add", "remove", "attribute"}
)
_FILLED: frozenset[Kind] = frozenset(
    {"recolor", "texture", "replace", "add", "remove", "attribute"}
)


@dataclass(frozen=True, kw_only=True)
class ModernConfig(GenerativeConfig, ABC):
    """What they share.

    Attributes:
        steps: Denoising steps; the checkpoint's published default unless given.
        guidance: Guidance scale; the checkpoint's published default unless given.
    """

    name: ClassVar[str]

    model: str
    steps: int | None = None  # type: ignore[assignment]
    guidance: float | None = None  # type: ignore[assignment]
    resolution: int = 1024

    def __post_init__(self) -> None:
        """Refuse values that cannot be used.

        Raises:
            InvalidInput: It says which.
            UnsupportedEdit: An option that these models have no use for.
        """
        GenerativeConfig(**self._for_check())
        if self.guidance is not None and self.guidance < 1:
            raise InvalidInput(f"guidance={self.guidance:g} is below 1, which is none at all")

    def build(self) -> GenerativeEditor:
        """Make the editor; its networks are loaded when it first edits."""
        return GenerativeEditor(self.name, self, self.capabilities(), _load)

    @abstractmethod
    def capabilities(self) -> Capabilities:
        """Return what the editor can do."""

    def _for_check(self) -> dict[str, Any]:
        """Return the values that the base can judge."""
        values = {field.name: getattr(self, field.name) for field in fields(GenerativeConfig)}
        return {key: value for key, value in values.items() if value is not None}

    def _options(self) -> tuple[str, ...]:
        return tuple(field.name for field in fields(self))


@dataclass(frozen=True, kw_only=True)
class InstructedConfig(ModernConfig):
    """An editor that is told what to do and sees the picture.

    Attributes:
        source_caption: Taken, as by every editor, but not needed: the editor sees the picture.
        edited_caption: The prompt itself, in place of the one made from the instruction.
        region: ``composite`` edits the picture freely and keeps what lies in the region;
            ``inpaint`` holds the latents outside the region at every step, and has a strength.
    """

    region: RegionWay = "composite"

    def capabilities(self) -> Capabilities:
        """Return what the editor can do."""
        return Capabilities(
            kinds=_INSTRUCTED, options=self._options(), has_strength=self.region == "inpaint"
        )

    def _for_check(self) -> dict[str, Any]:
        # the prompt may stand alone: what the picture shows, these editors see
        return {**super()._for_check(), "source_caption": "", "edited_caption": ""}


@dataclass(frozen=True, kw_only=True)
class KleinConfig(InstructedConfig):
    """FLUX.2 [klein] through ``Flux2KleinPipeline`` and ``Flux2KleinInpaintPipeline``."""

    name: ClassVar[str] = "klein"

    model: str = "black-forest-labs/FLUX.2-klein-4B"


@dataclass(frozen=True, kw_only=True)
class QwenImageEditConfig(InstructedConfig):
    """Qwen-Image-Edit; a checkpoint of 2509 or later runs ``QwenImageEditPlusPipeline``."""

    name: ClassVar[str] = "qwen-image-edit"

    model: str = "Qwen/Qwen-Image-Edit"

    def __post_init__(self) -> None:
        """Refuse values that cannot be used.

        Raises:
            InvalidInput: It says which.
            UnsupportedEdit: An option that these models have no use for.
        """
        super().__post_init__()
        if self.resolution != 1024:
            raise UnsupportedEdit(
                f"{self.name} cannot do resolution={self.resolution}: its pipelines send every "
                "picture to the network at one megapixel",
                hint="Leave resolution= away.",
            )


@dataclass(frozen=True, kw_only=True)
class KontextConfig(InstructedConfig):
    """FLUX.1 Kontext [dev] through ``FluxKontextPipeline`` and ``FluxKontextInpaintPipeline``."""

    name: ClassVar[str] = "kontext"

    model: str = "black-forest-labs/FLUX.1-Kontext-dev"


@dataclass(frozen=True, kw_only=True)
class Sd3InpaintingConfig(ModernConfig):
    """Stable Diffusion 3 through ``StableDiffusion3InpaintPipeline``: the edited caption, a mask.

    The model was not trained to inpaint: what lies outside the region is held at every step.
    """

    name: ClassVar[str] = "sd3-inpainting"

    model: str = "stabilityai/stable-diffusion-3-medium-diffusers"

    def capabilities(self) -> Capabilities:
        """Return what the editor can do."""
        return Capabilities(kinds=_FILLED, options=self._options(), default_strength=0.9)


def _load(config: GenerativeConfig) -> Method:
    from image_core.editors.modern.method import PipelineMethod

    assert isinstance(config, ModernConfig)
    return PipelineMethod.loaded(config)
