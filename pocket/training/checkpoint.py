"""What a training is resumed from: written as a whole or not at all."""

from __future__ import annotations

import io
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from image_core.errors import InvalidInput
from image_core.photo.atomic import write_atomically
from pocket.training.average import AverageWeights

_FORM = 1


@dataclass(kw_only=True)
class Trainee:
    """All that changes while a network is trained.

    Attributes:
        network: What is trained.
        optimiser: With its moments.
        average: Of the weights.
        step: Steps done.
        seconds: Spent on them, over all sittings.
    """

    network: nn.Module
    optimiser: torch.optim.Optimizer
    average: AverageWeights
    step: int = 0
    seconds: float = 0.0


def save_checkpoint(path: Path, trainee: Trainee, key: str) -> None:
    """Write a checkpoint.

    Args:
        path: Where to; its folder must exist.
        trainee: What is kept.
        key: What the training is about; one with another key is not resumed from it.
    """
    buffer = io.BytesIO()
    content = {
        "form": _FORM,
        "key": key,
        "step": trainee.step,
        "seconds": trainee.seconds,
        "network": trainee.network.state_dict(),
        "optimiser": trainee.optimiser.state_dict(),
        "average": trainee.average.values,
    }
    torch.save(content, buffer)
    write_atomically(path, buffer.getvalue())


def load_checkpoint(path: Path, trainee: Trainee, key: str) -> bool:
    """Go on from a checkpoint, in place; tell whether there was one of that key.

    Raises:
        InvalidInput: It is damaged, or of another network.
    """
    if not path.exists():
        return False
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        if content["form"] != _FORM or content["key"] != key:
            return False
        trainee.network.load_state_dict(content["network"])
        trainee.optimiser.load_state_dict(content["optimiser"])
        for name, value in trainee.average.values.items():
            value.copy_(content["average"][name])
        trainee.step, trainee.seconds = int(content["step"]), float(content["seconds"])
    except (
        OSError,
        KeyError,
        ValueError,
        TypeError,
        RuntimeError,
        pickle.UnpicklingError,
    ) as error:
        raise InvalidInput(
            f"the checkpoint {path} cannot be used: {str(error).splitlines()[0]}",
            hint="Remove it to train this model from the start.",
        ) from error
    return True
