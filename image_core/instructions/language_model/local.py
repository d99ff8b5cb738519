"""A causal language model on this machine, asked through its tokenizer's chat template."""

from __future__ import annotations

from typing import Any

import torch
from jinja2.exceptions import TemplateError
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    StoppingCriteria,
    StoppingCriteriaList,
)

from image_core.devices import Placement
from image_core.instructions.language_model.failures import NoAnswerError
from image_core.instructions.language_model.greedy import be_greedy, rows_counted
from image_core.instructions.language_model.prompt import OPENING, Message
from image_core.weights import folder_of, loaded


class LocalSpeaker:
    """Answers with a local model; loaded once, deterministic."""

    def __init__(self, model: str, *, place: Placement, max_tokens: int) -> None:
        """Load tokenizer and weights.

        Args:
            model: Hub id or folder.
            place: Device and precision.
            max_tokens: Most tokens of one answer.

        Raises:
            MissingWeights: They are not on this machine.
            InvalidInput: The folder holds no causal language model.
        """
        folder = folder_of(model)
        self._tokenizer = loaded(AutoTokenizer, folder)
        self._model = loaded(AutoModelForCausalLM, folder, dtype=place.dtype)
        self._model.to(place.device).eval()
        be_greedy(self._model)
        self._max_tokens = max_tokens

    def ask(self, messages: list[Message]) -> str:
        """Return the model's answer, which begins with ``OPENING``.

        Raises:
            NoAnswerError: The conversation is longer than the model reads, or memory ran out.
        """
        prompt = self._encoded(messages).to(self._model.device)
        length = prompt["input_ids"].shape[1]
        window = getattr(self._model.config, "max_position_embeddings", None)
        if window is not None and length + self._max_tokens > window:
            raise NoAnswerError(
                f"reads {window} tokens, and {length} of prompt with {self._max_tokens} of answer "
                "are more"
            )
        stop = StoppingCriteriaList([_ObjectEnds(self._tokenizer, length)])
        try:
            with torch.inference_mode(), rows_counted({"language model": self._model}):
                output = self._model.generate(
                    **prompt, max_new_tokens=self._max_tokens, stopping_criteria=stop
                )
        except torch.OutOfMemoryError:
            raise NoAnswerError("ran out of memory") from None
        return OPENING + _decoded(self._tokenizer, output[0, length:])

    def _encoded(self, messages: list[Message]) -> Any:
        text, templated = _rendered(self._tokenizer, messages)
        return self._tokenizer(
            text + OPENING,
            add_special_tokens=not templated,  # a template writes its own
            return_tensors="pt",
            return_token_type_ids=False,
        )


def _rendered(tokenizer: Any, messages: list[Message]) -> tuple[str, bool]:
    """Return the conversation as text, and whether the tokenizer's template made it."""
    if not tokenizer.chat_template:
        turns = [f"### {message['role']}\n{message['content']}\n\n" for message in messages]
        return "".join([*turns, "### assistant\n"]), False
    try:
        return _by_template(tokenizer, messages), True
    except TemplateError:  # some templates know no system turn
        first, second, *rest = messages
        joined = Message(role="user", content=f"{first['content']}\n\n{second['content']}")
        return _by_template(tokenizer, [joined, *rest]), True


def _by_template(tokenizer: Any, messages: list[Message]) -> str:
    rendered = tokenizer.apply_chat_template(
        messages,
        tokenize=False,
        add_generation_prompt=True,
        enable_thinking=False,  # a variable of reasoning models' templates; others ignore it
    )
    assert isinstance(rendered, str)
    return rendered


class _ObjectEnds(StoppingCriteria):
    """Stops when the object begun by ``OPENING`` is closed."""

    def __init__(self, tokenizer: Any, prompt_length: int) -> None:
        self._tokenizer = tokenizer
        self._prompt_length = prompt_length

    def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:
        """Tell of the one row whether it is done."""
        answer = input_ids[0, self._prompt_length :]
        done = "}" in _decoded(self._tokenizer, answer[-1:]) and is_closed(
            OPENING + _decoded(self._tokenizer, answer)
        )
        return torch.full((1,), done, dtype=torch.bool, device=input_ids.device)


def is_closed(text: str) -> bool:
    """Tell whether the first JSON object or list in a text has ended."""
    depth, quoted, escaped = 0, False, False
    for mark in text:
        if escaped:
            escaped = False
        elif quoted:
            quoted, escaped = mark != '"', mark == "\\"
        elif mark == '"':
            quoted = True
        elif mark in "{[":
            depth += 1
        elif mark in "}]":
            depth -= 1
            if depth <= 0:
                return True
    return False


def _decoded(tokenizer: Any, tokens: Any) -> str:
    text = tokenizer.decode(tokens, skip_special_tokens=True)
    assert isinstance(text, str)
    return text
