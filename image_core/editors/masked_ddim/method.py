"""Mask-guided DDIM: invert with the source caption, denoise with the edited one, blend by level.

Source: InstructEdit, eqs. 2-4 (DiffEdit's third step). Other than in the published code, each blend
joins latents of one level, and the last one joins clean latents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from image_core.diffusion.ddim import moved
from image_core.diffusion.guidance import guided
from image_core.diffusion.latent_masks import latent_masks
from image_core.diffusion.network import LatentDiffusion
from image_core.diffusion.originals import paths_of
from image_core.diffusion.safety import SafetyChecker
from image_core.diffusion.schedule import Level, used_steps
from image_core.diffusion.text import TextEmbedding, joined
from image_core.diffusion.trajectories import TrajectoryCache
from image_core.editors.generative import Job, Made, Task
from image_core.editors.generative.networks import load_networks
from image_core.editors.generative.ticks import Ticks
from image_core.editors.masked_ddim.choosing import RatioChooser
from image_core.editors.masked_ddim.config import InstructEditConfig

Paths = Sequence[Float[Tensor, "_ c h w"]]


def ratios_tried(samples: int) -> tuple[float, ...]:
    """Return the encoding ratios of a sweep, evenly from 0.5 to 0.9; one sample takes 0.7."""
    if samples == 1:
        return (0.7,)
    return tuple(round(0.5 + 0.4 * k / (samples - 1), 4) for k in range(samples))


@dataclass(kw_only=True)
class MaskedDdim:
    """The method, with its networks.

    Attributes:
        network: The checkpoint.
        config: The options.
        safety: The checkpoint's own checker, if it is heeded.
        cache: Where paths are kept; None keeps none.
    """

    network: LatentDiffusion
    config: InstructEditConfig
    safety: SafetyChecker | None = None
    cache: TrajectoryCache | None = None
    chooser: RatioChooser | None = field(default=None, init=False)

    @classmethod
    def loaded(cls, config: InstructEditConfig) -> MaskedDdim:
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
        """Edit pictures of one size.

        Rows of the UNet for a ratio of n steps: n for the inversion (none where it is cached), and
        2n guided ones. A sweep over several ratios shares one inversion, up to the largest.

        Raises:
            EditCancelled: Between two levels.
            EditFailed: The safety checker refused a result.
        """
        levels = self.network.schedule.levels(self.config.steps)
        sweep = task.strength == "auto"
        ratios = ratios_tried(self.config.samples) if sweep else (float(task.strength),)
        depths = [used_steps(self.config.steps, ratio) for ratio in ratios]
        again = self.config.reinvert and any(job.image is not job.condition for job in jobs)
        ticks = Ticks(task=task, total=(3 if again else 2) * max(depths))
        chooser = self._chooser() if sweep else None
        with self.network.denoising():
            paths = paths_of(
                self.network,
                [job.condition for job in jobs],
                task.source_caption,
                levels=levels,
                upto=max(depths),
                cache=self.cache,
                tick=ticks,
            )
            starts = self._starts(jobs, task, paths, levels, max(depths), ticks)
            latents = self._denoised(jobs, task, levels, depths, paths, starts, ticks)
        made = self.network.decode(latents)
        rows = [made[k :: len(depths)] for k in range(len(depths))]  # by ratio, then by job
        images, notes = rows[0], tuple[str, ...]()
        if chooser is not None:
            images, notes = chooser.choose(jobs, task, ratios, rows)
        if self.safety is not None:
            self.safety.check(images)
        return Made(images=images, notes=notes, warnings=self._warnings(task))

    def _chooser(self) -> RatioChooser:
        if self.chooser is None:
            self.chooser = RatioChooser.loaded(self.config.clip_model, self.network.placement)
        return self.chooser

    def _warnings(self, task: Task) -> tuple[str, ...]:
        cut = {caption: self.network.text.cut_off(caption) for caption in _captions(task)}
        return tuple(f"the caption's end {end!r} was cut off" for end in cut.values() if end)

    def _starts(
        self,
        jobs: Sequence[Job],
        task: Task,
        paths: Paths,
        levels: Sequence[Level],
        upto: int,
        ticks: Ticks,
    ) -> Paths:
        """Return, per job, the latents at each level that denoising may start from.

        Where the picture is the original, that is its own path. A rendering that differs from its
        original starts from the original's path moved by the rendering's difference, at the
        level's scale: x_n + sqrt(alpha_n) (z_render - z_original); or from its own inversion.
        """
        differ = [n for n, job in enumerate(jobs) if job.image is not job.condition]
        if not differ:
            return paths
        if self.config.reinvert:
            moved_paths: Paths = paths_of(
                self.network,
                [jobs[n].image for n in differ],
                task.source_caption,
                levels=levels,
                upto=upto,
                cache=None,
                tick=ticks,
            )
        else:
            renders = self.network.encode([jobs[n].image for n in differ])
            scale = torch.tensor([level.alpha**0.5 for level in levels[: upto + 1]]).to(renders)
            moved_paths = [
                paths[n][: upto + 1] + scale[:, None, None, None] * (z - paths[n][0])
                for n, z in zip(differ, renders, strict=True)
            ]
        starts = list(paths)
        for n, path in zip(differ, moved_paths, strict=True):
            starts[n] = path
        return starts

    def _denoised(
        self,
        jobs: Sequence[Job],
        task: Task,
        levels: Sequence[Level],
        depths: Sequence[int],
        paths: Paths,
        starts: Paths,
        ticks: Ticks,
    ) -> Float[Tensor, "rows c h w"]:
        """Denoise every job from every depth, in one batch, level by level (eqs. 2 and 4).

        Returns:
            Clean latents: job 0 at each depth, then job 1, …
        """
        whose = [n for n in range(len(jobs)) for _ in depths]
        depth = list(depths) * len(jobs)
        changing = latent_masks([job.mask for job in jobs], self.network.factor, paths[0])[whose]
        empty, edited = self.network.embed(""), self.network.embed(task.edited_caption)
        latents = torch.stack(
            [
                blended(starts[n][k][None], paths[n][k][None], changing[row][None])[0]
                for row, (n, k) in enumerate(zip(whose, depth, strict=True))
            ]
        )
        for k in range(max(depth), 0, -1):
            active = [row for row, start in enumerate(depth) if start >= k]
            here = latents[active]
            noise = self._guided(here, levels[k], empty, edited)
            lower = moved(here, noise, levels[k], levels[k - 1])
            kept = torch.stack([paths[whose[row]][k - 1] for row in active])
            latents[active] = blended(lower, kept, changing[active])
            ticks()
        return latents

    def _guided(
        self, latents: Tensor, level: Level, empty: TextEmbedding, edited: TextEmbedding
    ) -> Tensor:
        rows, scale = len(latents), self.config.guidance
        if scale == 1:
            return self.network.predict(latents, level, edited.repeated(rows))
        both = joined([empty.repeated(rows), edited.repeated(rows)])
        without, given = self.network.predict(torch.cat([latents] * 2), level, both).chunk(2)
        return guided(without, given, scale)


def blended(
    edited: Float[Tensor, "b c h w"],
    kept: Float[Tensor, "b c h w"],
    changing: Float[Tensor, "b 1 h w"],
) -> Float[Tensor, "b c h w"]:
    """Take the edit where it may change and the original's path elsewhere (eq. 4).

    Both must be of one level. Chosen, not weighed, so that nothing not finite leaks out.
    """
    return torch.where(changing > 0, edited, kept)


def _captions(task: Task) -> tuple[str, str]:
    return task.source_caption, task.edited_caption
