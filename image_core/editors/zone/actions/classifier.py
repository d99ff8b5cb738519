"""A classifier of instructions: a text encoder, a way to pool its states, and the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from image_core.diffusion.text import TextEncoders
from image_core.editors.zone.actions.encoding import encode_sentences
from image_core.editors.zone.actions.labels import ACTIONS, Opinion
from image_core.editors.zone.actions.network import ActionNetwork
from image_core.editors.zone.actions.pooling import Pooling, class_by_token_place, pooled
from image_core.errors import InvalidInput

_MARKS = 2  # tokens of an empty sentence: start and end


@dataclass(frozen=True, kw_only=True)
class ActionClassifier:
    """Implements ``Classifier``.

    Attributes:
        text: Its first encoder is used.
        network: The weights.
        pooling: How a sentence becomes one vector; None reads all tokens by the released code's
            rule, which has no probabilities.
    """

    text: TextEncoders
    network: ActionNetwork
    pooling: Pooling | None

    def classify(self, instruction: str) -> Opinion:
        """Return its opinion on one instruction.

        Raises:
            InvalidInput: There is no word in it.
        """
        encoded = encode_sentences(self.text, [instruction], full=self.pooling is None)
        if int(encoded.lengths[0]) <= _MARKS:
            raise InvalidInput("the instruction is empty")
        if self.pooling is None:
            chosen = class_by_token_place(self.network.logits(encoded.hidden[0]))
            return Opinion(action=ACTIONS[chosen], probabilities=None)
        features = pooled(encoded.hidden, encoded.lengths, self.pooling)
        return opinions_from(self.network.logits(features))[0]


def opinions_from(logits: Float[Tensor, "n 3"]) -> Sequence[Opinion]:
    """Return an opinion for each row: the largest logit's action, and the softmax."""
    made = []
    for row in torch.softmax(logits, dim=-1).tolist():
        change, add, remove = (float(value) for value in row)
        best = ACTIONS[row.index(max(row))]
        made.append(Opinion(action=best, probabilities=(change, add, remove)))
    return made
