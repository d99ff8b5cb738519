"""Training inpainting: captions, and pictures with a hole, to whole pictures."""

from __future__ import annotations

import numpy as np
import torch

from pocket.flat.edits import region_masks
from pocket.flat.render import render
from pocket.training.denoiser import drawn_rows
from pocket.training.descended import DescendedLesson
from pocket.training.editing import edit_scores, scored_edits
from pocket.training.lesson import Scores
from pocket.training.pairs import filling_of, latents_of, reduced, tokens_of
from pocket.training.pictures import as_pictures
from pocket.training.sampling import by_caption, sampled
from pocket.zoo.denoiser import Flavour


class InpaintLesson(DescendedLesson):
    """Training of inpainting.

    No caption is dropped: the empty one is that of removals alone, and so means bare ground, from
    which guidance leads away.
    """

    name: Flavour = "inpainting"
    main = "right"

    def losses(self, step: int) -> dict[str, torch.Tensor]:
        """Return the loss of a batch of pictures with holes."""
        random = self.random(step)
        pairs = self.pairs
        rows = drawn_rows(len(pairs), self.pace.batch, random)
        seen = torch.cat([pairs.hole[rows][:, None].half(), pairs.blanked[rows]], dim=1)
        return self.loss_of(
            pairs.after[rows], pairs.filling[rows], pairs.hole[rows], random, joined=seen
        )

    def scores(self) -> Scores:
        """Return how often each task comes out right when the true region is painted anew."""
        batch = scored_edits()
        holes = region_masks(batch) > 0
        blanked = np.where(holes[..., None], np.float32(0.5), render(batch.after))
        around = latents_of(self.vae, blanked, self.device).to(self.device).float()
        seen = torch.cat([reduced(holes)[:, None].to(around), around], dim=1)
        told = tokens_of([filling_of(case.task, case.target_caption) for case in batch.cases])
        predict = by_caption(self.denoiser, told.to(self.device), self.empty.to(self.device), seen)
        latents = sampled(len(batch), predict, self.device)
        return edit_scores(batch, as_pictures(self.vae.decode(latents).sample))
