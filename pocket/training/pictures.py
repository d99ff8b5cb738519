"""Batches of the flat world as tensors, keyed by the step of a training."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32
from torch import Tensor

from pocket.flat.render import object_masks, render
from pocket.flat.sampling import sample_scenes
from pocket.flat.scenes import Scenes
from pocket.flat.settings import FlatSettings

HARD = FlatSettings()
"""The full world: 1 to 4 objects."""
EASY = FlatSettings(most_objects=2)


def train_scenes(step: int, batch: int, *, seed: int, settings: FlatSettings = HARD) -> Scenes:
    """Return the scenes of a training step: each step has its own."""
    return sample_scenes("train", seed=seed, start=step * batch, count=batch, settings=settings)


def validation_scenes(count: int, *, start: int = 0, settings: FlatSettings = HARD) -> Scenes:
    """Return scenes to score by; the same for every training, whatever its seed."""
    return sample_scenes("validation", start=start, count=count, settings=settings)


def as_input(pictures: Float32[np.ndarray, "b h w 3"]) -> Float[Tensor, "b 3 h w"]:
    """Return pictures in [0, 1] as an autoencoder sees them, in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2))) * 2 - 1


def as_pictures(output: Float[Tensor, "b 3 h w"]) -> Float32[np.ndarray, "b h w 3"]:
    """Return what an autoencoder decoded as pictures in [0, 1]."""
    values = (output.detach().float() / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1)
    return np.ascontiguousarray(values.cpu().numpy(), dtype=np.float32)


def rendered(scenes: Scenes) -> Float[Tensor, "b 3 h w"]:
    """Render scenes for an autoencoder."""
    return as_input(render(scenes))


def covered(scenes: Scenes) -> Bool[Tensor, "b 1 h w"]:
    """Return where any object lies, and a pixel around it."""
    masks = torch.from_numpy(object_masks(scenes).max(axis=1, keepdims=True))
    return torch.nn.functional.max_pool2d(masks, 3, stride=1, padding=1) > 0
