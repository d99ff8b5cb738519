"""Language models of half a megabyte to a few, of the libraries' own classes.

Their weights are random, so what they write is noise; ``write_taught_language_model`` makes
one that knows a few answers by heart.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import Qwen2Config, Qwen2ForCausalLM, Qwen2Tokenizer

from image_core.instructions.language_model.prompt import OPENING, Message, messages_for

_CONTROL = ["<|im_start|>", "<|im_end|>"]
_CHAT = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}"
    "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def write_language_model(folder: Path, *, seed: int = 0, chat: bool = True) -> Path:
    """Write a causal language model with random weights, and its tokenizer.

    Args:
        folder: Where to; made if it is not there.
        seed: Of the weights.
        chat: Give the tokenizer a chat template.

    Returns:
        The folder.
    """
    tokenizer = _tokenizer(_prompt_texts())
    tokenizer.chat_template = _CHAT if chat else None
    torch.manual_seed(seed)
    _qwen(tokenizer).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def write_taught_language_model(
    folder: Path, lessons: Sequence[tuple[list[Message], str]], *, seed: int = 0
) -> Path:
    """Write a language model that knows some answers by heart.

    Its body keeps random weights, wide enough for the state before each token of an answer to be
    like no other; the head is then the least-squares solution that names that token.

    Args:
        folder: Where to.
        lessons: A conversation and its answer, each; answers begin with ``OPENING``.
        seed: Of the body's weights.

    Returns:
        The folder.

    Raises:
        ValueError: An answer begins otherwise.
    """
    tokenizer = _tokenizer([*_prompt_texts(), *(answer for _, answer in lessons)])
    tokenizer.chat_template = _CHAT
    torch.manual_seed(seed)
    model = _qwen(tokenizer, width=384, spread=0.1, tied=False).eval()
    states, targets = [], []
    with torch.inference_mode():
        for lesson in lessons:
            tokens, length = _lesson(tokenizer, *lesson)
            states.append(model.model(tokens).last_hidden_state[0, -length - 1 : -1])
            targets.append(tokens[0, -length:])
        wanted = torch.nn.functional.one_hot(torch.cat(targets), len(tokenizer)).double()
        seen = torch.cat(states).double()
        # the wide form of ridge regression: fewer states than dimensions
        gram = seen @ seen.T + 1e-6 * torch.eye(len(seen), dtype=torch.float64)
        head = torch.linalg.solve(gram, wanted).T @ seen
        model.lm_head.weight.copy_(head.float())
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _lesson(tokenizer: Any, messages: list[Message], answer: str) -> tuple[Any, int]:
    """Return a whole conversation as tokens, and how many of them are the answer."""
    if not answer.startswith(OPENING):
        raise ValueError(f"the answer does not begin with {OPENING}")
    prompt = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    before = tokenizer(prompt + OPENING, add_special_tokens=False)["input_ids"]
    after = tokenizer(answer[len(OPENING) :] + "<|im_end|>", add_special_tokens=False)["input_ids"]
    return torch.tensor([before + after]), len(after)


def _qwen(tokenizer: Any, *, width: int = 64, spread: float = 0.02, tied: bool = True) -> Any:
    config = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=16384,
        tie_word_embeddings=tied,
        initializer_range=spread,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return Qwen2ForCausalLM(config)


def _tokenizer(texts: Sequence[str]) -> Any:
    """Make Qwen2's byte-level tokenizer with a small vocabulary learnt from some texts."""
    empty: Any = Qwen2Tokenizer(vocab={"<|endoftext|>": 0}, merges=[])
    tokenizer = empty.train_new_from_iterator(
        texts, vocab_size=1200, new_special_tokens=_CONTROL, show_progress=False
    )
    tokenizer.eos_token = "<|im_end|>"
    return tokenizer


def _prompt_texts() -> list[str]:
    return [message["content"] for message in messages_for("", "")]
