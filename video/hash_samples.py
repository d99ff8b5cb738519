"""A shot as tensors, and the samples of it that a step of training looks at. Needs torch.

Everything is kept as small as it was measured: colours and masks in bytes, motion in 16 bits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as functional
from jaxtyping import Bool, Float, Float16, Int, Shaped, UInt8
from torch import Tensor

from video.chains import Regions, chains, region_at, resized_mask
from video.flow_types import Confidence, Flows
from video.frames import Frames, Span
from video.warping import Field, resized_flow

_FULL = 255  # a weight or a trust of 1, in a byte


@dataclass(frozen=True, kw_only=True)
class Motion:
    """Where each pixel of each frame goes, and how far that is trusted.

    Attributes:
        flow: In pixels, x first.
        trust: 255 = certain.
    """

    flow: Float16[Tensor, "t h w 2"]
    trust: UInt8[Tensor, "t h w"]


@dataclass(frozen=True, kw_only=True)
class Group:
    """What is explained by one canonical picture.

    Attributes:
        weight: What each pixel counts in it, 255 = wholly.
        chain: To the reference frame; None where it is not wanted.
    """

    weight: UInt8[Tensor, "t h w"]
    chain: Motion | None


@dataclass(frozen=True, kw_only=True)
class Footage:
    """All that is trained on.

    Attributes:
        span: The frames, by the numbers that they have in the clip.
        colours: Of their pixels.
        groups: One, or foreground and background.
        ahead: To the next frame; without trust on the last.
        back: To the one before; without trust on the first.
        held_out: Pixels that are not trained on.
    """

    span: Span
    colours: UInt8[Tensor, "t h w 3"]
    groups: tuple[Group, ...]
    ahead: Motion
    back: Motion
    held_out: Bool[Tensor, "t h w"]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the frames."""
        return self.colours.shape[2], self.colours.shape[1]


def read_footage(
    frames: Frames,
    flows: Flows,
    span: Span,
    reference: int,
    *,
    regions: Regions | None = None,
    chained: bool,
    held_out: float,
    seed: int,
    device: torch.device,
) -> Footage:
    """Read a shot.

    Args:
        frames: The clip at the size of the fit.
        flows: Between its frames; they may be of another size.
        span: The shot.
        reference: Its reference frame.
        regions: The foreground's masks: then there are two groups, it and the rest.
        chained: Whether the chained flow to the reference frame is wanted.
        held_out: Share of the pixels that is not trained on.
        seed: Chooses them.
        device: Where it is kept.
    """
    size = frames.size
    shape = (len(span), size[1], size[0])
    colours = torch.empty((*shape, 3), dtype=torch.uint8)
    for row, index in enumerate(span):
        colours[row] = torch.from_numpy(frames.rgb(index))
    ahead, back = _Motions(shape), _Motions(shape)
    for row, index in enumerate(range(span.start, span.stop - 1)):
        pair = flows.pair(index)
        ahead.put(row, resized_flow(pair.forward, size), pair.forward_confidence)
        back.put(row + 1, resized_flow(pair.backward, size), pair.backward_confidence)
    parts = [None] if regions is None else [regions, _rest(regions, size)]
    groups = []
    for part in parts:
        weight = torch.full(shape, _FULL, dtype=torch.uint8)
        chain = _Motions(shape)
        if part is not None:
            for row, index in enumerate(span):
                weight[row] = _bytes(region_at(part, index, size))
        if chained:
            for index, link in chains(flows, span, reference, size=size, regions=part):
                chain.put(index - span.start, link.displacement, link.confidence)
        groups.append(Group(weight=weight.to(device), chain=chain.on(device) if chained else None))
    drawn = torch.rand(shape, generator=torch.Generator().manual_seed(seed))
    return Footage(
        span=span,
        colours=colours.to(device),
        groups=tuple(groups),
        ahead=ahead.on(device),
        back=back.on(device),
        held_out=(drawn < held_out).to(device),
    )


class _Motions:
    """Motion that is filled frame by frame."""

    def __init__(self, shape: tuple[int, int, int]) -> None:
        self._flow = torch.zeros((*shape, 2), dtype=torch.float16)
        self._trust = torch.zeros(shape, dtype=torch.uint8)

    def put(self, row: int, flow: Field, trust: Confidence) -> None:
        self._flow[row] = torch.from_numpy(flow).half()
        self._trust[row] = _bytes(resized_mask(trust, (flow.shape[1], flow.shape[0])))

    def on(self, device: torch.device) -> Motion:
        return Motion(flow=self._flow.to(device), trust=self._trust.to(device))


def _bytes(mask: Confidence | None) -> Tensor:
    assert mask is not None
    return torch.from_numpy(np.rint(np.clip(mask, 0, 1) * _FULL).astype(np.uint8))


def _rest(regions: Regions, size: tuple[int, int]) -> Regions:
    def rest(index: int) -> Confidence | None:
        mask = region_at(regions, index, size)
        assert mask is not None
        return 1 - mask

    return rest


@dataclass(frozen=True, kw_only=True)
class Samples:
    """Pixels that a step looks at: those of whole rectangles first, then scattered ones.

    Attributes:
        rows: The frame of each, counted from the span's start.
        pixels: The place of each in the list of a frame's pixels.
        rectangles: How many there are, and their height and width.
        width: Of the frames.
    """

    rows: Int[Tensor, " n"]
    pixels: Int[Tensor, " n"]
    rectangles: tuple[int, int, int]
    width: int

    def read(self, values: Shaped[Tensor, "t h w *c"]) -> Shaped[Tensor, " n *c"]:
        """Return what values of all frames' pixels are at the samples."""
        frames, height, width, *rest = values.shape
        index = self.rows * (height * width) + self.pixels
        return values.reshape(frames * height * width, *rest)[index]

    def centres(self) -> Float[Tensor, "n 2"]:
        """Return the samples' places in pixels, x first."""
        return torch.stack((self.pixels % self.width, self.pixels // self.width), dim=-1).float()

    def squares(self, values: Shaped[Tensor, " n *c"]) -> Shaped[Tensor, "p h w *c"]:
        """Return the rectangles' part of values at the samples."""
        count, height, width = self.rectangles
        return values[: count * height * width].view(*self.rectangles, *values.shape[1:])


class Sampler:
    """Draws samples from where a group is to be seen."""

    def __init__(self, group: Group, *, side: int | None, pixels: int | None, lone: float) -> None:
        """Find where the group is.

        Args:
            group: Of a footage.
            side: Of the patches; None for whole frames.
            pixels: How many samples a step has; None for one frame's.
            lone: Share of them that are scattered.
        """
        count, height, width = group.weight.shape
        self._size = (count, height, width)
        self._device = group.weight.device
        self._side = (height, width) if side is None else (min(side, height), min(side, width))
        area = self._side[0] * self._side[1]
        self._lone = 0 if pixels is None else round(pixels * lone)
        self._patches = 1 if pixels is None else max(1, (pixels - self._lone) // area)
        # the cells of the patches' size in which the group has any weight
        self._cells = functional.max_pool2d(
            group.weight.float()[:, None], self._side, stride=self._side, ceil_mode=True
        )[:, 0].nonzero()
        self._cells = self._cells.cpu()

    def draw(self, generator: torch.Generator, *, anywhere: float) -> Samples:
        """Draw samples.

        Args:
            generator: On the CPU, so that every device sees the same.
            anywhere: Share that is drawn without regard to the group.
        """
        (high, wide), width = self._side, self._size[2]
        rows, tops, lefts = self._corners(self._patches, self._side, generator, anywhere)
        across = torch.arange(high)[:, None] * width + torch.arange(wide)
        pixels = ((tops * width + lefts)[:, None, None] + across).reshape(-1)
        lone_rows, y, x = self._corners(self._lone, (1, 1), generator, anywhere)
        return Samples(
            rows=torch.cat((rows.repeat_interleave(high * wide), lone_rows)).to(self._device),
            pixels=torch.cat((pixels, y * width + x)).to(self._device),
            rectangles=(self._patches, high, wide),
            width=width,
        )

    def _corners(
        self, number: int, side: tuple[int, int], generator: torch.Generator, anywhere: float
    ) -> tuple[Int[Tensor, " p"], Int[Tensor, " p"], Int[Tensor, " p"]]:
        """Draw frames and top left corners of rectangles of this height and width."""
        count, height, width = self._size
        free = round(number * anywhere) if len(self._cells) else number
        chosen = torch.randint(max(len(self._cells), 1), (number - free,), generator=generator)
        cells = self._cells[chosen]
        drawn = torch.rand((number, 3), generator=generator)
        near, far = drawn[: len(cells)], drawn[len(cells) :]
        # scattered pixels lie in their cell; a rectangle of a cell's size begins half a side
        # around its corner
        corners = []
        for axis, whole in ((0, height), (1, width)):
            cell = self._side[axis]
            back = 0.0 if side[axis] == 1 else 0.5
            shift = ((near[:, axis + 1] - back) * cell).floor().long()
            within = cells[:, axis + 1] * cell + shift
            free_ones = (far[:, axis + 1] * (whole - side[axis] + 1)).long()
            corners.append(torch.cat((within, free_ones)).clamp(0, whole - side[axis]))
        rows = torch.cat((cells[:, 0], (far[:, 0] * count).long()))
        return rows, corners[0], corners[1]
