"""A text encoder of miniature size in which every word is one token, as in CLIP's own.

Its weights are random: words are told apart, but it knows nothing of what they mean.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch

from image_core.diffusion.text import TextEncoders
from image_core.editors.zone.actions.sentences import (
    hard_sentences,
    plain_sentences,
    training_sentences,
)

LENGTH = 77
_END = "</w>"  # what marks a word's last letter


def word_text_encoder(*, width: int = 64, seed: int = 0) -> TextEncoders:
    """Return random encoders that know all words of the generated and the hard sentences."""
    from transformers import CLIPTextConfig, CLIPTextModel

    tokenizer = _tokenizer()
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=2 * width,
        projection_dim=width,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=LENGTH,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )
    torch.manual_seed(seed)
    model: Any = CLIPTextModel(config)
    for name, parameter in model.named_parameters():
        if parameter.ndim > 1:
            places = "position" in name
            torch.nn.init.normal_(parameter, std=0.1 if places else width**-0.5)
    with torch.no_grad():
        table = next(p for n, p in model.named_parameters() if "token_embedding" in n)
        table.normal_()
    return TextEncoders(tokenizers=[tokenizer], encoders=[model.eval().requires_grad_(False)])


def write_word_text_encoder(folder: Path, *, width: int = 64, seed: int = 0) -> Path:
    """Write such an encoder as a CLIP text model with its tokenizer, and return the folder."""
    text = word_text_encoder(width=width, seed=seed)
    text.encoders[0].save_pretrained(folder)
    text.tokenizers[0].save_pretrained(folder)
    return folder


def _tokenizer() -> Any:
    from transformers import CLIPTokenizer

    texts = [*training_sentences(), *plain_sentences(), *hard_sentences()]
    words = {word for one in texts for word in re.findall("[a-z]+", one.text.lower())}
    merges = _merges(sorted(words, key=lambda word: (len(word), word)))
    letters = sorted("abcdefghijklmnopqrstuvwxyz0123456789!',-.:;?")
    parts = [*letters, *(letter + _END for letter in letters)]
    parts += [one + other for one, other in merges]
    marks = ["<|startoftext|>", "<|endoftext|>"]
    vocabulary = {part: k for k, part in enumerate(dict.fromkeys([*marks, *parts]))}
    make: Any = CLIPTokenizer  # its merges are typed as words, but taken as pairs
    return make(vocab=vocabulary, merges=list(merges), model_max_length=LENGTH)


def _merges(words: Sequence[str]) -> dict[tuple[str, str], int]:
    """Return pairs by rank under which byte pair encoding makes one token of every word.

    What the pairs so far leave of a word is joined from the left by new ones. They rank last, so
    that words before stay whole.
    """
    ranks: dict[tuple[str, str], int] = {}
    for word in words:
        parts = [*word[:-1], word[-1] + _END]
        while len(parts) > 1:
            pairs = list(pairwise(parts))
            at = min(range(len(pairs)), key=lambda k: (ranks.get(pairs[k], len(ranks)), k))
            ranks.setdefault(pairs[at], len(ranks))
            parts[at : at + 2] = ["".join(pairs[at])]
    return ranks
