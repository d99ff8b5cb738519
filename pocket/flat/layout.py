"""Where objects lie: inside the picture, apart from each other, and on which side."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Float32, Float64

from pocket.flat.outlines import REACH
from pocket.flat.settings import SLOTS

SMALL, BIG = 0.30, 0.42
"""Radii, in half-widths of the picture."""
SPREAD = 0.04
"""Radii stray by up to this share."""
GAP = 0.09
"""Between two objects at least, in half-widths: about 3 pixels of 64."""
SIDE = 0.2
"""An object is on a side when its centre lies beyond this."""
TRIES = 48
"""Layouts that are drawn for a scene before its objects are made small and set apart."""

_BORDER = 0.03  # between an object and the border of the picture
_NEAREST = 0.2  # of a cell's object to the picture's middle lines
# of the layout that always fits: four small objects, 0.5 from the middle lines, straying by less
# than (1 - 2 SMALL (1 + SPREAD) REACH - GAP) / 2 = 0.08
_SURE, _STRAY = 0.5, 0.07
# the quarters of the picture
_QUARTERS = np.array([[-1, -1], [1, -1], [-1, 1], [1, 1]], dtype=np.float64)


def radii(
    big: Bool[np.ndarray, "*n"], stray: Float64[np.ndarray, "*n"]
) -> Float32[np.ndarray, "*n"]:
    """Return radii for size words; ``stray`` is in [0, 1)."""
    middle = np.where(big, BIG, SMALL)
    return np.asarray(middle * (1 + SPREAD * (2 * stray - 1)), dtype=np.float32)


def farthest(radius: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    """Return how far from the middle a centre may lie so that the object is inside the picture."""
    return np.asarray(1 - _BORDER - REACH * radius)


def place_objects(
    draws: Float64[np.ndarray, "n k"],
    present: Bool[np.ndarray, "n 4"],
    big: Bool[np.ndarray, "n 4"],
    stray: Float64[np.ndarray, "n 4"],
) -> tuple[Bool[np.ndarray, "n 4"], Float32[np.ndarray, "n 4"], Float32[np.ndarray, "n 4 2"]]:
    """Find a place for every object.

    Every second layout is drawn over the whole picture, the others with an object a quarter. The
    first that fits is taken; where none does, all objects become small and each gets a quarter.

    Args:
        draws: Numbers in [0, 1), ``draws_needed()`` of them a scene.
        present: Which slots hold an object.
        big: Sizes that are wished for.
        stray: Numbers in [0, 1) by which the radii stray.

    Returns:
        Sizes, radii and centres (x, y).
    """
    count = len(present)
    radius = radii(big, stray).astype(np.float64)
    order, rest = draws[:, :SLOTS], draws[:, SLOTS:]
    # each layout deals the quarters anew, since two big objects fit into opposite ones alone
    dealt = (np.arange(SLOTS) + np.arange(TRIES)[:, None] // 2) % SLOTS
    quarters = _QUARTERS[np.argsort(order, axis=1)][:, dealt]  # (n, TRIES, 4, 2)
    tries = rest.reshape(count, TRIES, SLOTS, 2)
    limit = farthest(radius)[:, None, :, None]
    anywhere = (2 * tries - 1) * limit
    # squared: towards the corners, where the others are far
    by_quarter = quarters * (limit - tries**2 * (limit - _NEAREST))
    odd = (np.arange(TRIES) % 2 == 1)[:, None, None]
    places = np.where(odd, by_quarter, anywhere)
    fits = _apart(places, radius[:, None], present[:, None])
    chosen = np.take_along_axis(places, fits.argmax(axis=1)[:, None, None, None], axis=1)[:, 0]
    fitting = fits.any(axis=1)[:, None]
    big = big & fitting
    sure = quarters[:, 0] * (_SURE + _STRAY * (2 * tries[:, 0] - 1))
    centres = np.where(fitting[..., None], chosen, sure)
    return big, radii(big, stray), centres.astype(np.float32)


def draws_needed() -> int:
    """Return how many numbers a scene's layout takes."""
    return SLOTS + TRIES * SLOTS * 2


def fits_beside(
    places: Float64[np.ndarray, "k 2"],
    radius: float,
    centres: Float[np.ndarray, "m 2"],
    others: Float[np.ndarray, " m"],
) -> Bool[np.ndarray, " k"]:
    """Tell at which places a new object stays apart from those that are there."""
    away = np.linalg.norm(places[:, None] - centres[None], axis=2)
    return np.asarray((away >= REACH * (radius + others) + GAP).all(axis=1))


def on_side(x: float, y: float, side: str) -> bool:
    """Tell whether a centre lies on a side of the picture: left, right, top or bottom."""
    along = {"left": -x, "right": x, "top": -y, "bottom": y}[side]
    return along > SIDE


def _apart(
    places: Float64[np.ndarray, "n k 4 2"],
    radius: Float64[np.ndarray, "n 1 4"],
    present: Bool[np.ndarray, "n 1 4"],
) -> Bool[np.ndarray, "n k"]:
    fits = np.ones(places.shape[:2], dtype=bool)
    for one in range(SLOTS):
        for other in range(one):
            away = np.linalg.norm(places[:, :, one] - places[:, :, other], axis=2)
            enough = away >= REACH * (radius[..., one] + radius[..., other]) + GAP
            fits &= enough | ~(present[..., one] & present[..., other])
    return fits
