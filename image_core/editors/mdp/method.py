"""MDP-epsilon_t: denoise the inverted picture with a mixture of two captions' noises.

Source: Wang et al., MDP: A generalized framework for text-guided image editing by manipulating the
diffusion path, the manipulation of epsilon_t. The authors' notebook first optimises empty captions
so that denoising gives the source back (null-text inversion), and takes the noises of that run.
Here the source's noise at a level is the one that leads along its inverted path exactly: it gives
the source back by construction, and costs no network call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from image_core.diffusion.ddim import moved
from image_core.diffusion.guidance import guided
from image_core.diffusion.network import LatentDiffusion
from image_core.diffusion.originals import paths_of
from image_core.diffusion.safety import SafetyChecker
from image_core.diffusion.schedule import Level, used_steps
from image_core.diffusion.text import joined
from image_core.diffusion.trajectories import TrajectoryCache
from image_core.editors.generative import Job, Made, Task
from image_core.editors.generative.networks import load_networks
from image_core.editors.generative.ticks import Ticks
from image_core.editors.mdp.config import MdpConfig
from image_core.editors.mdp.mixing import mixing_factors


@dataclass(kw_only=True)
class Mdp:
    """The method, with its networks.

    Attributes:
        network: The checkpoint.
        config: The options.
        safety: The checkpoint's own checker, if it is heeded.
        cache: Where paths are kept; None keeps none.
    """

    network: LatentDiffusion
    config: MdpConfig
    safety: SafetyChecker | None = None
    cache: TrajectoryCache | None = None

    @classmethod
    def loaded(cls, config: MdpConfig) -> Mdp:
        """Load the networks that a configuration names.

        Raises:
            MissingWeights: They are not on this machine.
            InvalidInput: They are of another kind.
        """
        network, safety = load_networks(config, "text-to-image")
        cache = TrajectoryCache() if config.cache else None
        return cls(network=network, config=config, safety=safety, cache=cache)

    @property
    def multiple(self) -> int:
        """What the sides of pictures must be divisible by."""
        return self.network.multiple

    def run(self, jobs: Sequence[Job], task: Task) -> Made:
        """Edit pictures of one size; their masks are left to the caller's composite.

        In rounds (NeRF) path and source noises are the original's; a rendering that differs from
        it starts from that path moved by the difference, x_n + sqrt(alpha_n) (z_render - z_orig).

        Rows of the UNet: one per level for the inversion (none where it is cached), and two per
        level at which the edited caption counts.

        Raises:
            EditCancelled: Between two levels.
            EditFailed: The safety checker refused a result.
        """
        levels = self.network.schedule.levels(self.config.steps)
        depth = used_steps(self.config.steps, float(task.strength))
        ticks = Ticks(task=task, total=2 * depth)
        with self.network.denoising():
            paths = paths_of(
                self.network,
                [job.condition for job in jobs],
                task.source_caption,
                levels=levels,
                upto=depth,
                cache=self.cache,
                tick=ticks,
            )
            path = torch.stack([one[: depth + 1] for one in paths], dim=1)
            start = path[-1] + levels[depth].alpha ** 0.5 * self._differences(jobs, path[0])
            latents = self._denoised(start, path, task.edited_caption, levels, ticks)
        images = self.network.decode(latents)
        if self.safety is not None:
            self.safety.check(images)
        cut = [self.network.text.cut_off(one) for one in (task.source_caption, task.edited_caption)]
        warnings = tuple(f"the caption's end {end!r} was cut off" for end in cut if end)
        return Made(images=images, warnings=warnings)

    def _differences(
        self, jobs: Sequence[Job], originals: Float[Tensor, "b c h w"]
    ) -> Float[Tensor, "b c h w"]:
        """Return how far each rendering's clean latent is from its original's."""
        apart = torch.zeros_like(originals)
        differ = [n for n, job in enumerate(jobs) if job.image is not job.condition]
        if differ:
            renders = self.network.encode([jobs[n].image for n in differ])
            apart[differ] = renders - originals[differ]
        return apart

    def _denoised(
        self,
        latents: Float[Tensor, "b c h w"],
        path: Float[Tensor, "levels b c h w"],
        caption: str,
        levels: Sequence[Level],
        ticks: Ticks,
    ) -> Float[Tensor, "b c h w"]:
        config, rows = self.config, latents.shape[0]
        factors = mixing_factors(
            config.steps,
            start=config.mix_start,
            end=config.mix_end,
            factor=config.mix,
            mixing=config.mixing,
        )
        given = self.network.embed(caption).repeated(rows)
        both = joined([self.network.embed("").repeated(rows), given])
        for k in range(path.shape[0] - 1, 0, -1):
            noise = source = leading(path[k - 1], path[k], levels[k - 1], levels[k])
            if factors[k] < 1:
                if config.guidance == 1:
                    edited = self.network.predict(latents, levels[k], given)
                else:
                    pair = self.network.predict(torch.cat([latents] * 2), levels[k], both)
                    without, told = pair.chunk(2)
                    edited = guided(without, told, config.guidance)
                noise = factors[k] * source + (1 - factors[k]) * edited
            latents = moved(latents, noise, levels[k], levels[k - 1])
            ticks()
        return latents


def leading(
    lower: Float[Tensor, "b c h w"], upper: Float[Tensor, "b c h w"], start: Level, end: Level
) -> Float[Tensor, "b c h w"]:
    """Return the noise along which DDIM leads from latents at one level to those at another.

    It is the inverse of ``moved`` (InstructEdit, eqs. 2 and 3), solved for the noise; 0 between
    levels of one alpha, which some schedules have at an end and where no noise changes anything.
    """
    scale = (end.alpha / start.alpha) ** 0.5
    added = (1 - end.alpha) ** 0.5 - scale * (1 - start.alpha) ** 0.5
    if added == 0:
        return torch.zeros_like(lower)
    noise: Tensor = (upper - scale * lower) / added
    return noise
