"""Where an instruction network attends to the first and the last mark of its prompt.

Source: Li et al., ZONE, section 3.3; the released code keeps all maps of all layers and uses five
layers and two columns of them. Here the networks attend as ever, and only what is used is worked
out beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from image_core.diffusion.text import TextEncoders
from image_core.editors.zone.fused import BRANCHES
from image_core.editors.zone.rough import AttentionMaps
from image_core.errors import InvalidInput

_STRIDE = 4
"""Latent cells per cell of the layers used: the grid of H/32 by W/32 where a latent cell has 8
pixels, which is the coarsest grid on which Stable Diffusion attends on its way down and up."""


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A cross-attention layer.

    Attributes:
        name: In the UNet.
        module: diffusers' ``Attention``.
        stride: Latent cells per cell of its grid, along a side.
    """

    name: str
    module: Any
    stride: int


@dataclass(frozen=True, kw_only=True)
class LastMark:
    """Where a prompt ends.

    Attributes:
        column: Its last mark's place among the tokens, counted from 0.
        note: What the user should know; empty when the prompt fits.
    """

    column: int
    note: str = ""


def last_mark(text: TextEncoders, instruction: str) -> LastMark:
    """Find the end-of-text mark of an instruction; of one that is too long, the last place."""
    tokenizer = text.tokenizers[0]
    tokens = len(tokenizer(instruction, truncation=False)["input_ids"])
    cut = text.cut_off(instruction)
    return LastMark(
        column=min(tokens, int(tokenizer.model_max_length)) - 1,
        note=f"the instruction's end {cut!r} was cut off" if cut else "",
    )


def evidence_layers(unet: Any) -> list[Layer]:
    """Return the layers whose attention tells where an edit acts, in the order of their calls.

    Five in Stable Diffusion 1.5: those of the grid H/32 on the way down and up, not in the middle.
    Of a UNet without such a grid (a miniature), those of its coarsest one.

    Raises:
        InvalidInput: It attends to no text on its way down or up.
    """
    found = [*_attending(unet.down_blocks, "down_blocks", rising=True)]
    found += _attending(unet.up_blocks, "up_blocks", rising=False)
    if not found:
        raise InvalidInput(
            "the UNet has no cross-attention on its way down or up, so ZONE finds no region",
            hint="Give an InstructPix2Pix checkpoint, or the region itself: --mask.",
        )
    strides = {layer.stride for layer in found}
    stride = _STRIDE if _STRIDE in strides else max(strides)
    return [layer for layer in found if layer.stride == stride]


def columns(
    query: Float[Tensor, "b heads cells d"],
    key: Float[Tensor, "b heads tokens d"],
    scale: float,
    last: int,
) -> Float[Tensor, "b 2 cells"]:
    """Return two columns of softmax(Q K^T scale), averaged over heads: tokens 0 and ``last``."""
    logits = scale * query.float() @ key.float().transpose(-1, -2)
    total = logits.logsumexp(dim=-1)
    ends = [(logits[..., token] - total).exp().mean(dim=1) for token in (0, last)]
    return torch.stack(ends, dim=1)


@dataclass(kw_only=True)
class Capture:
    """Running means of what the layers attend to, over layers and steps.

    Rows come as ``fused.Given`` sends them, in one call of the UNet or in several. What a call
    saw counts once the call has come to its end, so that one which ran out of memory and is made
    anew counts once.

    Attributes:
        layers: Whose attention.
        grid: Their height and width in cells.
        jobs: Pictures in a batch.
        last: The column of the prompt's last mark.
        told: The rows that see the instruction are captured too.
        steps: How many times all rows have come.
    """

    layers: list[Layer]
    grid: tuple[int, int]
    jobs: int
    last: int
    told: bool = False
    steps: int = field(default=0, init=False)
    _sums: Tensor | None = field(default=None, init=False)
    _pending: dict[str, Tensor] = field(default_factory=dict, init=False)
    _rows: int = field(default=0, init=False)
    """Rows in the call under way."""
    _offset: int = field(default=0, init=False)
    """Rows of the present step that have come."""

    def untold(self) -> list[AttentionMaps]:
        """Return each picture's maps under the empty prompt, with and without the picture."""
        return self._maps((1, 2))

    def with_instruction(self) -> list[AttentionMaps]:
        """Return each picture's maps under the instruction.

        Raises:
            InvalidInput: They were not captured.
        """
        if not self.told:
            raise InvalidInput("the rows that see the instruction were not captured")
        return self._maps((0,))

    def saw(self, layer: Layer, hidden: Tensor, text: Tensor) -> None:
        """Take what a layer is given: ``(b, cells, c)`` states and ``(b, tokens, w)`` text."""
        cells = self.grid[0] * self.grid[1]
        if hidden.ndim != 3 or hidden.shape[1] != cells:
            raise InvalidInput(
                f"the layer {layer.name} has states {tuple(hidden.shape)}, not {cells} cells",
                hint="The capture was opened for latents of another size.",
            )
        self._rows = len(hidden)
        # rows are worth their product only if they are used; those with the text come first
        start = 0 if self.told else min(len(hidden), max(0, self.jobs - self._offset))
        self._pending[layer.name] = _columns_of(
            layer.module, hidden[start:], text[start:], self.last
        )

    def ended(self) -> None:
        """Count the call that has come to its end."""
        if len(self._pending) == len(self.layers):
            seen = torch.stack(list(self._pending.values())).mean(dim=0)
            if self._sums is None:
                self._sums = seen.new_zeros(BRANCHES * self.jobs, *seen.shape[1:])
            end = self._offset + self._rows
            self._sums[end - len(seen) : end] += seen
            self._offset = end % len(self._sums)
            self.steps += self._offset == 0
        self._pending.clear()

    def _maps(self, branches: tuple[int, ...]) -> list[AttentionMaps]:
        if self._sums is None or self.steps == 0:
            raise InvalidInput("no step has been captured")
        sums = self._sums.reshape(BRANCHES, self.jobs, 2, *self.grid)
        maps = (sums[list(branches)].mean(dim=0) / self.steps).cpu().numpy()
        return [AttentionMaps(first=first, last=last) for first, last in maps]


@contextmanager
def captured(
    unet: Any, *, size: tuple[int, int], jobs: int, last: int, told: bool = False
) -> Iterator[Capture]:
    """Capture attention while the context is open; what the UNet gives stays the same.

    On any exit the layers' processors are what they were.

    Args:
        unet: diffusers' ``UNet2DConditionModel``; its layers are looked at by diffusers'
            processors, since a compiled network passes over hooks on its inner modules.
        size: Height and width of the latents.
        jobs: Pictures in a batch.
        last: The column of the prompt's last mark, from ``last_mark``.
        told: Capture the rows that see the instruction too.
    """
    layers = evidence_layers(unet)
    # every halving of a UNet rounds up, and so does the whole of them
    rows, across = (-(-side // layers[0].stride) for side in size)
    capture = Capture(layers=layers, grid=(rows, across), jobs=jobs, last=last, told=told)
    before = [layer.module.processor for layer in layers]
    hook = unet.register_forward_hook(lambda *_: capture.ended())
    try:
        for layer, inner in zip(layers, before, strict=True):
            layer.module.set_processor(_Looking(layer=layer, inner=inner, capture=capture))
        yield capture
    finally:
        hook.remove()
        for layer, inner in zip(layers, before, strict=True):
            layer.module.set_processor(inner)


@dataclass(frozen=True, kw_only=True)
class _Looking:
    """A processor that shows a layer's input to a capture and leaves the work to another."""

    layer: Layer
    inner: Any
    capture: Capture

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor,
        *others: Any,
        **named: Any,
    ) -> Tensor:
        _look(self.capture, self.layer, hidden_states, encoder_hidden_states)
        attended: Tensor = self.inner(attn, hidden_states, encoder_hidden_states, *others, **named)
        return attended


@torch.compiler.disable  # type: ignore[untyped-decorator]  # torch has no types for it
def _look(capture: Capture, layer: Layer, hidden: Tensor, text: Tensor) -> None:
    """Show a layer's input to a capture, outside of what a compiler makes of the network."""
    with torch.no_grad():
        capture.saw(layer, hidden, text)


def _columns_of(attn: Any, hidden: Tensor, text: Tensor, last: int) -> Float[Tensor, "b 2 cells"]:
    """Return a layer's two columns, from its own projections."""
    if attn.norm_cross:
        text = attn.norm_encoder_hidden_states(text)
    query, key = (
        rows.unflatten(-1, (attn.heads, -1)).transpose(1, 2)
        for rows in (attn.to_q(hidden), attn.to_k(text))
    )
    if attn.norm_q is not None:
        query = attn.norm_q(query)
    if attn.norm_k is not None:
        key = attn.norm_k(key)
    return columns(query, key, query.shape[-1] ** -0.5, last)


def _attending(blocks: Any, name: str, *, rising: bool) -> Iterator[Layer]:
    """Yield the cross-attention of blocks; each halves or doubles the grid of the one before."""
    from diffusers.models.attention_processor import Attention

    for place, block in enumerate(blocks):
        stride = 2 ** (place if rising else len(blocks) - 1 - place)
        for inside, module in block.named_modules():
            if isinstance(module, Attention) and module.is_cross_attention:
                yield Layer(name=f"{name}.{place}.{inside}", module=module, stride=stride)
