"""CoDeF's two fields: where a frame's places lie in the canonical picture, and its colours.

Places are shares of a picture's sides, x first: pixel centre i of n lies at (i + 0.5) / n, and so
do frames in time. So a field is defined at any picture size. Needs torch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from image_core.hash_grid import HashGrid, layout
from video.deformation import CanonicalWindow
from video.frames import Span
from video.hash_settings import GridShape, HashSettings

_FILLED_TO = 16  # inputs: without biases, ones fill a layer's input up to a multiple of this


@dataclass(frozen=True, kw_only=True)
class Extent:
    """What the fields span.

    Attributes:
        span: The frames, by the numbers that they have in the clip.
        reference: The frame that lies in the canonical picture as it is.
        window: The canonical picture at the size of the fit.
    """

    span: Span
    reference: int
    window: CanonicalWindow

    def time(self, frames: Tensor) -> Float[Tensor, "*n"]:
        """Return the time codes, in [0, 1], of frames given by number: the span's, always."""
        return (frames - self.span.start + 0.5) / len(self.span)

    def unit(self, places: Float[Tensor, "n 2"]) -> Float[Tensor, "n 2"]:
        """Bring places from shares of the reference frame to shares of the canonical picture."""
        frame, size, before = (
            places.new_tensor(value)
            for value in (
                self.window.frame,
                self.window.size,
                (self.window.left, self.window.top),
            )
        )
        return (places * frame + before) / size


class Network(nn.Module):
    """A multilayer perceptron with ReLU; hidden layers in bfloat16 on CUDA."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        layers: int,
        width: int,
        bias: bool,
        generator: torch.Generator,
    ) -> None:
        """Draw the weights, Xavier-uniform; biases begin at 0."""
        super().__init__()
        self.ones = 0 if bias else math.ceil(inputs / _FILLED_TO) * _FILLED_TO - inputs
        widths = [inputs + self.ones, *[width] * layers, outputs]
        self.layers = nn.ModuleList(
            nn.Linear(before, after, bias=bias) for before, after in pairwise(widths)
        )
        for layer in self.layers:
            assert isinstance(layer, nn.Linear)
            nn.init.xavier_uniform_(layer.weight, generator=generator)
            if bias:
                nn.init.zeros_(layer.bias)

    def forward(self, given: Float[Tensor, "n i"]) -> Float[Tensor, "n o"]:
        """Return the outputs, in float32."""
        if self.ones:
            given = torch.cat((given, given.new_ones(len(given), self.ones)), dim=1)
        first, *hidden, last = self.layers
        # the first and the last layer stay exact: they hold places to a fraction of a pixel
        values = torch.relu(first(given))
        if hidden:
            with torch.autocast(given.device.type, torch.bfloat16, given.device.type == "cuda"):
                for layer in hidden:
                    values = torch.relu(layer(values))
        out: Tensor = last(values.float() if values.dtype == torch.bfloat16 else values)
        return out

    def silence(self) -> None:
        """Let the output be 0 everywhere."""
        last = self.layers[-1]
        assert isinstance(last, nn.Linear)
        nn.init.zeros_(last.weight)


class CanonicalField(nn.Module):
    """The canonical picture as a function of the place."""

    def __init__(
        self, extent: Extent, settings: HashSettings, *, generator: torch.Generator
    ) -> None:
        """Draw a field."""
        super().__init__()
        self.grid = _grid(settings.canonical, extent.window.size, None, generator)
        self.network = Network(
            2 + self.grid.width,
            3,
            layers=settings.canonical_layers,
            width=settings.width,
            bias=settings.bias,
            generator=generator,
        )

    def forward(self, places: Float[Tensor, "n 2"]) -> Float[Tensor, "n 3"]:
        """Return colours, about [0, 1], at shares of the canonical picture.

        Beyond it, its border is read; ``losses.beyond_window`` pulls places back.
        """
        within = places.clamp(0, 1)
        colours: Tensor = self.network(torch.cat((within, self.grid(within)), dim=1))
        return colours


class DeformationField(nn.Module):
    """How far each place of each frame is moved to come to the canonical picture."""

    def __init__(
        self, extent: Extent, settings: HashSettings, *, generator: torch.Generator
    ) -> None:
        """Draw a field; the identity, where the settings say so."""
        super().__init__()
        self.extent, self.reach, self.anchored = extent, settings.reach, settings.anchored
        self.grid = _grid(settings.deformation, extent.window.frame, len(extent.span), generator)
        self.network = Network(
            3 + self.grid.width,
            2,
            layers=settings.deformation_layers,
            width=settings.width,
            bias=settings.bias,
            generator=generator,
        )
        if settings.still_start:
            self.network.silence()

    def forward(
        self,
        places: Float[Tensor, "n 2"],
        frames: Float[Tensor, " n"],
        opened: Float[Tensor, " l"],
    ) -> Float[Tensor, "n 2"]:
        """Return where places of frames lie, in shares of the reference frame.

        Args:
            places: In shares of the frame; beyond [0, 1], the border's displacement is taken.
            frames: Their numbers in the clip.
            opened: How far each level of the grid is, as ``Annealing.weights`` says.
        """
        given = torch.cat((places, self.extent.time(frames)[:, None]), dim=1).clamp(0, 1)
        features = self.grid(given) * opened.repeat_interleave(self.grid.width // len(opened))
        moved: Tensor = self.network(torch.cat((given, features), dim=1)) * self.reach
        if self.anchored:
            moved = moved * (frames != self.extent.reference)[:, None]
        return places + moved


class Fields(nn.Module):
    """One group's two fields."""

    def __init__(
        self, extent: Extent, settings: HashSettings, *, generator: torch.Generator
    ) -> None:
        """Draw both."""
        super().__init__()
        self.extent = extent
        self.deformation = DeformationField(extent, settings, generator=generator)
        self.canonical = CanonicalField(extent, settings, generator=generator)

    def forward(
        self,
        places: Float[Tensor, "n 2"],
        frames: Float[Tensor, " n"],
        opened: Float[Tensor, " l"],
    ) -> tuple[Float[Tensor, "n 2"], Float[Tensor, "n 3"]]:
        """Return where places lie in shares of the reference frame, and their colours there."""
        found = self.deformation(places, frames, opened)
        return found, self.canonical(self.extent.unit(found))


def _grid(
    shape: GridShape, size: tuple[int, int], frames: int | None, generator: torch.Generator
) -> HashGrid:
    resolutions = shape.resolutions(size, frames)
    levels = layout(resolutions, log2_size=shape.log2_size, shift=shape.shift)
    return HashGrid(levels, features=shape.features, generator=generator)
