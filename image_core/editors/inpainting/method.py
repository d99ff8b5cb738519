"""Inpainting with a UNet that sees the region and the picture without it beside the noisy latents.

Source: Rombach et al., High-Resolution Image Synthesis with Latent Diffusion Models, section 4.5;
Stable Diffusion's inpainting checkpoints (9 input channels: latents, mask, masked picture).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from image_core.diffusion.ddim import Predictor, noised
from image_core.diffusion.guidance import guided
from image_core.diffusion.keyed_noise import keyed_noise
from image_core.diffusion.latent_masks import latent_masks
from image_core.diffusion.network import LatentDiffusion
from image_core.diffusion.safety import SafetyChecker
from image_core.diffusion.sampling import denoised
from image_core.diffusion.schedule import Level, used_steps
from image_core.diffusion.text import joined
from image_core.editors.generative import Job, Made, Task
from image_core.editors.generative.networks import load_networks
from image_core.editors.generative.ticks import Ticks
from image_core.editors.inpainting.config import InpaintingConfig
from image_core.types import Image, Mask


@dataclass(kw_only=True)
class Inpainting:
    """The method, with its networks.

    Attributes:
        network: The checkpoint.
        config: The options.
        safety: The checkpoint's own checker, if it is heeded.
    """

    network: LatentDiffusion
    config: InpaintingConfig
    safety: SafetyChecker | None = None

    @classmethod
    def loaded(cls, config: InpaintingConfig) -> Inpainting:
        """Load the networks that a configuration names.

        Raises:
            MissingWeights: They are not on this machine.
            InvalidInput: They are of another kind.
        """
        network, safety = load_networks(config, "inpainting")
        return cls(network=network, config=config, safety=safety)

    @property
    def multiple(self) -> int:
        """What the sides of pictures must be divisible by."""
        return self.network.multiple

    def run(self, jobs: Sequence[Job], task: Task) -> Made:
        """Paint the regions of pictures of one size anew.

        In rounds (NeRF) what lies around the region is always the original's; a rendering counts
        where strength is below 1, since denoising then starts from the noised rendering.

        Rows of the UNet: two per level; one without guidance or without a caption.

        Raises:
            EditCancelled: Between two levels.
            EditFailed: The safety checker refused a result.
        """
        caption, strength = self._caption(task), _strength(task)
        depth = used_steps(self.config.steps, strength)
        levels = self.network.schedule.levels(self.config.steps)[: depth + 1]
        ticks = Ticks(task=task, total=depth + 1)
        predict = self._predictor(jobs, caption)
        latents = self._start(jobs, levels[-1], pure=strength == 1)
        ticks()
        with self.network.denoising():
            latents = denoised(latents, predict, levels, ticks)
        images = self.network.decode(latents)
        if self.safety is not None:
            self.safety.check(images)
        cut = self.network.text.cut_off(caption)
        return Made(
            images=images,
            notes=("removed at full strength",) if strength != task.strength else (),
            warnings=(f"the caption's end {cut!r} was cut off",) if cut else (),
        )

    def _caption(self, task: Task) -> str:
        """Return what the hole shall show; nothing in particular where a thing is removed."""
        told = self.config.edited_caption.strip() or task.step.edited_caption
        if task.step.kind == "remove" and not told:
            return ""  # never the words of the instruction: they name what shall be gone
        return task.edited_caption

    def _start(self, jobs: Sequence[Job], top: Level, *, pure: bool) -> Tensor:
        height, width = (side // self.network.factor for side in jobs[0].image.shape[:2])
        shape = (self.network.channels, height, width)
        like = torch.empty(0, device=self.network.placement.device, dtype=self.network.precision)
        noise = keyed_noise(shape, [job.key for job in jobs], "start", like)
        if pure:
            return noise
        return noised(self.network.encode([job.image for job in jobs]), noise, top)

    def _predictor(self, jobs: Sequence[Job], caption: str) -> Predictor:
        around = self.network.encode([blanked(job.condition, job.mask) for job in jobs])
        holes = latent_masks([job.mask for job in jobs], self.network.factor, around)
        seen = torch.cat([holes, around], dim=1)
        given = self.network.embed(caption).repeated(len(jobs))
        text = joined([self.network.embed("").repeated(len(jobs)), given])
        scale = self.config.guidance

        def noise(latents: Tensor, level: Level) -> Tensor:
            if scale == 1 or not caption:
                return self.network.predict(latents, level, given, joined=seen)
            without, told = self.network.predict(
                torch.cat([latents] * 2), level, text, joined=torch.cat([seen] * 2)
            ).chunk(2)
            return guided(without, told, scale)

        return noise


def blanked(image: Image, mask: Mask) -> Image:
    """Return a picture with its region in the middle grey that the checkpoints were trained on."""
    return np.where(mask[..., None] > 0, np.float32(0.5), image)


def _strength(task: Task) -> float:
    """Return the strength that is used: a thing that is removed at half would shine through."""
    return 1.0 if task.step.kind == "remove" else float(task.strength)
