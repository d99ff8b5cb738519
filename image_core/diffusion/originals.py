"""The inverted paths of pictures under a caption, read from and kept in the cache."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float
from torch import Tensor

from image_core.diffusion.network import LatentDiffusion
from image_core.diffusion.schedule import Level
from image_core.diffusion.trajectories import TrajectoryCache, extended
from image_core.disk_cache import content_key
from image_core.types import Image


def paths_of(
    network: LatentDiffusion,
    pictures: Sequence[Image],
    caption: str,
    *,
    levels: Sequence[Level],
    upto: int,
    cache: TrajectoryCache | None,
    tick: Callable[[], None] = lambda: None,
) -> list[Float[Tensor, "_ c h w"]]:
    """Return each picture's latents at levels 0 … ``upto`` or beyond, inverted without guidance.

    Args:
        network: The checkpoint.
        pictures: Equal sizes.
        caption: What they show.
        levels: All levels of the schedule.
        upto: The last level wanted.
        cache: Where paths are kept; None keeps none.
        tick: Called after each level.
    """
    clean = network.encode(pictures)
    keys = [path_key(network, picture, caption, len(levels) - 1) for picture in pictures]
    known = [
        one[None] if cache is None else cache.get(key, one)
        for key, one in zip(keys, clean, strict=True)
    ]
    text = network.embed(caption)

    def noise(latents: Tensor, level: Level, whose: Sequence[int]) -> Tensor:
        return network.predict(latents, level, text.repeated(len(whose)))

    paths = extended(known, noise, levels, upto, tick)
    for key, before, path in zip(keys, known, paths, strict=True):
        if cache is not None and len(path) > len(before):
            cache.put(key, path)
    return paths


def path_key(network: LatentDiffusion, picture: Image, caption: str, steps: int) -> str:
    """Return what names a path in the cache: InstructEdit's own key, so that both share paths."""
    pixels = np.ascontiguousarray(picture)
    return content_key(
        "masked ddim 1",
        network.identity,
        str(pixels.shape),
        pixels.tobytes(),
        caption,
        str(steps),
    )
