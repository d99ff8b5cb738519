"""Smooth fields from few numbers: uniform cubic B-splines over a picture.

S. Lee, G. Wolberg, S. Y. Shin, "Scattered data interpolation with multilevel B-splines", IEEE TVCG
1997: the basis (section 3.1) and the refinement of a control grid by which a coarse field is
carried to a grid of twice as many cells without any change (section 4). On a picture's whole
lattice the tensor product is two small matrix products.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float32

Controls = Float32[np.ndarray, "_ _ _"]
"""Control values: one plane a component, in it rows of three more than there are cells."""

Planes = Float32[np.ndarray, "_ _ _"]
"""A field, one plane a component: the order in which matrix products are quick."""

Basis = Float32[np.ndarray, "_ _"]
"""What each control adds at each pixel of a row or a column."""

OVERHANG = 3
"""A cubic's support covers four controls: so many more than cells are needed."""


def basis(pixels: int, cells: int, *, derivative: int = 0) -> Basis:
    """Return the cubic basis on a row of pixels.

    Args:
        pixels: How many; the row reaches from border to border of them.
        cells: How many equal stretches the row is cut into.
        derivative: 0 for the basis, 1 or 2 for its derivatives by pixels.
    """
    at = (np.arange(pixels) + 0.5) / pixels * cells
    cell = np.minimum(at.astype(int), cells - 1)
    t = at - cell
    one = np.ones_like(t)
    if derivative == 0:
        values = [(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3]
    elif derivative == 1:
        values = [-3 * (1 - t) ** 2, 9 * t**2 - 12 * t, -9 * t**2 + 6 * t + 3, 3 * t**2]
    else:
        values = [6 * (1 - t), 18 * t - 12 * one, -18 * t + 6 * one, 6 * t]
    made = np.zeros((pixels, cells + OVERHANG))
    for corner, value in enumerate(values):
        made[np.arange(pixels), cell + corner] = value / 6
    return np.asarray(made * (cells / pixels) ** derivative, np.float32)


@dataclass(frozen=True, kw_only=True)
class SplineGrid:
    """The lattice of a picture and the cells laid over it.

    Attributes:
        size: Width and height of the picture.
        cells: Cells across and down.
    """

    size: tuple[int, int]
    cells: tuple[int, int]

    @classmethod
    def over(cls, size: tuple[int, int], longest: int) -> SplineGrid:
        """Lay nearly square cells over a picture, ``longest`` of them along its longer side."""
        most = max(size)
        across, down = (max(1, round(longest * side / most)) for side in size)
        return cls(size=size, cells=(across, down))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of controls."""
        return self.cells[1] + OVERHANG, self.cells[0] + OVERHANG

    def finer(self) -> SplineGrid:
        """Return the grid of twice as many cells a side."""
        return SplineGrid(size=self.size, cells=(2 * self.cells[0], 2 * self.cells[1]))

    def bases(self, derivatives: tuple[int, int] = (0, 0)) -> tuple[Basis, Basis]:
        """Return the bases down and across; ``derivatives`` are by y and by x."""
        return (
            _kept_basis(self.size[1], self.cells[1], derivatives[0]),
            _kept_basis(self.size[0], self.cells[0], derivatives[1]),
        )

    def field(self, controls: Controls) -> Planes:
        """Return the field at each pixel."""
        down, across = self.bases()
        return np.asarray(down @ controls @ across.T)

    def gathered(self, values: Planes) -> Controls:
        """Return what ``field`` is the transpose of: each control's share of each pixel, summed."""
        down, across = self.bases()
        return np.asarray(down.T @ values @ across)

    def gathered_squares(self, values: Planes) -> Controls:
        """Return the same for squared shares: the diagonal of a weighted normal matrix."""
        down, across = self.bases()
        return np.asarray((down**2).T @ values @ across**2)


@lru_cache(maxsize=64)
def _kept_basis(pixels: int, cells: int, derivative: int) -> Basis:
    made = basis(pixels, cells, derivative=derivative)
    made.setflags(write=False)
    return made


def refined(controls: Controls) -> Controls:
    """Return the controls of the same field on a grid of twice as many cells a side."""
    return _refined_rows(_refined_rows(controls).swapaxes(1, 2)).swapaxes(1, 2).copy()


def _refined_rows(controls: Controls) -> Controls:
    """Lane and Riesenfeld's rule for cubics: averages by (1, 1)/2 and (1, 6, 1)/8."""
    between = (controls[:, :-1] + controls[:, 1:]) / 2
    at = (controls[:, :-2] + 6 * controls[:, 1:-1] + controls[:, 2:]) / 8
    planes, rows, columns = between.shape
    made = np.empty((planes, rows + at.shape[1], columns), np.float32)
    made[:, 0::2], made[:, 1::2] = between, at
    return made


class Smoothness:
    """How rough a spline field is: the sum over pixels of its squared derivatives.

    Of the first ones (it should move things alike) and of the second ones (it should not bend).
    """

    def __init__(self, over: SplineGrid, *, first: float, second: float) -> None:
        """Prepare for a grid and two weights; ``second`` counts in squares of a cell's side."""
        self._terms: list[tuple[Basis, Basis, float]] = []
        side = over.size[0] / over.cells[0]
        weighted = {(1, 0): first, (0, 1): first}
        bend = second * side**2
        weighted |= {(2, 0): bend, (0, 2): bend, (1, 1): 2 * bend}
        for derivatives, weight in weighted.items():
            down, across = over.bases(derivatives)
            self._terms.append((down.T @ down, across.T @ across, weight))

    def applied(self, controls: Controls) -> Controls:
        """Return half the gradient of the roughness by the controls."""
        total = np.zeros_like(controls)
        for down, across, weight in self._terms:
            total += np.float32(weight) * (down @ controls @ across)
        return total

    def diagonal(self) -> Float32[np.ndarray, "_ _"]:
        """Return the diagonal of the matrix that ``applied`` multiplies by."""
        total = sum(
            weight * np.outer(down.diagonal(), across.diagonal())
            for down, across, weight in self._terms
        )
        return np.asarray(total, np.float32)
