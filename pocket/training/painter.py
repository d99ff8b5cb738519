"""Training text-to-image: captions to latents."""

from __future__ import annotations

from typing import Any

import torch

from pocket.flat.phrases import caption
from pocket.flat.settings import FlatSettings
from pocket.flat.success import shows, success
from pocket.training.classifier import classified
from pocket.training.denoiser import (
    DenoisingTraining,
    drawn_rows,
    dropped,
    fresh_denoiser,
)
from pocket.training.lesson import Pace, Scores
from pocket.training.pairs import CAPTIONS, Pairs, tokens_of
from pocket.training.pictures import as_pictures, validation_scenes
from pocket.training.sampling import by_caption, sampled

_EMPTY = 0.1  # share of captions that are dropped, for guidance
_SAMPLES = 32  # of each kind of scene


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
        are shares of samples for one object, ``pair_two`` of samples for two.
        """
        found = classified(self.denoiser, self._vae, self.device)
        one, two = self._sampled(1), self._sampled(2)
        return {
            **found,
            "colour": one["colours"],
            "pair": one["objects"],
            "count": one["count"],
            "pair_two": two["objects"],
        }

    def _sampled(self, objects: int) -> dict[str, float]:
        scenes = validation_scenes(
            4 * _SAMPLES, settings=FlatSettings(most_objects=objects), start=1000
        )
        rows = [row for row in range(len(scenes)) if len(scenes.slots(row)) == objects][:_SAMPLES]
        tokens = tokens_of([caption(scenes, row) for row in rows]).to(self.device)
        predict = by_caption(self.denoiser, tokens, self._empty.to(self.device))
        latents = sampled(len(rows), predict, self.device)
        pictures = as_pictures(self._vae.decode(latents).sample)
        verdicts = [
            success(picture, shows(scenes, row, anywhere=True))
            for picture, row in zip(pictures, rows, strict=True)
        ]
        return {
            name: sum(getattr(one, name) for one in verdicts) / len(verdicts)
            for name in ("colours", "objects", "count")
        }
