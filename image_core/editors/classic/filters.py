"""Blur, sharpen, pixelate, greyscale, sepia and invert, seeing only the region.

A blur of the background must not be lit by the thing in front of it, so all means are weighted by
the region's alpha (normalised convolution: Knutsson and Westin, 1993).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import cv2
import numpy as np
from jaxtyping import Float32

from image_core.compositing import bounding_box, support
from image_core.editors.classic.pixels import Pixels, change_oklab, grow, shrink
from image_core.editors.classic.prepared import Piece, measured, statistics_from
from image_core.errors import UnsupportedEdit
from image_core.types import EditBatch, EditStep, Image, Mask

OPERATIONS = ("blur", "sharpen", "pixelate", "grayscale", "sepia", "invert")

_CELLS = 10
"""Cells across a pixelated region: a face of that many cells is nobody's."""


@dataclass(frozen=True, kw_only=True)
class RegionSize:
    """How large the reference regions are.

    Attributes:
        region: Side of a square with the mean region's area, as a share of the picture's (0, 1].
    """

    region: float


@dataclass(frozen=True, kw_only=True)
class Filter:
    """One filter of a region (seam ``Operator``).

    Attributes:
        operation: One of ``OPERATIONS``.
        amount: 1 is the usual dose.
        size: Factor on the blur's width and the pixelation's cells.
        statistics: The size of the reference regions, once measured.
    """

    operation: str
    amount: float = 1.0
    size: float = 1.0
    statistics: RegionSize | None = None

    name: ClassVar[str] = "filter"
    pointwise: ClassVar[bool] = True

    @property
    def scales_itself(self) -> bool:
        """A half blur is a narrower one, not a sharp picture shining through a wide one."""
        return self.operation == "blur"

    def margin(self, picture_size: float) -> int:
        """See nothing beyond the region."""
        del picture_size
        return 0

    def measured_on(self, reference: Iterable[EditBatch]) -> Filter:
        """Return the same with the statistics of the reference regions."""
        shares = [
            float(np.sqrt(region.alpha.sum(dtype=np.float64) / region.alpha.size))
            for batch in reference
            for region in batch.regions
            if bounding_box(support(region.alpha)) is not None
        ]
        if not shares:
            return self
        return replace(self, statistics=RegionSize(region=float(np.mean(shares))))

    def restored(self, state: Mapping[str, Any] | None) -> Filter:
        """Return the same with saved statistics."""
        return replace(self, statistics=statistics_from(RegionSize, state))

    def apply(self, piece: Piece) -> tuple[Image, tuple[str, ...]]:
        """Filter a piece."""
        share = measured(self.statistics, self.name).region
        picture = piece.picture_size
        weight = np.where(piece.inside, np.maximum(piece.alpha, 1e-3), 0).astype(np.float32)
        if self.operation == "blur":
            sigma = self.size * self.amount * piece.strength * picture * (0.012 + 0.01 * share)
            return masked_blur(piece.image, weight, sigma), ()
        if self.operation == "sharpen":
            return self._sharpened(piece, weight), ()
        if self.operation == "pixelate":
            cell = round(self.size * self.amount * picture * share / _CELLS)
            return pixelated(piece.image, weight, max(2, cell), piece.origin), ()
        if self.operation == "invert":
            return (1 - piece.image).astype(np.float32), ()
        return change_oklab(piece, _sepia if self.operation == "sepia" else _gray), ()

    def _sharpened(self, piece: Piece, weight: Mask) -> Image:
        """Add luma detail (unsharp mask), held near the range around each pixel: no halos."""
        luma = piece.image @ np.array([0.2126, 0.7152, 0.0722], np.float32)
        sigma = max(0.7, 0.0018 * self.size * piece.picture_size)
        soft = masked_blur(np.repeat(luma[..., None], 3, axis=2), weight, sigma)[..., 0]
        side = 2 * max(1, round(sigma)) + 1
        kernel = np.ones((side, side), np.uint8)
        inside = weight > 0
        highest = cv2.dilate(np.where(inside, luma, np.float32(0)), kernel)
        lowest = cv2.erode(np.where(inside, luma, np.float32(1)), kernel)
        slack = np.float32(0.03)
        sharp = luma + np.float32(1.2 * self.amount) * (luma - soft)
        sharp = np.clip(sharp, lowest - slack, highest + slack)
        sharpened = np.clip(piece.image + (sharp - luma)[..., None], 0, 1)
        return np.asarray(sharpened, dtype=np.float32)


def filter_for(step: EditStep, *, size: float) -> Filter:
    """Read a filter step.

    Raises:
        UnsupportedEdit: The operation is none of ``OPERATIONS``, or its amount is not positive.
    """
    if step.operation not in OPERATIONS:
        raise UnsupportedEdit(
            f"the classic editor has no filter {step.operation!r}",
            hint=f"It has {', '.join(OPERATIONS)}.",
        )
    if step.amount <= 0:
        raise UnsupportedEdit(
            f"the classic editor cannot take a {step.operation} away ({step.amount:g})",
            hint="Give a positive amount, or ask for the opposite filter.",
        )
    return Filter(operation=step.operation, amount=min(step.amount, 10.0), size=size)


def masked_blur(
    image: Float32[np.ndarray, "h w 3"], weight: Mask, sigma: float
) -> Float32[np.ndarray, "h w 3"]:
    """Blur with a Gaussian of ``sigma`` pixels in which only weighted pixels take part.

    A wide blur is made on a smaller copy, which holds all that is left of it. Where no weight lies
    within reach the image stays as it is.
    """
    if sigma < 0.05:
        return image.copy()
    height, width = weight.shape
    factor = min(1.0, 6.0 / sigma)
    size = (max(1, round(height * factor)), max(1, round(width * factor)))
    top = shrink(image * weight[..., None], size)
    bottom = shrink(weight, size)
    small = sigma * factor
    top = cv2.GaussianBlur(top, (0, 0), small, borderType=cv2.BORDER_REFLECT)
    bottom = cv2.GaussianBlur(bottom, (0, 0), small, borderType=cv2.BORDER_REFLECT)
    top, bottom = grow(top, (height, width)), grow(bottom, (height, width))
    known = bottom > 1e-6
    blurred = top / np.where(known, bottom, 1)[..., None]
    return np.where(known[..., None], np.clip(blurred, 0, 1), image).astype(np.float32)


def pixelated(
    image: Float32[np.ndarray, "h w 3"], weight: Mask, cell: int, origin: tuple[int, int] = (0, 0)
) -> Float32[np.ndarray, "h w 3"]:
    """Give each cell of a grid, laid from the picture's corner, the weighted mean of its pixels."""
    height, width = weight.shape
    columns = (np.arange(width) + origin[0]) // cell
    rows = (np.arange(height) + origin[1]) // cell
    columns, rows = columns - columns[0], rows - rows[0]
    starts_x = np.flatnonzero(np.diff(columns, prepend=-1))
    starts_y = np.flatnonzero(np.diff(rows, prepend=-1))

    def cell_sums(plane: np.ndarray) -> np.ndarray:
        down = np.add.reduceat(plane.astype(np.float64), starts_y, axis=0)
        return np.asarray(np.add.reduceat(down, starts_x, axis=1))

    means = cell_sums(image * weight[..., None]) / np.maximum(cell_sums(weight), 1e-9)[..., None]
    return np.asarray(means[rows][:, columns], dtype=np.float32)


def _gray(lab: Pixels) -> Pixels:
    return np.stack([lab[:, 0], np.zeros_like(lab[:, 0]), np.zeros_like(lab[:, 0])], axis=1)


def _sepia(lab: Pixels) -> Pixels:
    """Tone lightness brown: hue 70 degrees, most of it in the middle."""
    chroma = np.float32(0.085) * np.sqrt(np.clip(4 * lab[:, 0] * (1 - lab[:, 0]), 0, 1))
    angle = np.radians(70)
    a, b = chroma * np.cos(angle), chroma * np.sin(angle)
    return np.asarray(np.stack([lab[:, 0], a, b], axis=1), dtype=np.float32)
