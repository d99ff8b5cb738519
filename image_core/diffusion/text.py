"""Prompts as the embeddings that a UNet attends to, for one text encoder or two (SDXL)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from image_core.evaluations import count


@dataclass(frozen=True, kw_only=True)
class TextEmbedding:
    """Embedded prompts.

    Attributes:
        hidden: What cross-attention reads.
        pooled: The second encoder's projected sentence embedding; SDXL only.
    """

    hidden: Float[Tensor, "b tokens width"]
    pooled: Float[Tensor, "b pooled"] | None = None

    def repeated(self, times: int) -> TextEmbedding:
        """Return a batch of one ``times`` times over."""
        pooled = None if self.pooled is None else self.pooled.expand(times, -1)
        return TextEmbedding(hidden=self.hidden.expand(times, -1, -1), pooled=pooled)


def joined(parts: Sequence[TextEmbedding]) -> TextEmbedding:
    """Return several batches as one."""
    pooled = [part.pooled for part in parts if part.pooled is not None]
    return TextEmbedding(
        hidden=torch.cat([part.hidden for part in parts]),
        pooled=torch.cat(pooled) if pooled else None,
    )


@dataclass(kw_only=True)
class TextEncoders:
    """A checkpoint's tokenizers and text encoders; each prompt is encoded once and kept.

    Attributes:
        tokenizers: One per encoder.
        encoders: CLIP text models; with two, the second has a projection (SDXL).
        dropped_when_empty: The empty prompt is all zeros (SDXL's
            ``force_zeros_for_empty_prompt``).
    """

    tokenizers: Sequence[Any]
    encoders: Sequence[Any]
    dropped_when_empty: bool = False
    _known: dict[str, TextEmbedding] = field(default_factory=dict)

    @torch.no_grad()
    def encode(self, prompt: str) -> TextEmbedding:
        """Return a prompt's embedding, as a batch of one."""
        if prompt not in self._known:
            if len(self._known) >= 256:
                self._known.clear()
            self._known[prompt] = self._encoded(prompt)
        return self._known[prompt]

    def cut_off(self, prompt: str) -> str:
        """Return the words of a prompt that its length limit cuts off; empty when all fit."""
        tokenizer = self.tokenizers[0]
        ids = tokenizer(prompt, truncation=False)["input_ids"]
        limit = tokenizer.model_max_length
        if len(ids) <= limit:
            return ""
        return str(tokenizer.decode(ids[limit - 1 : -1])).strip()

    def _encoded(self, prompt: str) -> TextEmbedding:
        hidden, pooled = [], None
        for tokenizer, encoder in zip(self.tokenizers, self.encoders, strict=True):
            ids = tokenizer(
                [prompt],
                padding="max_length",
                max_length=tokenizer.model_max_length,
                truncation=True,
                return_tensors="pt",
            ).input_ids.to(encoder.device)
            count("text encoder", 1)
            if len(self.encoders) == 1:
                hidden.append(encoder(ids)[0])
            else:
                out = encoder(ids, output_hidden_states=True)
                hidden.append(out.hidden_states[-2])
                pooled = out[0] if out[0].ndim == 2 else None
        embedding = TextEmbedding(hidden=torch.cat(hidden, dim=-1), pooled=pooled)
        if self.dropped_when_empty and not prompt:
            return TextEmbedding(
                hidden=torch.zeros_like(embedding.hidden),
                pooled=None if pooled is None else torch.zeros_like(pooled),
            )
        return embedding
