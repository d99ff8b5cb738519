"""What a training loop is told of a model: its loss at a step, and its scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn

from image_core.diffusion.keyed_noise import generator_of

Scores = Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How a model is trained.

    Attributes:
        batch: Samples a step.
        rate: The learning rate at its height.
        warm: Steps over which it rises.
        falls: Share of the steps, at the end, over which it falls to 0. The steps before know
            nothing of the end: more can be asked for later.
        average: Of the weights that are scored and kept: the share of the old at each step.
        decay: Of the weights (AdamW).
        clip: Largest norm of the gradient.
    """

    batch: int
    rate: float
    warm: int = 100
    falls: float = 0.3
    average: float = 0.999
    decay: float = 0.01
    clip: float = 1.0

    def rate_at(self, step: int, steps: int) -> float:
        """Return the learning rate of a step of so many."""
        left = (steps - step) / max(1.0, self.falls * steps)
        return self.rate * min(1.0, (step + 1) / self.warm, left)

    def average_at(self, step: int) -> float:
        """Return the averaging share of a step: at first little is kept."""
        return min(self.average, (1 + step) / (10 + step))


@runtime_checkable
class Lesson(Protocol):
    """One model's training.

    Attributes:
        name: Of the model.
        pace: How it is trained.
        main: Which of the scores says whether it got better; more is better.
    """

    name: str
    pace: Pace
    main: str

    @property
    def network(self) -> nn.Module:
        """All that is trained."""
        ...

    def groups(self) -> Sequence[tuple[Sequence[nn.Parameter], float]]:
        """Return the parameters, each group with its factor of the learning rate."""
        ...

    def losses(self, step: int) -> dict[str, Tensor]:
        """Return ``loss``, which is minimised, and what else the curve shows.

        What is drawn depends on (seed, model, step) alone.
        """
        ...

    def scores(self) -> Scores:
        """Return how good the network is as it stands, on validation scenes."""
        ...


def step_generator(seed: int, name: str, step: int) -> torch.Generator:
    """Return the CPU generator of one step of a model's training."""
    return generator_of(seed, f"pocket {name} step {step}")


def fresh_generator(seed: int, name: str) -> torch.Generator:
    """Return the CPU generator of a model's first weights."""
    return generator_of(seed, f"pocket {name} weights")


def step_random(seed: int, name: str, step: int) -> np.random.Generator:
    """Return the same for what numpy draws."""
    key = step_generator(seed, f"{name} numpy", step).initial_seed()
    return np.random.default_rng(key)
