"""From a sentence's token states to one vector; and the released code's rule over token places."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from jaxtyping import Float, Int64
from torch import Tensor

Pooling = Literal["mean", "max", "end"]

POOLINGS: tuple[Pooling, ...] = get_args(Pooling)
"""Simplest first."""


def pooled(
    hidden: Float[Tensor, "b tokens width"], lengths: Int64[Tensor, " b"], how: Pooling
) -> Float[Tensor, "b width"]:
    """Return one vector a sentence.

    Args:
        hidden: Token states.
        lengths: Tokens of each sentence with its start and end marks; at least 3.
        how: ``mean`` or ``max`` over the words, marks and padding left out; ``end`` takes the
            state at the end mark, which has seen all words.
    """
    if how == "end":
        return hidden[torch.arange(len(hidden)), lengths - 1]
    places = torch.arange(hidden.shape[1])
    words = ((places >= 1) & (places < lengths[:, None] - 1))[..., None]
    if how == "max":
        return hidden.masked_fill(~words, -torch.inf).amax(dim=1)
    return (hidden * words).sum(dim=1) / words.sum(dim=1)


def class_by_token_place(logits: Float[Tensor, "tokens classes"]) -> int:
    """Return the class that the released code chooses.

    Each class is found where along the tokens its logit is largest; the class that is found
    furthest on wins, the lower number on a tie. That is no comparison of classes with each other.

    Args:
        logits: Of all tokens, marks and padding included.
    """
    places = logits.detach().cpu().numpy().argmax(axis=0)  # the first of equal ones
    return int(places.argmax())
