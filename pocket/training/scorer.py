"""Training CLIP: captions to their pictures, among them pictures that an edit has changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from pocket.flat.edits import edits
from pocket.flat.render import render
from pocket.training.lesson import Pace, Scores, fresh_generator
from pocket.training.pictures import train_scenes, validation_scenes
from pocket.zoo.scorer import build_scorer
from pocket.zoo.words import clip_tokenizer

# CLIP's own, of its image processor
_MEAN, _STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
_VALIDATION = 128


class ScorerLesson:
    """Training of CLIP."""

    name = "clip"
    main = "edit_accuracy"

    def __init__(self, *, seed: int, device: torch.device, batch: int = 64) -> None:
        """Build it with fresh weights."""
        self.pace = Pace(batch=batch, rate=1e-3, average=0.998, warm=200)
        self.seed, self.device = seed, device
        self._clip = build_scorer(fresh_generator(seed, self.name)).to(device)
        self._tokenizer = clip_tokenizer()

    @property
    def network(self) -> nn.Module:
        """CLIP."""
        clip: nn.Module = self._clip
        return clip

    def groups(self) -> Sequence[tuple[Sequence[nn.Parameter], float]]:
        """Return all parameters as one group."""
        return [(list(self.network.parameters()), 1.0)]

    def losses(self, step: int) -> dict[str, Tensor]:
        """Return how badly pictures and captions of a batch find each other."""
        batch = edits(train_scenes(step, self.pace.batch // 2, seed=self.seed))
        pictures = np.concatenate([render(batch.before), render(batch.after)])
        captions = [case.source_caption for case in batch.cases]
        captions += [case.target_caption for case in batch.cases]
        logits = self._likeness(pictures, captions)
        own = torch.arange(len(logits), device=self.device)
        loss = (cross_entropy(logits, own) + cross_entropy(logits.T, own)) / 2
        right = (logits.argmax(dim=1) == own).float().mean()
        return {"loss": loss, "right": right}

    def scores(self) -> Scores:
        """Return how often a picture prefers its own caption.

        ``edit_accuracy``: to that of the picture before or after the edit. ``among``: to those of
        63 other pictures.
        """
        batch = edits(validation_scenes(_VALIDATION))
        pairs = [
            (render(batch.before), [case.source_caption for case in batch.cases]),
            (render(batch.after), [case.target_caption for case in batch.cases]),
        ]
        told = [caption for _, captions in pairs for caption in captions]
        likeness = self._likeness(np.concatenate([pictures for pictures, _ in pairs]), told)
        count = len(batch.cases)
        own = torch.arange(count, device=self.device)
        first = likeness[own, own] > likeness[own, own + count]
        second = likeness[own + count, own + count] > likeness[own + count, own]
        among = likeness[:64, :64].argmax(dim=1) == own[:64]
        return {
            "edit_accuracy": float(torch.cat([first, second]).float().mean()),
            "among": float(among.float().mean()),
        }

    def _likeness(
        self, pictures: Float32[np.ndarray, "b h w 3"], captions: Sequence[str]
    ) -> Float[Tensor, "b b"]:
        tokens: Any = self._tokenizer(
            list(captions), padding="max_length", truncation=True, return_tensors="pt"
        )
        planes = torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)))
        mean, std = torch.tensor(_MEAN)[:, None, None], torch.tensor(_STD)[:, None, None]
        output = self._clip(
            input_ids=tokens.input_ids.to(self.device),
            attention_mask=tokens.attention_mask.to(self.device),
            pixel_values=((planes - mean) / std).to(self.device),
        )
        logits: Tensor = output.logits_per_image
        return logits
