"""Training InstructPix2Pix: instructions and pictures to the edited pictures."""

from __future__ import annotations

import torch

from pocket.flat.render import render
from pocket.training.denoiser import drawn_rows, dropped
from pocket.training.descended import DescendedLesson
from pocket.training.editing import edit_scores, scored_edits
from pocket.training.lesson import Scores
from pocket.training.pairs import latents_of, tokens_of
from pocket.training.pictures import as_pictures
from pocket.training.sampling import by_instruction, sampled
from pocket.zoo.denoiser import Flavour

# shares in which the text, the picture, and both are dropped (Brooks et al., section 3.2.1)
_NO_TEXT, _NO_PICTURE, _NEITHER = 0.05, 0.05, 0.05


class InstructLesson(DescendedLesson):
    """Training of InstructPix2Pix."""

    name: Flavour = "instruct-pix2pix"
    main = "right"

    def losses(self, step: int) -> dict[str, torch.Tensor]:
        """Return the loss of a batch of edits."""
        random = self.random(step)
        pairs, batch = self.pairs, self.pace.batch
        rows = drawn_rows(len(pairs), batch, random)
        chance = torch.rand(batch, generator=random)
        no_picture = chance < _NO_PICTURE + _NEITHER
        no_text = (chance >= _NO_PICTURE) & (chance < _NO_PICTURE + _NEITHER + _NO_TEXT)
        sources = torch.where(
            no_picture[:, None, None, None],
            torch.zeros_like(pairs.before[rows]),
            pairs.before[rows],
        )
        tokens = dropped(pairs.instruction[rows], self.empty, no_text)
        return self.loss_of(pairs.after[rows], tokens, pairs.region[rows], random, joined=sources)

    def scores(self) -> Scores:
        """Return how often each task comes out right, strictly, and the error elsewhere."""
        batch = scored_edits()
        sources = latents_of(self.vae, render(batch.before), self.device)
        told = tokens_of([case.instruction for case in batch.cases]).to(self.device)
        predict = by_instruction(
            self.denoiser,
            told,
            self.empty.to(self.device),
            sources.to(self.device).float(),
        )
        latents = sampled(len(batch), predict, self.device)
        return edit_scores(batch, as_pictures(self.vae.decode(latents).sample))
