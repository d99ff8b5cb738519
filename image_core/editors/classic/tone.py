"""Brightness, contrast, saturation and warmth, in perceptual lightness; black and white stay put.

Brightness and contrast are straight lines in the logit of OKLab lightness, ln(L / (1 - L)): they
never leave [0, 1], fix black and white, keep the order of lightness, and an amount is undone by its
negative.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float

from image_core.colour import linear_to_srgb, srgb_to_linear, srgb_to_oklab
from image_core.editors.classic.pixels import Pixels, change_oklab, map_pixels, oklab_in_gamut
from image_core.editors.classic.prepared import Piece, measured, reference_pixels, statistics_from
from image_core.editors.classic.statistics import count_colours
from image_core.errors import UnsupportedEdit
from image_core.types import EditBatch, EditStep, Image

OPERATIONS = ("brightness", "contrast", "saturation", "warmth")

_BRIGHTNESS = 0.65
"""Logit shift of one dose: L 0.5 becomes 0.66."""
_CONTRAST = 1.35
_SATURATION = 1.6
_WARMTH = 0.16


@dataclass(frozen=True, kw_only=True)
class MeanLightness:
    """The mean OKLab lightness of the reference regions."""

    lightness: float


@dataclass(frozen=True, kw_only=True)
class Tone:
    """Changes one property of tone by a signed amount (seam ``Operator``).

    Attributes:
        operation: One of ``OPERATIONS``.
        amount: Signed; 1 is the usual dose.
        statistics: The lightness about which contrast turns, once measured.
    """

    operation: str
    amount: float
    statistics: MeanLightness | None = None

    name: ClassVar[str] = "tone"
    pointwise: ClassVar[bool] = True
    scales_itself: ClassVar[bool] = False

    def margin(self, picture_size: float) -> int:
        """See nothing beyond the region."""
        del picture_size
        return 0

    def measured_on(self, reference: Iterable[EditBatch]) -> Tone:
        """Return the same with the statistics of the reference regions."""
        count = count_colours(reference_pixels(reference))
        if count.weight.size == 0:
            return self
        mean = float((count.weight * count.lab[:, 0]).sum() / count.weight.sum())
        return replace(self, statistics=MeanLightness(lightness=mean))

    def restored(self, state: Mapping[str, Any] | None) -> Tone:
        """Return the same with saved statistics."""
        return replace(self, statistics=statistics_from(MeanLightness, state))

    def apply(self, piece: Piece) -> tuple[Image, tuple[str, ...]]:
        """Change a piece's tone."""
        mean = measured(self.statistics, self.name).lightness
        if self.operation == "warmth":
            return map_pixels(piece, lambda rgb, _rows, _here: self._warmer(rgb)), ()

        def change(lab: Pixels) -> Pixels:
            if self.operation == "saturation":
                return np.concatenate(
                    [lab[:, :1], lab[:, 1:] * np.float32(_SATURATION**self.amount)], axis=1
                )
            if self.operation == "brightness":
                lightness = logit_line(lab[:, 0], shift=_BRIGHTNESS * self.amount)
            else:
                lightness = logit_line(lab[:, 0], gain=_CONTRAST**self.amount, about=mean)
            # chroma goes with lightness as it does when the lamp is turned up or down
            ratio = np.clip(lightness / np.maximum(lab[:, 0], 0.02), 0, 1.6)[:, None]
            return np.concatenate([lightness[:, None], lab[:, 1:] * ratio], axis=1)

        return change_oklab(piece, change), ()

    def _warmer(self, rgb: Pixels) -> Pixels:
        """Balance red against blue in linear light; lightness stays."""
        step = _WARMTH * self.amount
        gains = np.exp(np.array([step, 0.12 * step, -1.2 * step], np.float32))
        warmed = srgb_to_oklab(linear_to_srgb(srgb_to_linear(rgb) * gains))
        lightness = srgb_to_oklab(rgb)[:, :1]
        scale = lightness / np.maximum(warmed[:, :1], 1e-4)
        return oklab_in_gamut(np.concatenate([lightness, warmed[:, 1:] * scale], axis=1))


def tone_for(step: EditStep) -> Tone:
    """Read a tone step.

    Raises:
        UnsupportedEdit: The operation is none of ``OPERATIONS``.
    """
    operation = step.operation or "brightness"
    if operation not in OPERATIONS:
        raise UnsupportedEdit(
            f"the classic editor has no tone operation {operation!r}",
            hint=f"It has {', '.join(OPERATIONS)}.",
        )
    return Tone(operation=operation, amount=float(np.clip(step.amount, -5, 5)))


def logit_line(
    lightness: Float[np.ndarray, " n"], *, shift: float = 0.0, gain: float = 1.0, about: float = 0.5
) -> Float[np.ndarray, " n"]:
    """Move lightness along a line in its logit: ``gain`` about the point ``about``, then ``shift``.

    Returns:
        Values in [0, 1]; 0 and 1 stay what they are.
    """
    centre = float(np.clip(about, 0.02, 0.98))
    # exp of the logit line, which needs no logarithm and so holds at 0 and 1 too
    factor = np.exp(shift) * (centre / (1 - centre)) ** (1 - gain)
    up = factor * np.clip(lightness, 0, 1).astype(np.float64) ** gain
    down = np.clip(1 - lightness, 0, 1).astype(np.float64) ** gain
    return np.asarray(up / (up + down), dtype=lightness.dtype)
