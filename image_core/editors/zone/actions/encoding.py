"""Sentences through a checkpoint's text encoder, the attention mask passed, in float32."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float32, Int64
from torch import Tensor

from image_core.devices import Placement
from image_core.diffusion.text import TextEncoders
from image_core.diffusion.variants import half_variant
from image_core.evaluations import count
from image_core.weights import folder_of, loaded

_BATCH = 32  # sentences at once: 77 tokens of CLIP-L's width then take some 30 MB a layer


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """Encoded sentences.

    Attributes:
        hidden: The encoder's last states, on the CPU.
        lengths: Tokens of each sentence, start and end marks included; the rest is padding.
    """

    hidden: Float32[Tensor, "b tokens width"]
    lengths: Int64[Tensor, " b"]


def load_text_encoder(model: str, placement: Placement) -> TextEncoders:
    """Load a checkpoint's first text encoder and its tokenizer, in float32.

    Args:
        model: A pipeline in diffusers' layout or a CLIP model, by catalogue name, hub id or folder.
        placement: Its device is used; the precision is not, since training takes seconds.

    Raises:
        MissingWeights: It is not on this machine.
        InvalidInput: It holds no CLIP text encoder.
    """
    from transformers import CLIPTextModel, CLIPTokenizer

    folder = folder_of(model)
    pipeline = (folder / "model_index.json").is_file()
    where = {"subfolder": "text_encoder"} if pipeline else {}
    variant = half_variant(folder / "text_encoder") if pipeline else {}
    encoder = loaded(CLIPTextModel, folder, dtype=torch.float32, **where, **variant)
    tokenizer = loaded(CLIPTokenizer, folder, **({"subfolder": "tokenizer"} if pipeline else {}))
    encoder = encoder.to(placement.device).eval().requires_grad_(False)
    return TextEncoders(tokenizers=[tokenizer], encoders=[encoder])


@torch.no_grad()
def encode_sentences(
    text: TextEncoders,
    sentences: Sequence[str],
    *,
    full: bool = False,
    tick: Callable[[float], None] = lambda _: None,
) -> Encoded:
    """Encode sentences by the first text encoder.

    Attention is causal, so that padding changes nothing before it; how much there is matters only
    to what reads the padding too.

    Args:
        text: The checkpoint's encoders.
        sentences: At least one; what is too long is cut off.
        full: Pad to the encoder's whole length (CLIP's 77), else to the longest sentence.
        tick: Told the done share after each batch.
    """
    tokenizer, encoder = text.tokenizers[0], text.encoders[0]
    tokens = tokenizer(
        list(sentences),
        padding="max_length" if full else True,
        max_length=tokenizer.model_max_length,
        truncation=True,
        return_tensors="pt",
    )
    hidden = []
    for start in range(0, len(sentences), _BATCH):
        some = slice(start, start + _BATCH)
        ids, mask = tokens.input_ids[some], tokens.attention_mask[some]
        count("text encoder", len(ids))
        states = encoder(
            input_ids=ids.to(encoder.device), attention_mask=mask.to(encoder.device)
        ).last_hidden_state
        hidden.append(states.float().cpu())
        tick(min(1.0, (start + _BATCH) / len(sentences)))
    return Encoded(hidden=torch.cat(hidden), lengths=tokens.attention_mask.sum(dim=1))
