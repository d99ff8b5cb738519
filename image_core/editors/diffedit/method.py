"""DiffEdit: find where the captions disagree, then edit there by mask-guided DDIM.

Source: Couairon et al., DiffEdit: Diffusion-based semantic image editing with mask guidance. Its
second and third step are InstructEdit's own, whose blend joins latents of one level.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from image_core.diffusion.ddim import noised
from image_core.diffusion.keyed_noise import keyed_noise
from image_core.diffusion.latent_masks import latent_masks
from image_core.diffusion.schedule import used_steps
from image_core.diffusion.text import joined
from image_core.editors.diffedit.config import DiffEditConfig
from image_core.editors.diffedit.contrast import contrast, contrasting, feathered
from image_core.editors.generative import Job, Made, Task
from image_core.editors.generative.ticks import Ticks
from image_core.editors.masked_ddim.method import MaskedDdim
from image_core.types import Image, Mask

_SEARCH = 0.2  # the share of the progress that finding the regions takes


@dataclass(kw_only=True)
class DiffEdit:
    """The method, with its networks.

    Attributes:
        masked: Edits inside a region, and holds the networks.
        config: The options.
    """

    masked: MaskedDdim
    config: DiffEditConfig

    @classmethod
    def loaded(cls, config: DiffEditConfig) -> DiffEdit:
        """Load the networks that a configuration names.

        Raises:
            MissingWeights: They are not on this machine.
            InvalidInput: They are of another kind.
        """
        masked = MaskedDdim.loaded(config)
        return cls(masked=masked, config=config)

    @property
    def multiple(self) -> int:
        """What the sides of pictures must be divisible by."""
        return self.masked.multiple

    def run(self, jobs: Sequence[Job], task: Task) -> Made:
        """Find each picture's region within the given one, and edit there.

        In rounds (NeRF) the region is sought in the original, so that it stays where it is.
        A picture in which the captions disagree nowhere comes back as it is, its region empty.

        Rows of the UNet: two per noise for the region, then InstructEdit's.

        Raises:
            EditCancelled: Between two network calls.
            EditFailed: The safety checker refused a result.
        """
        found = self._regions(jobs, task)
        alive = [n for n, cells in enumerate(found) if cells.any()]
        images: list[Image] = [job.image for job in jobs]
        made = Made(images=[])
        if alive:
            made = self.masked.run([_within(jobs[n], found[n]) for n in alive], _rest(task))
            for n, image in zip(alive, made.images, strict=True):
                images[n] = image
        task.tick(1.0)
        warnings = list(made.warnings)
        if len(alive) < len(jobs):
            warnings.append(
                "the two captions disagree about no part of the picture; a lower threshold= finds "
                "more"
            )
        return replace(
            made,
            images=images,
            masks=[_mask(cells, job) for cells, job in zip(found, jobs, strict=True)],
            warnings=tuple(warnings),
        )

    def _regions(self, jobs: Sequence[Job], task: Task) -> list[Float[Tensor, "h w"]]:
        """Return each job's latent cells that may change, as 0 and 1."""
        network = self.masked.network
        ticks = Ticks(
            task=replace(task, tick=lambda done: task.tick(_SEARCH * done)), total=len(jobs)
        )
        text = joined(
            [
                network.embed(caption).repeated(self.config.maps)
                for caption in (task.source_caption, task.edited_caption)
            ]
        )
        level = network.schedule.levels(self.config.steps)[
            used_steps(self.config.steps, self.config.mask_strength)
        ]
        found = []
        for job in jobs:
            clean = network.encode([job.condition])
            _, channels, height, width = clean.shape
            drawn = torch.cat(
                [
                    keyed_noise((channels, height, width), [job.key], f"contrast {n}", clean)
                    for n in range(self.config.maps)
                ]
            )
            latents = noised(clean.expand_as(drawn), drawn, level)
            with network.denoising():
                noises = network.predict(torch.cat([latents] * 2), level, text)
            cells = contrasting(
                contrast(*noises.chunk(2)), ratio=self.config.ratio, threshold=self.config.threshold
            )
            found.append(cells * latent_masks([job.mask], network.factor, clean)[0, 0])
            ticks()
        return found


def _rest(task: Task) -> Task:
    """Return the task with the progress that is left for the edit itself."""
    return replace(task, tick=lambda done: task.tick(_SEARCH + (1 - _SEARCH) * done))


def _within(job: Job, cells: Float[Tensor, "h w"]) -> Job:
    factor = job.mask.shape[0] // cells.shape[0]
    mask = np.kron(cells.float().cpu().numpy(), np.ones((factor, factor), np.float32))
    return replace(job, mask=mask.astype(np.float32))


def _mask(cells: Float[Tensor, "h w"], job: Job) -> Mask:
    factor = job.mask.shape[0] // cells.shape[0]
    return np.ascontiguousarray(feathered(cells.float().cpu(), factor).numpy())
