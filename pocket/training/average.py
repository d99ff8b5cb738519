"""A running average of a network's weights, which is steadier than the weights themselves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class AverageWeights:
    """The average; it has the network's own names, parameters and buffers."""

    def __init__(self, network: nn.Module) -> None:
        """Start from the network as it is."""
        self.values = {name: value.clone() for name, value in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module, kept: float) -> None:
        """Take in the network's present weights.

        Args:
            network: The one that it was made of.
            kept: Share of the old average; the rest is new. What is no fraction is copied.
        """
        for name, value in network.state_dict().items():
            mine = self.values[name]
            if mine.is_floating_point():
                mine.lerp_(value.to(mine.dtype), 1 - kept)
            else:
                mine.copy_(value)

    @contextmanager
    def used(self, network: nn.Module, *, half: bool) -> Iterator[None]:
        """Let a network have the average for a while.

        Args:
            network: Gets its own weights back afterwards.
            half: Rounded to 16 bits, as they are stored.
        """
        own = {name: value.clone() for name, value in network.state_dict().items()}
        training = network.training
        network.load_state_dict(rounded(self.values) if half else self.values)
        network.eval()
        try:
            yield
        finally:
            network.load_state_dict(own)
            network.train(training)


def rounded(values: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return weights as float16 would store them."""
    return {
        name: value.half().to(value.dtype) if value.is_floating_point() else value
        for name, value in values.items()
    }
