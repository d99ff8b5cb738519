"""Fitting the network to sentence features: Adam on all of them at once, seeded."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from image_core.editors.zone.actions.network import ActionNetwork, fresh_network
from image_core.errors import InvalidInput

_TINY = 1e-6  # added to spreads: a feature that never varies says nothing
_COLDEST, _HOTTEST, _TEMPERATURES = 0.05, 20.0, 121  # tried, evenly in their logarithm


@dataclass(frozen=True, kw_only=True)
class FitSettings:
    """How the network is fitted.

    The defaults did best on training frames held back, over random miniature encoders. The paper's
    30 steps at a rate of 0.1 learn all sentences by heart: on held-back frames they are 3 points
    worse, and sure of their errors.

    Attributes:
        seed: Of the first weights and of the sentences.
        epochs: Steps, each over all sentences.
        learning_rate: Of Adam at the start; it falls to 0 along a half cosine.
        decay: Decoupled weight decay a step, times the learning rate.
    """

    seed: int = 0
    epochs: int = 60
    learning_rate: float = 0.003
    decay: float = 1.0

    def __post_init__(self) -> None:
        """Refuse values that cannot be used.

        Raises:
            InvalidInput: It says which.
        """
        if self.seed < 0:
            raise InvalidInput(f"seed={self.seed} is negative")
        if not 1 <= self.epochs <= 100_000:
            raise InvalidInput(f"epochs={self.epochs} is not between 1 and 100000")
        if not (math.isfinite(self.learning_rate) and 0 < self.learning_rate <= 1):
            raise InvalidInput(f"learning_rate={self.learning_rate:g} is not in (0, 1]")
        if not (math.isfinite(self.decay) and 0 <= self.decay <= 1):
            raise InvalidInput(f"decay={self.decay:g} is not in [0, 1]")


def fitted(
    features: Float[Tensor, "n width"], labels: Int64[Tensor, " n"], settings: FitSettings
) -> ActionNetwork:
    """Fit a network to features as they are; they are standardised inside.

    Args:
        features: A row a sentence.
        labels: Class numbers.
        settings: How; the same settings and features give the same network.
    """
    mean = features.mean(dim=0)
    spread = features.std(dim=0) + _TINY
    inputs = (features - mean) / spread
    generator = torch.Generator().manual_seed(settings.seed)
    network = fresh_network(features.shape[1], generator)
    weights = [tensor.requires_grad_(True) for tensor in network.tensors().values()]
    adam = torch.optim.AdamW(weights, lr=settings.learning_rate, weight_decay=settings.decay)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(adam, settings.epochs)
    for _ in range(settings.epochs):
        adam.zero_grad()
        loss = torch.nn.functional.cross_entropy(network.logits(inputs), labels)
        torch.autograd.backward(loss)
        adam.step()
        falling.step()
    for tensor in weights:
        tensor.requires_grad_(False)
    return network.for_raw(mean, spread)


def held_back_logits(
    features: Float[Tensor, "n width"],
    labels: Int64[Tensor, " n"],
    folds: Sequence[int],
    settings: FitSettings,
) -> Float[Tensor, "n 3"]:
    """Return each sentence's logits by a network that has not learnt from its fold.

    Args:
        features: A row a sentence.
        labels: Class numbers.
        folds: Each sentence's fold.
        settings: As for ``fitted``.
    """
    fold_of = torch.tensor(list(folds))
    logits = torch.empty(len(features), 3)
    for fold in sorted(set(folds)):
        out = fold_of == fold
        network = fitted(features[~out], labels[~out], settings)
        logits[out] = network.logits(features[out])
    return logits


def temperature_of(logits: Float[Tensor, "n 3"], labels: Int64[Tensor, " n"]) -> float:
    """Return what to divide logits by for their softmax to be a probability (Guo et al., 2017).

    Args:
        logits: Of sentences that were not learnt from.
        labels: Their class numbers.
    """
    tried = torch.logspace(math.log10(_COLDEST), math.log10(_HOTTEST), _TEMPERATURES)
    losses = [torch.nn.functional.cross_entropy(logits / t, labels) for t in tried]
    return float(tried[int(torch.stack(losses).argmin())])
