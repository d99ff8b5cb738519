"""A trained deformation field behind the seam of all deformations. Needs torch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, UInt8

from image_core.errors import InvalidInput
from video.deformation import CanonicalWindow, DenseDeformation
from video.flow_types import Confidence
from video.frames import Span
from video.hash_fields import Fields
from video.warping import Field, grid

_CHUNK = 2**15  # places at a time


@dataclass(frozen=True, kw_only=True)
class HashDeformation:
    """Where each pixel of each frame lies, asked of the field itself at any frame size.

    What a frame's time code is follows from the span that the field was trained on alone, so that
    a clip of which frames were dropped later still finds each frame in its place.

    Attributes:
        fields: Trained.
        opened: How far each level of the deformation's grid was open at the end.
        trust: Confidence of each pixel's place at the size of the fit, 255 = certain.
    """

    fields: Fields
    opened: tuple[float, ...]
    trust: UInt8[np.ndarray, "n h w"]

    @property
    def span(self) -> Span:
        """The frames for which it is defined."""
        return self.fields.extent.span

    @property
    def reference(self) -> int:
        """The frame that lies in the canonical picture as it is, where the field is anchored."""
        return self.fields.extent.reference

    @property
    def window(self) -> CanonicalWindow:
        """The canonical window at the size of the fit."""
        return self.fields.extent.window

    def places(self, index: int, size: tuple[int, int] | None = None) -> Field:
        """See ``video.deformation.Deformation.places``."""
        window = self.window if size is None else self.window.resized(size)
        return np.asarray(self._in_reference(index, window.frame) + window.origin)

    def confidence(self, index: int) -> Confidence:
        """See ``video.deformation.Deformation.confidence``."""
        return np.asarray(self.trust[self._row(index)] / np.float32(255), np.float32)

    def dense(self) -> DenseDeformation:
        """Return what needs no torch and no network any more, off by 1/64 pixel at most."""
        own = grid(self.window.frame)
        return DenseDeformation.of(
            {index: self._in_reference(index, self.window.frame) - own for index in self.span},
            {index: self.confidence(index) for index in self.span},
            span=self.span,
            reference=self.reference,
            window=self.window,
        )

    @torch.no_grad()
    def _in_reference(self, index: int, size: tuple[int, int]) -> Field:
        self._row(index)
        width, height = size
        sides: Float32[np.ndarray, " 2"] = np.array(size, np.float32)
        device = next(self.fields.parameters()).device
        opened = torch.tensor(self.opened, device=device)
        shares = torch.from_numpy((grid(size) + np.float32(0.5)) / sides).reshape(-1, 2)
        found = []
        for chunk in torch.split(shares.to(device), _CHUNK):
            frames = torch.full((len(chunk),), float(index), device=device)
            found.append(self.fields.deformation(chunk, frames, opened).cpu())
        places = torch.cat(found).numpy().reshape(height, width, 2)
        return np.asarray(places * sides - np.float32(0.5), np.float32)

    def _row(self, index: int) -> int:
        if index not in self.span:
            raise InvalidInput(
                f"frame {index} is not one of {self.span.start} to {self.span.stop - 1}",
                hint="Use the fit of the span that holds the frame.",
            )
        return index - self.span.start


@torch.no_grad()
def canonical_colours(fields: Fields, size: tuple[int, int]) -> Float32[np.ndarray, "h w 3"]:
    """Return the canonical field as a picture of this width and height, in [0, 1]."""
    width, height = size
    sides = np.array(size, np.float32)
    shares = torch.from_numpy((grid(size) + np.float32(0.5)) / sides).reshape(-1, 2)
    device = next(fields.parameters()).device
    chunks = torch.split(shares.to(device), _CHUNK)
    seen = [fields.canonical(chunk).clamp(0, 1).cpu() for chunk in chunks]
    return np.asarray(torch.cat(seen).numpy().reshape(height, width, 3), np.float32)
