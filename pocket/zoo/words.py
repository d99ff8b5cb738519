"""Tokenizers of the flat world's closed list of words, and the text encoder of the diffusers."""

from __future__ import annotations

import string
from typing import Any

import torch

from pocket.flat.words import WORDS
from pocket.zoo.fresh import draw_weights
from pocket.zoo.merges import END, learned_merges

LENGTH = 40
"""Tokens of a prompt, both marks included; the longest captions have 37."""
TEXT_WIDTH = 96
_LAYERS, _HEADS = 2, 4
_START, _STOP = "<|startoftext|>", "<|endoftext|>"
START_ID, STOP_ID = 0, 1

BERT_SIZE = 1040
_BERT_PLACES = {
    "[PAD]": 0,
    "[UNK]": 100,
    "[CLS]": 101,
    "[SEP]": 102,
    "[MASK]": 103,
    ".": 1012,
    "?": 1029,
}
_BERT_WORDS_FROM = 200


def clip_tokenizer() -> Any:
    """Return a ``CLIPTokenizer`` in which each of ``WORDS`` is one token.

    Other words fall into letters, other signs into the end mark, which is CLIP's unknown token.
    """
    from transformers import CLIPTokenizer

    merges = learned_merges(WORDS)
    letters = sorted(string.ascii_lowercase + string.digits + "!',-.:;?")
    parts = [*letters, *(letter + END for letter in letters)]
    parts += [one + other for one, other in merges]
    vocabulary = {
        part: number for number, part in enumerate(dict.fromkeys([_START, _STOP, *parts]))
    }
    make: Any = CLIPTokenizer  # its merges are typed as words, but taken as pairs
    return make(vocab=vocabulary, merges=list(merges), model_max_length=LENGTH)


def build_text_encoder(generator: torch.Generator) -> Any:
    """Return a ``CLIPTextModel`` for ``clip_tokenizer`` with fresh weights."""
    from transformers import CLIPTextConfig, CLIPTextModel

    encoder: Any = CLIPTextModel(CLIPTextConfig(**text_sizes(TEXT_WIDTH, _LAYERS, _HEADS)))
    draw_weights(encoder, generator)
    return encoder


def text_sizes(width: int, layers: int, heads: int) -> dict[str, Any]:
    """Return the settings of a CLIP text model that fits the tokenizer."""
    return {
        "vocab_size": len(clip_tokenizer()),
        "hidden_size": width,
        "intermediate_size": 2 * width,
        "projection_dim": width,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "max_position_embeddings": LENGTH,
        # without these the class looks for the ids of the published CLIP
        "bos_token_id": START_ID,
        "eos_token_id": STOP_ID,
        "pad_token_id": STOP_ID,
    }


def bert_tokenizer() -> Any:
    """Return a ``BertTokenizer`` of ``WORDS``.

    Grounding DINO knows the ids of [CLS], [SEP], "." and "?" by heart, so they keep BERT's places.
    """
    from transformers import BertTokenizer

    places = dict(_BERT_PLACES)
    places.update({word: _BERT_WORDS_FROM + k for k, word in enumerate(sorted(WORDS))})
    names = {place: word for word, place in places.items()}
    vocabulary = {names.get(k, f"[unused{k}]"): k for k in range(BERT_SIZE)}
    return BertTokenizer(vocab=vocabulary, do_lower_case=True)
