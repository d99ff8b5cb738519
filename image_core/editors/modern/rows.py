"""Counting the rows that go through a pipeline's networks, at the calls themselves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch

from image_core.evaluations import count


@contextmanager
def counted(pipeline: Any) -> Iterator[None]:
    """Count every forward pass of the pipeline's networks while the context is open.

    A VAE that works in tiles counts a row a tile.
    """
    with ExitStack() as open_hooks:
        for name, network in _networks(pipeline):
            handle = network.register_forward_hook(_counter(name), with_kwargs=True)
            open_hooks.callback(handle.remove)
        yield


def _networks(pipeline: Any) -> Iterator[tuple[str, torch.nn.Module]]:
    """Yield networks by name; the VAE is called by its halves, not as a whole."""
    for name, part in pipeline.components.items():
        if not isinstance(part, torch.nn.Module):
            continue
        if name == "vae":
            yield "vae encoder", part.encoder  # type: ignore[misc]
            yield "vae decoder", part.decoder  # type: ignore[misc]
        elif name.startswith("text_encoder"):
            yield "text encoder", part
            eyes = getattr(getattr(part, "model", None), "visual", None)
            if isinstance(eyes, torch.nn.Module):
                yield "vision encoder", eyes
        else:
            yield name.replace("_", " "), part


def _counter(name: str) -> Any:
    def hook(module: Any, given: tuple[Any, ...], named: dict[str, Any], output: Any) -> None:
        del module, output
        count(name, _rows(given, named))

    return hook


def _rows(given: tuple[Any, ...], named: dict[str, Any]) -> int:
    """Return the batch size of a call; a vision tower gets its pictures joined, and their grids."""
    if "grid_thw" in named:
        return len(named["grid_thw"])
    first = next(value for value in (*given, *named.values()) if isinstance(value, torch.Tensor))
    return len(first)
