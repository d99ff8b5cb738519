"""Inverted latents: the DDIM path of a picture from its clean latent up to a level.

The path of a picture depends on the checkpoint, the picture, the source caption and the steps;
not on how far an edit goes, on its caption or its seed. It is kept on disk by content, so that
further edits of the same picture pay no inversion, and a longer path goes on from a shorter one.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from image_core.diffusion.ddim import Predictor, moved
from image_core.diffusion.schedule import Level
from image_core.disk_cache import DiskCache


def extended(
    paths: Sequence[Float[Tensor, "_ c h w"]],
    predict: Callable[[Tensor, Level, Sequence[int]], Tensor],
    levels: Sequence[Level],
    upto: int,
    tick: Callable[[], None] = lambda: None,
) -> list[Float[Tensor, "_ c h w"]]:
    """Carry each path up to a level; those already there cost nothing (eq. 3).

    The network is asked at the level that a step leads to, as the published code does.

    Args:
        paths: A picture's latents at levels 0, 1, …, as far as they are known.
        predict: Gives the noise of a batch of latents at a level; it is told whose they are.
        levels: All levels of the schedule.
        upto: The last level wanted.
        tick: Called after each level.

    Returns:
        Paths with ``upto + 1`` latents or more.
    """
    known = [list(path) for path in paths]
    for target in range(1, upto + 1):
        short = [n for n, path in enumerate(known) if len(path) <= target]
        if short:
            latents = torch.stack([known[n][-1] for n in short])
            noise = predict(latents, levels[target], short)
            raised = moved(latents, noise, levels[target - 1], levels[target])
            for row, n in zip(raised, short, strict=True):
                known[n].append(row)
        tick()
    return [torch.stack(path) for path in known]


def inverted(
    clean: Float[Tensor, "b c h w"], predict: Predictor, levels: Sequence[Level], upto: int
) -> Float[Tensor, "levels b c h w"]:
    """Return the latents of a batch at levels 0 … ``upto``."""
    paths = extended(
        [latents[None] for latents in clean], lambda x, level, _: predict(x, level), levels, upto
    )
    return torch.stack(paths, dim=1)


@dataclass(frozen=True, kw_only=True)
class TrajectoryCache:
    """Paths on disk, in the precision they were computed in, so that a hit changes no bit.

    Attributes:
        store: Where they lie.
    """

    store: DiskCache = field(default_factory=lambda: DiskCache(name="trajectories", suffix=".npy"))

    def get(self, key: str, clean: Float[Tensor, "c h w"]) -> Float[Tensor, "_ c h w"]:
        """Return what is known of a path; its start ``clean`` alone when nothing is.

        A stored path that is torn, of another shape, or starts elsewhere is not used.
        """
        data = self.store.get(key)
        if data is None:
            return clean[None]
        try:
            path = torch.from_numpy(np.load(io.BytesIO(data), allow_pickle=False))
        except (ValueError, OSError, EOFError):
            return clean[None]
        fits = path.ndim == 4 and path.shape[1:] == clean.shape and path.dtype == clean.dtype
        if not fits or not torch.equal(path[0], clean.cpu()):
            return clean[None]
        return path.to(clean)

    def put(self, key: str, path: Float[Tensor, "_ c h w"]) -> None:
        """Keep a path."""
        if torch.isfinite(path).all():
            file = io.BytesIO()
            np.save(file, path.cpu().numpy(), allow_pickle=False)
            self.store.put(key, file.getvalue())
