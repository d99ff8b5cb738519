"""The classifier's network (ZONE, supplement B): two linear layers with a ReLU between them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from image_core.editors.zone.actions.labels import ACTIONS

HIDDEN = 128
"""Features between the layers."""


@dataclass(frozen=True, kw_only=True)
class ActionNetwork:
    """Weights of the network; their names and shapes are the released checkpoint's.

    Attributes:
        fc1_weight: First layer.
        fc1_bias: Its offset.
        fc2_weight: Second layer; three classes.
        fc2_bias: Its offset.
    """

    fc1_weight: Float[Tensor, "hidden width"]
    fc1_bias: Float[Tensor, " hidden"]
    fc2_weight: Float[Tensor, "3 hidden"]
    fc2_bias: Float[Tensor, " 3"]

    @property
    def width(self) -> int:
        """Features of its input: the text encoder's width."""
        return self.fc1_weight.shape[1]

    def logits(self, features: Float[Tensor, "*b width"]) -> Float[Tensor, "*b 3"]:
        """Return the logits of change, add and remove."""
        hidden = torch.relu(features @ self.fc1_weight.T + self.fc1_bias)
        return hidden @ self.fc2_weight.T + self.fc2_bias

    def tensors(self) -> dict[str, Tensor]:
        """Return the weights under their names in files."""
        return {
            "fc1.weight": self.fc1_weight,
            "fc1.bias": self.fc1_bias,
            "fc2.weight": self.fc2_weight,
            "fc2.bias": self.fc2_bias,
        }

    def for_raw(
        self, mean: Float[Tensor, " width"], spread: Float[Tensor, " width"]
    ) -> ActionNetwork:
        """Return the network that does to raw features what this does to standardised ones."""
        weight = self.fc1_weight / spread
        return ActionNetwork(
            fc1_weight=weight,
            fc1_bias=self.fc1_bias - weight @ mean,
            fc2_weight=self.fc2_weight,
            fc2_bias=self.fc2_bias,
        )

    def cooled(self, temperature: float) -> ActionNetwork:
        """Return the network whose logits are divided by a temperature above 0."""
        return ActionNetwork(
            fc1_weight=self.fc1_weight,
            fc1_bias=self.fc1_bias,
            fc2_weight=self.fc2_weight / temperature,
            fc2_bias=self.fc2_bias / temperature,
        )


def fresh_network(width: int, generator: torch.Generator) -> ActionNetwork:
    """Draw weights uniformly within one over the square root of a layer's inputs."""

    def drawn(inputs: int, *shape: int) -> Tensor:
        return (torch.rand(shape, generator=generator) * 2 - 1) / math.sqrt(inputs)

    return ActionNetwork(
        fc1_weight=drawn(width, HIDDEN, width),
        fc1_bias=drawn(width, HIDDEN),
        fc2_weight=drawn(HIDDEN, len(ACTIONS), HIDDEN),
        fc2_bias=drawn(HIDDEN, len(ACTIONS)),
    )
