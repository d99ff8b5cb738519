"""Joining voted pixels so that no seam shows: a screened Poisson equation.

Votes for *differences* between neighbours come from patches that are whole in themselves, so they
hold no seam. The image nearest to them, tied loosely to the voted colours and exactly to the known
pixels, has none either (P. Bhat et al., "GradientShop", 2010; S. Darabi et al., "Image Melding",
2012).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float32

Planes = Float32[np.ndarray, "h w c"]

TIE = 0.008
"""Weight of the voted colours against their differences."""


def meld(
    colours: Planes,
    right: Planes,
    down: Planes,
    hole: Bool[np.ndarray, "h w"],
    *,
    tie: float = TIE,
    steps: int = 100,
) -> Planes:
    """Solve for the hole's pixels by conjugate gradients.

    Minimises the sum over neighbours of (I_q - I_p - d)^2, plus ``tie`` x (I - colours)^2 in the
    hole.

    Args:
        colours: Voted colours in the hole, the picture outside.
        right: Wanted difference from each pixel to its right neighbour.
        down: Wanted difference from each pixel to the one below.
        hole: Where to solve; everything else stays as it is.
        tie: Weight of the voted colours; the system's condition number is about 8 / tie.
        steps: Most iterations.

    Returns:
        The picture with the hole solved, not clipped.
    """
    inside = hole[..., None]
    # each pair of neighbours with at least one pixel in the hole is one equation
    pair_x = (hole[:, 1:] | hole[:, :-1])[..., None].astype(np.float32)
    pair_y = (hole[1:] | hole[:-1])[..., None].astype(np.float32)

    def adjoint(x: np.ndarray, y: np.ndarray) -> Planes:
        total = np.zeros_like(colours)
        total[:, 1:] += x
        total[:, :-1] -= x
        total[1:] += y
        total[:-1] -= y
        return np.where(inside, total, np.float32(0))

    def normal(z: Planes) -> Planes:
        spread = adjoint(pair_x * (z[:, 1:] - z[:, :-1]), pair_y * (z[1:] - z[:-1]))
        return np.asarray(spread + np.float32(tie) * z)

    wrong_x = pair_x * (right[:, :-1] - (colours[:, 1:] - colours[:, :-1]))
    wrong_y = pair_y * (down[:-1] - (colours[1:] - colours[:-1]))
    residual = adjoint(wrong_x, wrong_y)
    change = np.zeros_like(colours)
    direction = residual.copy()
    power = _per_channel(residual, residual)
    enough = 1e-6 * power + 1e-12
    for _ in range(steps):
        if (power <= enough).all():
            break
        applied = normal(direction)
        length = power / np.maximum(_per_channel(direction, applied), 1e-20)
        change += length * direction
        residual -= length * applied
        following = _per_channel(residual, residual)
        direction = residual + following / np.maximum(power, 1e-20) * direction
        power = following
    return np.where(inside, colours + change, colours).astype(np.float32)


def _per_channel(first: Planes, second: Planes) -> np.ndarray:
    return np.asarray(np.einsum("hwc,hwc->c", first, second))
