"""Greedy generation with a library's model, and the exact count of the rows that it evaluates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from torch import Tensor, nn
from transformers import GenerationConfig

from image_core.evaluations import count

_KEPT = ("bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id")
_INPUTS = (
    "decoder_input_ids",
    "input_ids",
    "inputs_embeds",
    "pixel_values",
    "query_embeds",
    "hidden_states",
)


def be_greedy(model: Any) -> None:
    """Let a model always take its likeliest token.

    Published weights come with sampling temperatures and repetition penalties of their own, which
    ``generate`` would mix into what it is told; of those only the token ids are kept.
    """
    ids = {name: getattr(model.generation_config, name, None) for name in _KEPT}
    if ids["pad_token_id"] is None:
        end = ids["eos_token_id"]
        ids["pad_token_id"] = end[0] if isinstance(end, list) else end
    greedy: Any = GenerationConfig
    model.generation_config = greedy(do_sample=False, num_beams=1, **ids)


@contextmanager
def rows_counted(networks: Mapping[str, nn.Module]) -> Iterator[None]:
    """Count every forward call of some networks while the context is open.

    Args:
        networks: By the name under which their rows are counted.
    """
    with ExitStack() as hooks:
        for name, network in networks.items():
            handle = network.register_forward_pre_hook(_counter(name), with_kwargs=True)
            hooks.callback(handle.remove)
        yield


def _counter(name: str) -> Any:
    def note(_: nn.Module, positional: tuple[Any, ...], named: dict[str, Any]) -> None:
        inputs = [*(named.get(key) for key in _INPUTS), *positional]
        count(name, next(given.shape[0] for given in inputs if isinstance(given, Tensor)))

    return note
