"""What differs between the pipelines: their classes, defaults, sizes and arguments."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, runtime_checkable

import PIL.Image

from image_core.editors.modern.checkpoint import Checkpoint
from image_core.editors.modern.config import (
    KleinConfig,
    KontextConfig,
    ModernConfig,
    QwenImageEditConfig,
    Sd3InpaintingConfig,
)
from image_core.editors.modern.sizes import Size, fitted, nearest_shape, settled

_MEGAPIXEL = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Defaults:
    """What a checkpoint's publisher takes.

    Attributes:
        steps: Denoising steps.
        guidance: Guidance scale.
        guidance_ignored: Why the checkpoint has no use for another one; empty when it has.
    """

    steps: int
    guidance: float
    guidance_ignored: str = ""


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call of a pipeline, before it is put in that pipeline's own words.

    Attributes:
        image: The picture, at a size that the pipeline leaves alone.
        mask: White where it may change; None for a pipeline that takes none.
        prompt: What to do, or what to show.
        size: Height and width of the picture.
        steps: Denoising steps of a full run.
        guidance: Guidance scale.
        strength: Share of the run, in (0, 1]; for pipelines with a mask.
    """

    image: PIL.Image.Image
    mask: PIL.Image.Image | None
    prompt: str
    size: Size
    steps: int
    guidance: float
    strength: float

    def common(self) -> dict[str, Any]:
        """Return the arguments that all pipelines name alike."""
        made: dict[str, Any] = {
            "prompt": self.prompt,
            "height": self.size[0],
            "width": self.size[1],
            "num_inference_steps": self.steps,
        }
        if self.mask is not None:
            made |= {"mask_image": self.mask, "strength": self.strength}
        return made


@runtime_checkable
class Family(Protocol):
    """Pipelines that are called alike.

    Attributes:
        composite: By the class that a checkpoint's index names, the class that edits freely.
        inpaint: The same for the class that takes a mask.
        instructed: The prompt is an instruction; else it is the edited caption.
    """

    composite: ClassVar[Mapping[str, str]]
    inpaint: ClassVar[Mapping[str, str]]
    instructed: ClassVar[bool]

    def defaults(self, checkpoint: Checkpoint) -> Defaults:
        """Return the published defaults."""
        ...

    def size(self, pipeline: Any, wanted: Size, multiple: int) -> Size:
        """Return the size nearest to one wanted that the pipeline does not change."""
        ...

    def arguments(self, call: Call) -> dict[str, Any]:
        """Return a call in the pipeline's own words."""
        ...


class Klein:
    """FLUX.2 [klein]."""

    composite: ClassVar[Mapping[str, str]] = {"Flux2KleinPipeline": "Flux2KleinPipeline"}
    inpaint: ClassVar[Mapping[str, str]] = {"Flux2KleinPipeline": "Flux2KleinInpaintPipeline"}
    instructed: ClassVar[bool] = True

    def defaults(self, checkpoint: Checkpoint) -> Defaults:
        """Distilled 4 steps, guidance 1; base 50 and 4 (flux2's ``FLUX2_MODEL_INFO``)."""
        if checkpoint.index.get("is_distilled"):
            reason = "it is distilled and ignores guidance"
            return Defaults(steps=4, guidance=1.0, guidance_ignored=reason)
        return Defaults(steps=50, guidance=4.0)

    def size(self, pipeline: Any, wanted: Size, multiple: int) -> Size:
        """Keep to ``Flux2ImageProcessor.check_image_input``: 64 px, 8 : 1, 1024 x 1024 in area."""
        return fitted(
            wanted, multiple=multiple, least_side=64, most_area=_MEGAPIXEL, most_ratio=8.0
        )

    def arguments(self, call: Call) -> dict[str, Any]:
        """A list of images would be several references of one picture: it gets a list of one."""
        image = [call.image] if call.mask is None else call.image
        return {**call.common(), "image": image, "guidance_scale": call.guidance}


class QwenImageEdit:
    """Qwen-Image-Edit and its Plus."""

    composite: ClassVar[Mapping[str, str]] = {
        "QwenImageEditPipeline": "QwenImageEditPipeline",
        "QwenImageEditPlusPipeline": "QwenImageEditPlusPipeline",
    }
    inpaint: ClassVar[Mapping[str, str]] = {"QwenImageEditPipeline": "QwenImageEditInpaintPipeline"}
    instructed: ClassVar[bool] = True

    def defaults(self, checkpoint: Checkpoint) -> Defaults:
        """50 steps (docstring's example) and true guidance 4 (docstring's default)."""
        return Defaults(steps=50, guidance=4.0)

    def size(self, pipeline: Any, wanted: Size, multiple: int) -> Size:
        """Return what the pipeline scales every picture to; the answer is asked for at the same.

        At another size the two would be laid over each other at different scales.
        """
        module = importlib.import_module(type(pipeline).__module__)

        def rule(ratio: float) -> Size:
            width, height, *_ = module.calculate_dimensions(_MEGAPIXEL, ratio)
            return int(height), int(width)

        return settled(fitted(wanted, multiple=32, most_ratio=32.0), rule)

    def arguments(self, call: Call) -> dict[str, Any]:
        """Guidance needs a negative prompt; a blank is what the docstring's example gives."""
        guided = {"negative_prompt": " "} if call.guidance > 1 else {}
        return {
            **call.common(),
            "image": call.image,
            "true_cfg_scale": call.guidance,
            **guided,
        }


class Kontext:
    """FLUX.1 Kontext [dev]."""

    composite: ClassVar[Mapping[str, str]] = {"FluxKontextPipeline": "FluxKontextPipeline"}
    inpaint: ClassVar[Mapping[str, str]] = {"FluxKontextPipeline": "FluxKontextInpaintPipeline"}
    instructed: ClassVar[bool] = True

    def defaults(self, checkpoint: Checkpoint) -> Defaults:
        """28 steps (the call's default) and guidance 2.5 (diffusers' page on Flux, Kontext)."""
        if not checkpoint.config_of("transformer").get("guidance_embeds"):
            reason = "its transformer takes no guidance"
            return Defaults(steps=28, guidance=2.5, guidance_ignored=reason)
        return Defaults(steps=28, guidance=2.5)

    def size(self, pipeline: Any, wanted: Size, multiple: int) -> Size:
        """Near a megapixel take one of the sizes that it was trained on, if the shape is near."""
        module = importlib.import_module(type(pipeline).__module__)
        trained = [(height, width) for width, height in module.PREFERRED_KONTEXT_RESOLUTIONS]
        found = nearest_shape(wanted, trained)
        near = all(abs(a / b - 1) < 0.1 for a, b in zip(found, wanted, strict=True))
        return found if near else wanted

    def arguments(self, call: Call) -> dict[str, Any]:
        """The size was settled before, so the pipeline shall not choose another."""
        area = call.size[0] * call.size[1]
        return {
            **call.common(),
            "image": call.image,
            "guidance_scale": call.guidance,
            "max_area": area,
            "_auto_resize": False,
        }


class Sd3Inpainting:
    """Stable Diffusion 3 with a mask."""

    composite: ClassVar[Mapping[str, str]] = {}
    inpaint: ClassVar[Mapping[str, str]] = {
        "StableDiffusion3Pipeline": "StableDiffusion3InpaintPipeline",
        "StableDiffusion3InpaintPipeline": "StableDiffusion3InpaintPipeline",
    }
    instructed: ClassVar[bool] = False

    def defaults(self, checkpoint: Checkpoint) -> Defaults:
        """50 steps and guidance 7 (the call's defaults)."""
        return Defaults(steps=50, guidance=7.0)

    def size(self, pipeline: Any, wanted: Size, multiple: int) -> Size:
        """Keep within the positions that the transformer knows."""
        positions = int(pipeline.transformer.config.pos_embed_max_size)
        return fitted(wanted, multiple=multiple, most_side=positions * multiple)

    def arguments(self, call: Call) -> dict[str, Any]:
        """Its own words are the common ones."""
        return {**call.common(), "image": call.image, "guidance_scale": call.guidance}


_FAMILIES: Mapping[type[ModernConfig], Family] = {
    KleinConfig: Klein(),
    QwenImageEditConfig: QwenImageEdit(),
    KontextConfig: Kontext(),
    Sd3InpaintingConfig: Sd3Inpainting(),
}


def family_of(config: ModernConfig) -> Family:
    """Return the family of a configuration."""
    return next(family for kind, family in _FAMILIES.items() if isinstance(config, kind))
