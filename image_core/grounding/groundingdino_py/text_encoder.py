"""The adapter that lets groundingdino-py 0.4.0 build its network under transformers 5.

The package wraps a ``BertModel`` in a class of its own that borrows ``get_head_mask`` (gone) and
``get_extended_attention_mask`` (whose third argument was a device and is now a dtype). For the time
of a build, the package's network module gets this wrapper instead; transformers is not touched.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from threading import Lock
from typing import Any

import torch
from torch import Tensor, nn

_BUILDING = Lock()


class TextEncoder(nn.Module):
    """BERT's layers under the published checkpoints' names, with a mask per pair of tokens."""

    def __init__(self, bert_model: Any) -> None:
        """Take the layers of a ``BertModel``."""
        super().__init__()
        self.config = bert_model.config
        self.embeddings = bert_model.embeddings
        self.encoder = bert_model.encoder
        self.pooler = bert_model.pooler  # unused, but the checkpoints hold it

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Encode tokens.

        Args:
            input_ids: (b, t).
            attention_mask: (b, t, t), True where the first may see the second; or (b, t).
            token_type_ids: (b, t).
            position_ids: (b, t); they start anew in each sub-sentence.

        Returns:
            ``last_hidden_state``, (b, t, c).
        """
        hidden = self.embeddings(
            input_ids=input_ids, position_ids=position_ids, token_type_ids=token_type_ids
        )
        pairs = attention_mask if attention_mask.ndim == 3 else attention_mask[:, None, :]
        forbidden = torch.finfo(hidden.dtype).min * (~pairs.bool()).to(hidden.dtype)
        encoded = self.encoder(hidden, attention_mask=forbidden[:, None])
        return {"last_hidden_state": encoded[0]}


@contextmanager
def with_text_encoder(module: Any) -> Iterator[None]:
    """Let the package's network module use ``TextEncoder`` while the context is open.

    Its prints go nowhere meanwhile: stdout is for results.
    """
    with _BUILDING, redirect_stdout(io.StringIO()):
        before = module.BertModelWarper
        module.BertModelWarper = TextEncoder
        try:
            yield
        finally:
            module.BertModelWarper = before
