"""The noise schedule of a diffusion model, as levels from the clean picture up to pure noise.

Level 0 is the clean latent, with the alpha that the model's scheduler gives to what lies before
its first training step; level k is the k-th of the ascending inference time steps.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from image_core.errors import InvalidInput

Prediction = Literal["epsilon", "v_prediction", "sample"]


@dataclass(frozen=True, kw_only=True)
class Level:
    """A noise level.

    Attributes:
        index: 0 for the clean latent.
        time: The training step that the network is told; -1 at level 0, where none is asked.
        alpha: Cumulative alpha, so that a latent is sqrt(alpha) x_0 + sqrt(1 - alpha) noise.
    """

    index: int
    time: int
    alpha: float


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """What a checkpoint's scheduler file says.

    Attributes:
        alphas: Cumulative alpha of each training step, falling.
        clean_alpha: The alpha of level 0: 1, or that of training step 0.
        spacing: How inference steps are laid over the training steps.
        offset: Added to each time step where the spacing is ``leading``.
        prediction: What the network gives.
    """

    alphas: tuple[float, ...]
    clean_alpha: float
    spacing: str = "leading"
    offset: int = 1
    prediction: Prediction = "epsilon"

    @classmethod
    def from_folder(cls, folder: Path) -> Schedule:
        """Read ``scheduler/scheduler_config.json`` of a checkpoint in diffusers' layout.

        Raises:
            InvalidInput: There is none, or it is no noise schedule of a latent diffusion model.
        """
        path = folder / "scheduler" / "scheduler_config.json"
        try:
            return cls.from_config(json.loads(path.read_text()))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InvalidInput(
                f"{folder} has no usable scheduler/scheduler_config.json: {error!r}",
                hint="Give a checkpoint folder in diffusers' layout.",
            ) from error

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Schedule:
        """Make the schedule that diffusers' ``DDIMScheduler`` makes of a configuration."""
        from diffusers import DDIMScheduler

        kind: Any = DDIMScheduler  # its from_config has no types
        scheduler = kind.from_config(dict(config))
        alphas = tuple(scheduler.alphas_cumprod.double().tolist())
        prediction = scheduler.config.prediction_type
        if prediction not in ("epsilon", "v_prediction", "sample"):
            raise ValueError(f"the prediction type {prediction!r} is none that DDIM takes")
        return cls(
            alphas=alphas,
            clean_alpha=float(scheduler.final_alpha_cumprod),
            spacing=scheduler.config.timestep_spacing,
            # Stable Diffusion's published files say 0 now and then; diffusers' pipelines take 1
            offset=1 if scheduler.config.timestep_spacing == "leading" else 0,
            prediction=prediction,
        )

    def levels(self, steps: int) -> tuple[Level, ...]:
        """Return levels 0 … ``steps``, noise rising.

        Raises:
            InvalidInput: More steps than the model was trained on, or none.
        """
        trained = len(self.alphas)
        if not 1 <= steps <= trained:
            raise InvalidInput(f"steps must lie between 1 and {trained}; this is {steps}")
        times = _times(steps, trained, self.spacing, self.offset)
        noisy = [
            Level(index=k, time=time, alpha=self.alphas[time])
            for k, time in enumerate(times, start=1)
        ]
        return (Level(index=0, time=-1, alpha=self.clean_alpha), *noisy)


def used_steps(steps: int, ratio: float) -> int:
    """Return how many of ``steps`` an encoding ratio r uses: the nearest number, at least 1."""
    return min(steps, max(1, int(steps * ratio + 0.5)))


def _times(steps: int, trained: int, spacing: str, offset: int) -> Sequence[int]:
    """Return ascending training steps, spaced as diffusers' schedulers space them."""
    if spacing == "leading":
        stride = trained // steps
        return [min(k * stride + offset, trained - 1) for k in range(steps)]
    if spacing == "trailing":
        return [round((k + 1) * trained / steps) - 1 for k in range(steps)]
    if spacing == "linspace":
        if steps == 1:
            return [0]
        return [round(k * (trained - 1) / (steps - 1)) for k in range(steps)]
    raise InvalidInput(f"the time step spacing {spacing!r} is not known")
