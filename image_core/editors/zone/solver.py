"""DPM-Solver++ 2M: the noise levels that ZONE walks down, and one history a network.

Source: Lu et al., DPM-Solver++, algorithm 2 (multistep, midpoint); ZONE's released settings.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jaxtyping import Float
from torch import Tensor

from image_core.diffusion.schedule import Level, used_steps
from image_core.errors import InvalidInput

_OF_THE_MODEL = (
    "num_train_timesteps",
    "beta_start",
    "beta_end",
    "beta_schedule",
    "trained_betas",
    "timestep_spacing",
    "steps_offset",
    "rescale_betas_zero_snr",
)
"""What the solver takes from a checkpoint's scheduler file; all else is ZONE's."""

_OF_ZONE: Mapping[str, Any] = {
    "algorithm_type": "dpmsolver++",
    "solver_order": 2,
    "solver_type": "midpoint",
    "lower_order_final": True,
    # networks that were trained to give a velocity are turned into noise before they come here
    "prediction_type": "epsilon",
}


@dataclass(frozen=True, kw_only=True)
class DpmSolver:
    """The solver of one checkpoint.

    Attributes:
        settings: What diffusers' ``DPMSolverMultistepScheduler`` is made with.
    """

    settings: Mapping[str, Any]

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> DpmSolver:
        """Make the solver from what a scheduler file says.

        Steps lie evenly (``linspace``) unless the file names a spacing, as in the released code.
        """
        named = {name: config[name] for name in _OF_THE_MODEL if config.get(name) is not None}
        return cls(settings={**named, **_OF_ZONE})

    @classmethod
    def from_folder(cls, folder: Path) -> DpmSolver:
        """Read ``scheduler/scheduler_config.json`` of a checkpoint in diffusers' layout.

        Raises:
            InvalidInput: There is none that can be read.
        """
        path = folder / "scheduler" / "scheduler_config.json"
        try:
            solver = cls.from_config(json.loads(path.read_text()))
            solver.path(1)  # what the solver cannot be made with shows here
        except (OSError, ValueError, TypeError, AttributeError, NotImplementedError) as error:
            raise InvalidInput(
                f"{folder} has no usable scheduler/scheduler_config.json: {error!r}",
                hint="Give a checkpoint folder in diffusers' layout.",
            ) from error
        return solver

    def path(self, steps: int, strength: float = 1.0) -> DpmPath:
        """Lay out the levels of a run.

        All of them are walked, however many there are: the released code drops all but the last
        50, though it starts from pure noise.

        Args:
            steps: Of a full run.
            strength: In (0, 1]; below 1 only the last part of the levels is walked.

        Raises:
            InvalidInput: The model has not so many levels that differ.
        """
        if not 0 < strength <= 1:
            raise InvalidInput(f"strength={strength:g} is not in (0, 1]")
        scheduler = _scheduler(self.settings, steps)
        alphas = scheduler.alphas_cumprod.double().tolist()
        times = scheduler.timesteps.tolist()
        skipped = steps - used_steps(steps, strength)
        levels = tuple(
            Level(index=steps - place, time=time, alpha=alphas[time])
            for place, time in enumerate(times)
            if place >= skipped
        )
        return DpmPath(settings=self.settings, steps=steps, levels=levels)


@dataclass(frozen=True, kw_only=True)
class DpmPath:
    """The levels that a run walks.

    Attributes:
        settings: The solver's.
        steps: Of a full run.
        levels: Noise falling; the clean latent, where the last step leads, is not among them.
    """

    settings: Mapping[str, Any]
    steps: int
    levels: tuple[Level, ...]

    def walker(self) -> Walker:
        """Return a fresh history; latents that are denoised apart need one each."""
        scheduler = _scheduler(self.settings, self.steps)
        scheduler.set_begin_index(self.steps - len(self.levels))
        return Walker(scheduler=scheduler)


@dataclass(kw_only=True)
class Walker:
    """Takes the steps of one latent in order, and remembers the last prediction.

    Attributes:
        scheduler: Holds the history.
    """

    scheduler: Any

    def step(
        self,
        latents: Float[Tensor, "b c h w"],
        noise: Float[Tensor, "b c h w"],
        level: Level,
    ) -> Float[Tensor, "b c h w"]:
        """Carry latents from a level to the next.

        Args:
            latents: At ``level``.
            noise: What was predicted for them.
            level: The path's next level.
        """
        lower: Tensor = self.scheduler.step(noise, level.time, latents, return_dict=False)[0]
        return lower


def _scheduler(settings: Mapping[str, Any], steps: int) -> Any:
    from diffusers import DPMSolverMultistepScheduler

    if steps < 1:
        raise InvalidInput(f"steps={steps} is less than 1")
    kind: Any = DPMSolverMultistepScheduler  # it has no types
    scheduler = kind(**settings)
    scheduler.set_timesteps(steps)
    times: list[int] = scheduler.timesteps.tolist()
    trained = len(scheduler.alphas_cumprod)
    # two levels of one time have no step between them, and the solver divides by its length
    if len(set(times)) < steps or not all(0 <= time < trained for time in times):
        raise InvalidInput(
            f"steps={steps} does not fit the model, which has {trained} levels of noise",
            hint="Give fewer steps; 20 are usual.",
        )
    return scheduler
