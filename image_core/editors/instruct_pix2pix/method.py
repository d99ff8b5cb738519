"""InstructPix2Pix: denoising that is guided by an instruction and by the picture itself.

Source: Brooks et al., InstructPix2Pix, section 3.2 and eq. 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from image_core.diffusion.ddim import Predictor, noised
from image_core.diffusion.guidance import guided_by_two
from image_core.diffusion.keyed_noise import keyed_noise
from image_core.diffusion.network import LatentDiffusion
from image_core.diffusion.safety import SafetyChecker
from image_core.diffusion.sampling import denoised, denoised_ancestrally
from image_core.diffusion.schedule import Level, used_steps
from image_core.diffusion.text import joined
from image_core.editors.generative import Job, Made, Task
from image_core.editors.generative.networks import load_networks
from image_core.editors.generative.ticks import Ticks
from image_core.editors.instruct_pix2pix.config import InstructPix2PixConfig


@dataclass(kw_only=True)
class InstructPix2Pix:
    """The method, with its networks.

    Attributes:
        network: The checkpoint; its UNet sees the source's latents beside the noisy ones.
        config: The options.
        safety: The checkpoint's own checker, if it is heeded.
    """

    network: LatentDiffusion
    config: InstructPix2PixConfig
    safety: SafetyChecker | None = None

    @classmethod
    def loaded(cls, config: InstructPix2PixConfig) -> InstructPix2Pix:
        """Load the networks that a configuration names.

        Raises:
            MissingWeights: They are not on this machine.
            InvalidInput: They are of another kind.
        """
        network, safety = load_networks(config, "InstructPix2Pix")
        return cls(network=network, config=config, safety=safety)

    @property
    def multiple(self) -> int:
        """What the sides of pictures must be divisible by."""
        return self.network.multiple

    def run(self, jobs: Sequence[Job], task: Task) -> Made:
        """Edit pictures of one size; their masks are left to the caller's composite.

        In rounds (NeRF) the network always sees the original as its source; a rendering counts
        where strength is below 1, since denoising then starts from the noised rendering.

        Rows of the UNet: three per level; one where both guidances are 1.

        Raises:
            EditCancelled: Between two levels.
            EditFailed: The safety checker refused a result.
        """
        strength = float(task.strength)
        depth = used_steps(self.config.steps, strength)
        levels = self.network.schedule.levels(self.config.steps)[: depth + 1]
        ticks = Ticks(task=task, total=depth + 1)
        predict = self._predictor(jobs, task)
        latents = self._start(jobs, levels[-1], pure=strength == 1)
        ticks()
        with self.network.denoising():
            if self.config.sampler == "ddim":
                latents = denoised(latents, predict, levels, ticks)
            else:
                keys = [job.key for job in jobs]
                latents = denoised_ancestrally(latents, predict, levels, keys, ticks)
        images = self.network.decode(latents)
        if self.safety is not None:
            self.safety.check(images)
        return Made(images=images, warnings=self._warnings(task))

    def _start(self, jobs: Sequence[Job], top: Level, *, pure: bool) -> Tensor:
        height, width = (side // self.network.factor for side in jobs[0].image.shape[:2])
        shape = (self.network.channels, height, width)
        like = torch.empty(0, device=self.network.placement.device, dtype=self.network.precision)
        noise = keyed_noise(shape, [job.key for job in jobs], "start", like)
        if pure:
            return noise
        return noised(self.network.encode([job.image for job in jobs]), noise, top)

    def _predictor(self, jobs: Sequence[Job], task: Task) -> Predictor:
        sources = self.network.encode([job.condition for job in jobs], scaled=False)
        told = self.network.embed(task.step.instruction).repeated(len(jobs))
        untold = self.network.embed("").repeated(len(jobs))
        text = joined([told, untold, untold])
        seen = torch.cat([sources, sources, torch.zeros_like(sources)])
        text_scale, image_scale = self.config.guidance, self.config.image_guidance

        def noise(latents: Tensor, level: Level) -> Tensor:
            if text_scale == image_scale == 1:
                return self.network.predict(latents, level, told, joined=sources)
            rows = self.network.predict(torch.cat([latents] * 3), level, text, joined=seen)
            both, image, without = rows.chunk(3)
            return guided_by_two(
                without, image, both, image_scale=image_scale, text_scale=text_scale
            )

        return noise

    def _warnings(self, task: Task) -> tuple[str, ...]:
        cut = self.network.text.cut_off(task.step.instruction)
        warnings = [f"the instruction's end {cut!r} was cut off"] if cut else []
        if self.config.edited_caption:
            warnings.append(
                "InstructPix2Pix is told the instruction; source_caption= and edited_caption= "
                "were not used"
            )
        return tuple(warnings)
