"""Training text-to-image: captions to latents."""

from __future__ import annotations

import math
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from pocket.flat.phrases import caption
from pocket.flat.render import render
from pocket.flat.scenes import Scenes
from pocket.flat.settings import FlatSettings
from pocket.flat.settings import Pairs as SomePairs
from pocket.flat.success import shows, success
from pocket.training.classifier import classified
from pocket.training.denoiser import (
    DenoisingTraining,
    drawn_rows,
    dropped,
    fresh_denoiser,
)
from pocket.training.lesson import Pace, Scores
from pocket.training.pairs import CAPTIONS, Pairs, latents_of, tokens_of
from pocket.training.pictures import as_pictures, validation_scenes
from pocket.training.sampling import by_caption, sampled

_EMPTY = 0.1  # share of captions that are dropped, for guidance
_SAMPLES = 32  # of each kind of scene
_COMPARED = 4096  # pictures that samples are compared with at a time


class PainterLesson(DenoisingTraining):
    """Training of text-to-image."""

    name = "stable-diffusion"
    main = "shape_classified"

    def __init__(
        self, pairs: Pairs, vae: Any, *, seed: int, device: torch.device, batch: int = 32
    ) -> None:
        """Build it with fresh weights.

        Args:
            pairs: What it learns from: pictures before and after edits alike.
            vae: To look at its samples.
            seed: Of weights and draws.
            device: Where it is trained.
            batch: Samples a step.
        """
        pace = Pace(batch=batch, rate=2e-3, warm=200)
        super().__init__(fresh_denoiser(seed), seed=seed, device=device, pace=pace)
        self._pairs, self._vae = pairs, vae
        self._empty = tokens_of([""])[0]

    def losses(self, step: int) -> dict[str, torch.Tensor]:
        """Return the loss of a batch of pictures."""
        random = self.random(step)
        pairs, batch = self._pairs, self.pace.batch
        rows = drawn_rows(len(pairs), batch, random)
        worded = torch.randint(CAPTIONS, (batch,), generator=random)
        edited = torch.rand(batch, generator=random) < 0.5
        clean = torch.where(edited[:, None, None, None], pairs.after[rows], pairs.before[rows])
        things = torch.where(
            edited[:, None, None], pairs.things_after[rows], pairs.things_before[rows]
        )
        tokens = torch.where(
            edited[:, None],
            pairs.captions_after[rows, worded],
            pairs.captions_before[rows, worded],
        )
        tokens = dropped(tokens, self._empty, torch.rand(batch, generator=random) < _EMPTY)
        return self.loss_of(clean, tokens, things, random)

    def scores(self) -> Scores:
        """Return what its noise predictions tell apart, and what its samples show.

        ``shape_classified`` and ``colour_classified``: how often the true caption of a one-object
        scene fits best (Li et al., ICCV 2023); chance is 1 in 6. ``colour``, ``pair`` and ``count``
        are shares of samples for one object, ``pair_two`` of samples for two, ``pair_held_out`` of
        samples for one object such as training never shows. ``nearest`` is the median distance
        (root mean square over latents) of samples for one object to the nearest of the pictures
        that it learns from, ``nearest_of_fresh`` that of pictures which it never saw: samples that
        are copies would lie much nearer.
        """
        found = classified(self.denoiser, self._vae, self.device)
        one = _scenes_of(1)
        latents = self._sampled(one)
        two, held_out = _scenes_of(2), _scenes_of(1, pairs="held-out")
        shown = self._verdicts(one, latents)
        fresh = latents_of(self._vae, render(one), self.device)
        return {
            **found,
            "colour": shown["colours"],
            "pair": shown["objects"],
            "count": shown["count"],
            "pair_two": self._verdicts(two, self._sampled(two))["objects"],
            "pair_held_out": self._verdicts(held_out, self._sampled(held_out))["objects"],
            "nearest": nearest_distance(latents, self._pairs.before),
            "nearest_of_fresh": nearest_distance(fresh, self._pairs.before),
        }

    def _sampled(self, scenes: Scenes) -> torch.Tensor:
        tokens = tokens_of([caption(scenes, row) for row in range(len(scenes))]).to(self.device)
        predict = by_caption(self.denoiser, tokens, self._empty.to(self.device))
        return sampled(len(scenes), predict, self.device)

    def _verdicts(self, scenes: Scenes, latents: torch.Tensor) -> dict[str, float]:
        pictures = as_pictures(self._vae.decode(latents).sample)
        verdicts = [
            success(picture, shows(scenes, row, anywhere=True))
            for row, picture in enumerate(pictures)
        ]
        return {
            name: sum(getattr(one, name) for one in verdicts) / len(verdicts)
            for name in ("colours", "objects", "count")
        }


def nearest_distance(latents: Float[Tensor, "n c h w"], known: Float[Tensor, "m c h w"]) -> float:
    """Return the median distance of pictures to the nearest of some, root mean square."""
    flat = latents.flatten(1).float()
    nearest = torch.full((len(flat),), math.inf, device=flat.device)
    for part in torch.split(known, _COMPARED):
        apart = torch.cdist(flat, part.flatten(1).to(flat)).amin(dim=1)
        nearest = torch.minimum(nearest, apart)
    return nearest.median().item() / math.sqrt(flat.shape[1])


def _scenes_of(objects: int, *, pairs: SomePairs = "seen") -> Scenes:
    """Return validation scenes with so many objects."""
    settings = FlatSettings(most_objects=objects, pairs=pairs)
    scenes = validation_scenes(4 * _SAMPLES, settings=settings, start=1000)
    rows = [row for row in range(len(scenes)) if len(scenes.slots(row)) == objects]
    return scenes[rows[:_SAMPLES]]
