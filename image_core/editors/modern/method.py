"""Editing with a pipeline of diffusers: one call a picture, pixel on pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import diffusers
import numpy as np
import PIL.Image
import torch

from image_core.devices import placement
from image_core.diffusion.keyed_noise import generator_of
from image_core.editors.generative import Job, Made, Task
from image_core.editors.generative.handing import check_sides
from image_core.editors.modern.checkpoint import Checkpoint
from image_core.editors.modern.config import InstructedConfig, ModernConfig
from image_core.editors.modern.families import Call, Defaults, Family, family_of
from image_core.editors.modern.loading import load_pipeline
from image_core.editors.modern.rows import counted
from image_core.editors.modern.sizes import covered, scaled_to
from image_core.editors.modern.wording import caption_for, instruction_for
from image_core.errors import EditCancelled, EditFailed, InvalidInput, UnsupportedEdit
from image_core.types import Image, Mask
from image_core.weights import folder_of


@dataclass(kw_only=True)
class PipelineMethod:
    """The method, with its pipeline.

    It edits ``Job.image``: in a NeRF round the present rendering. These models keep what they see
    by themselves, and take no second picture to start from.

    Attributes:
        pipeline: The loaded pipeline.
        family: How it is called.
        config: The options.
        defaults: What the checkpoint's publisher takes where the options leave it open.
    """

    pipeline: Any
    family: Family
    config: ModernConfig
    defaults: Defaults

    @classmethod
    def loaded(cls, config: ModernConfig) -> PipelineMethod:
        """Load the pipeline that a configuration names.

        Raises:
            MissingWeights: It is not on this machine.
            InvalidInput: The folder holds a checkpoint of another kind.
            UnsupportedEdit: The checkpoint has no use for a given option.
        """
        family = family_of(config)
        checkpoint = Checkpoint.at(folder_of(config.model))
        kind = getattr(diffusers, _class_name(config, family, checkpoint))
        defaults = family.defaults(checkpoint)
        if defaults.guidance_ignored and config.guidance not in (None, defaults.guidance):
            raise UnsupportedEdit(
                f"{config.model} cannot do guidance={config.guidance:g}: "
                f"{defaults.guidance_ignored}",
                hint="Leave guidance= away, or give a checkpoint that is not distilled.",
            )
        pipeline = load_pipeline(
            kind,
            checkpoint,
            placement(config.device, config.dtype),
            memory=config.memory,
            compiled=config.compile,
        )
        return cls(pipeline=pipeline, family=family, config=config, defaults=defaults)

    @property
    def multiple(self) -> int:
        """What the sides of pictures must be divisible by: two latent cells, which make a token."""
        return 2 * int(self.pipeline.vae_scale_factor)

    def run(self, jobs: Sequence[Job], task: Task) -> Made:
        """Edit pictures, one by one.

        Raises:
            EditCancelled: Between two denoising steps.
            EditFailed: The pipeline could not do it, or a safety checker refused.
        """
        check_sides(jobs, self.multiple)
        images, notes = [], []
        with counted(self.pipeline):
            for number, job in enumerate(jobs):
                call = self.call_for(job, task)
                images.append(self._edited(call, job, task, number / len(jobs), 1 / len(jobs)))
                notes.append(f"the prompt was {call.prompt!r}")
        return Made(images=images, notes=tuple(dict.fromkeys(notes)))

    def call_for(self, job: Job, task: Task) -> Call:
        """Return what the pipeline is asked for."""
        size = self.family.size(
            self.pipeline, (job.image.shape[0], job.image.shape[1]), self.multiple
        )
        steps = self.config.steps or self.defaults.steps
        mask = None
        if _class_takes_mask(self.config):
            mask = PIL.Image.fromarray(_bytes(covered(job.mask, size, self.multiple)), "L")
        return Call(
            image=PIL.Image.fromarray(_bytes(scaled_to(job.image, size))),
            mask=mask,
            prompt=self._prompt(job, task),
            size=size,
            steps=steps,
            guidance=self.defaults.guidance
            if self.config.guidance is None
            else self.config.guidance,
            strength=float(task.strength),
        )

    def _prompt(self, job: Job, task: Task) -> str:
        if not self.family.instructed:
            return caption_for(task.step, task.edited_caption)
        return self.config.edited_caption.strip() or instruction_for(task.step, whole=job.whole)

    def _edited(self, call: Call, job: Job, task: Task, start: float, share: float) -> Image:
        def after_step(
            pipeline: Any, step: int, time: Any, state: dict[str, Any]
        ) -> dict[str, Any]:
            del time, state
            if task.cancelled():
                raise EditCancelled("cancelled between two denoising steps")
            task.tick(min(1.0, start + share * (step + 1) / (pipeline.num_timesteps + 1)))
            return {}

        if task.cancelled():
            raise EditCancelled("cancelled between two pictures")
        try:
            answer = self.pipeline(
                **self.family.arguments(call),
                generator=generator_of(job.key, "start"),
                output_type="np",
                callback_on_step_end=after_step,
                callback_on_step_end_tensor_inputs=[],
            )
        except torch.OutOfMemoryError as error:
            raise EditFailed(
                "the device's memory does not hold the networks and one picture",
                hint="Give memory=low, a lower resolution=, or --device cpu.",
            ) from error
        except (ValueError, RuntimeError) as error:
            raise EditFailed(
                f"{type(self.pipeline).__name__} failed: {str(error).splitlines()[0]}",
                hint="Another resolution=, crop= or --editor may do.",
            ) from error
        finally:
            self.pipeline.maybe_free_model_hooks()
        if any(getattr(answer, "nsfw_content_detected", None) or ()):
            raise EditFailed(
                "the model's safety checker refused the result",
                hint="Nothing was written. Word the instruction otherwise, or choose another "
                "editor.",
            )
        task.tick(start + share)
        made = np.asarray(answer.images[0], np.float32)
        return scaled_to(made, (job.image.shape[0], job.image.shape[1]))


def _class_takes_mask(config: ModernConfig) -> bool:
    return not isinstance(config, InstructedConfig) or config.region == "inpaint"


def _class_name(config: ModernConfig, family: Family, checkpoint: Checkpoint) -> str:
    """Return the pipeline class for a checkpoint and the way its region is kept."""
    masked = _class_takes_mask(config)
    known = family.inpaint if masked else family.composite
    if checkpoint.kind in known:
        return known[checkpoint.kind]
    if checkpoint.kind in family.composite:
        raise UnsupportedEdit(
            f"{config.model} cannot do region=inpaint: {checkpoint.kind} has no counterpart with "
            "a mask",
            hint=f"Leave region= away, or give a checkpoint of {' or '.join(family.inpaint)}.",
        )
    raise InvalidInput(
        f"{checkpoint.folder} is a checkpoint of {checkpoint.kind}, which {config.name} cannot use",
        hint=f"It takes those of {' or '.join(known)}.",
    )


def _bytes(values: Image | Mask) -> np.ndarray:
    return np.asarray(np.rint(values * 255), np.uint8)
