"""A denoiser as a classifier: which caption explains a picture's noise best.

Source: Li et al., Your Diffusion Model is Secretly a Zero-Shot Classifier, ICCV 2023, eq. 5. It
rises long before samples show what was learned.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from image_core.diffusion.keyed_noise import keyed_noise
from pocket.flat.render import render
from pocket.flat.settings import FlatSettings
from pocket.flat.words import COLOURS, NOUNS, SHAPES
from pocket.training.denoiser import Denoiser
from pocket.training.noise import with_noise
from pocket.training.pairs import latents_of, tokens_of
from pocket.training.pictures import validation_scenes
from pocket.zoo.autoencoder import CHANNELS
from pocket.zoo.denoiser import CELLS

_PICTURES = 48
_TIMES = (200, 400, 600)  # training steps at which it is asked


def classified(denoiser: Denoiser, vae: Any, device: torch.device) -> dict[str, float]:
    """Return how often the right shape and the right colour explain one-object pictures best.

    Args:
        denoiser: Of text-to-image.
        vae: Its autoencoder.
        device: Of both.

    Returns:
        ``shape_classified`` and ``colour_classified``, means over three noise levels, and
        ``shape_400``, that at training step 400.
    """
    scenes = validation_scenes(_PICTURES, settings=FlatSettings(most_objects=1))
    clean = latents_of(vae, render(scenes), device).to(device).float()
    things = [scenes.thing(row, 0) for row in range(len(scenes))]
    shapes = [[f"a {one.colour} {NOUNS[shape][0]}" for shape in SHAPES] for one in things]
    colours = [[f"a {colour} {NOUNS[one.shape][0]}" for colour in COLOURS] for one in things]
    true_shape = torch.tensor([SHAPES.index(one.shape) for one in things])
    true_colour = torch.tensor([COLOURS.index(one.colour) for one in things])
    right: dict[str, list[float]] = {"shape": [], "colour": []}
    for time in _TIMES:
        for name, texts, true in (
            ("shape", shapes, true_shape),
            ("colour", colours, true_colour),
        ):
            errors = _errors(denoiser, clean, texts, time)
            right[name].append(float((errors.argmin(dim=1).cpu() == true).float().mean()))
    return {
        "shape_classified": sum(right["shape"]) / len(_TIMES),
        "colour_classified": sum(right["colour"]) / len(_TIMES),
        "shape_400": right["shape"][_TIMES.index(400)],
    }


def _errors(
    denoiser: Denoiser, clean: Float[Tensor, "n c h w"], texts: list[list[str]], time: int
) -> Float[Tensor, "n k"]:
    """Return the error of predicted noise under each text; a picture's texts share one noise."""
    keys = list(range(len(clean)))
    noise = keyed_noise((CHANNELS, CELLS, CELLS), keys, f"classify {time}", clean)
    times = torch.full((len(clean),), time, device=clean.device)
    noisy = with_noise(clean, noise, times)
    columns = []
    for choice in range(len(texts[0])):
        tokens = tokens_of([row[choice] for row in texts]).to(clean.device).long()
        predicted = denoiser(noisy, times, tokens)
        columns.append(((predicted - noise) ** 2).mean(dim=(1, 2, 3)))
    return torch.stack(columns, dim=1)
