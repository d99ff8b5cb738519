"""The picture from which several frames are read with least error: bilinear least squares.

Each frame's pixel is a bilinear mixture of four pixels of the wanted picture; the normal
equations of all of them couple a pixel with its eight neighbours only. So they are *summed* into
nine-point stencils, frame by frame: memory and time to solve don't depend on how many there are.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float32, Int64

from video.flow_types import Confidence
from video.warping import Field

Colours = Float32[np.ndarray, "_ _ 3"]

# which two of a cell's four corners (0 top left, 1 top right, 2 bottom left, 3 bottom right) meet
_COUPLED = ((0, 1), (2, 3), (0, 2), (1, 3), (0, 3), (1, 2))


class SplatSums:
    """The normal equations AᵀWA c = AᵀW f, summed over frames."""

    def __init__(self, size: tuple[int, int]) -> None:
        """Start with no frames, for a picture of this width and height."""
        width, height = size
        self._size = size
        count = height * width
        self._own = np.zeros(count)  # the matrix's diagonal
        self._coupling = np.zeros((len(_COUPLED), count))  # at the cell's top left corner
        self._right = np.zeros((3, count))
        self._seen = np.zeros(count)

    def add(self, frame: Colours, places: Field, weight: Confidence) -> None:
        """Add a frame.

        Args:
            frame: Its colours.
            places: Where each of its pixels lies in the picture; those outside count for nothing.
            weight: How much each pixel counts.
        """
        width, height = self._size
        cell, corners, kept = _corners(places, self._size)
        kept &= weight.reshape(-1) > 0
        cell, weights = cell[kept], weight.reshape(-1)[kept]
        corners = corners[:, kept]
        shifts = np.array([0, 1, width, width + 1])
        colours = frame.reshape(-1, 3)[kept].T
        count = height * width
        for corner in range(4):
            at, share = cell + shifts[corner], corners[corner]
            weighted = weights * share
            self._own += np.bincount(at, weighted * share, count)
            self._seen += np.bincount(at, weighted, count)
            for channel in range(3):
                self._right[channel] += np.bincount(at, weighted * colours[channel], count)
        for row, (first, second) in enumerate(_COUPLED):
            self._coupling[row] += np.bincount(
                cell, weights * corners[first] * corners[second], count
            )

    @property
    def coverage(self) -> Float32[np.ndarray, "h w"]:
        """The summed weight of the frames' pixels that fell on each pixel."""
        width, height = self._size
        return self._seen.reshape(height, width).astype(np.float32)

    def mean(self) -> Colours:
        """Return the mean of what fell on each pixel; 0 where nothing did."""
        width, height = self._size
        mean = self._right / np.maximum(self._seen, 1e-9)
        return np.asarray(mean.T.reshape(height, width, 3).astype(np.float32))

    def solved(self, prior: Colours, *, trust: float, iterations: int) -> Colours:
        """Return the picture, by preconditioned conjugate gradients.

        Args:
            prior: What it is where no frame tells, and where the iterations begin.
            trust: The prior's weight against one frame's pixel.
            iterations: How many; the residual falls about tenfold in each four.
        """
        width, height = self._size
        own = (self._own + trust).reshape(height, width, 1).astype(np.float32)
        coupling = self._coupling.reshape(-1, height, width, 1).astype(np.float32)
        right = self._right.T.reshape(height, width, 3).astype(np.float32)
        picture = prior.copy()
        left = right + np.float32(trust) * prior - _applied(own, coupling, picture)
        step = left / own
        direction = step.copy()
        size = _dot(left, step)
        for _ in range(iterations):
            image = _applied(own, coupling, direction)
            along = np.maximum(_dot(direction, image), 1e-20)
            length = (size / along).astype(np.float32)
            picture += length * direction
            left -= length * image
            step = left / own
            fresh = _dot(left, step)
            direction = step + (fresh / np.maximum(size, 1e-20)).astype(np.float32) * direction
            size = fresh
        return picture


def _dot(first: Colours, second: Colours) -> Float32[np.ndarray, " 3"]:
    product: Float32[np.ndarray, " 3"] = np.einsum("hwc,hwc->c", first, second)
    return product


def _applied(
    own: Float32[np.ndarray, "h w 1"],
    coupling: Float32[np.ndarray, "6 h w 1"],
    picture: Float32[np.ndarray, "h w 3"],
) -> Float32[np.ndarray, "h w 3"]:
    """Multiply by the stencils."""
    result = own * picture
    top, bottom, left, right = slice(None, -1), slice(1, None), slice(None, -1), slice(1, None)
    whole = slice(None)
    places = {
        (0, 1): ((whole, left), (whole, right), (whole, left)),
        (2, 3): ((bottom, left), (bottom, right), (top, left)),
        (0, 2): ((top, whole), (bottom, whole), (top, whole)),
        (1, 3): ((top, right), (bottom, right), (top, left)),
        (0, 3): ((top, left), (bottom, right), (top, left)),
        (1, 2): ((top, right), (bottom, left), (top, left)),
    }
    for row, pair in enumerate(_COUPLED):
        first, second, cell = places[pair]
        factor = coupling[row][cell]
        result[first] += factor * picture[second]
        result[second] += factor * picture[first]
    return np.asarray(result)


def _corners(
    places: Field, size: tuple[int, int]
) -> tuple[Int64[np.ndarray, " n"], Float32[np.ndarray, "4 n"], Bool[np.ndarray, " n"]]:
    """Return each place's cell, its four bilinear shares, and whether it lies on the picture."""
    width, height = size
    x, y = places[..., 0].reshape(-1), places[..., 1].reshape(-1)
    kept = (x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1)
    column = np.clip(np.floor(x), 0, width - 2)
    row = np.clip(np.floor(y), 0, height - 2)
    right, down = x - column, y - row
    shares = np.stack(
        ((1 - right) * (1 - down), right * (1 - down), (1 - right) * down, right * down)
    )
    cell = row.astype(np.int64) * width + column.astype(np.int64)
    return cell, np.asarray(shares, np.float32), np.asarray(kept)
