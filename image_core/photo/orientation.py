"""EXIF orientation: between the array as the file stores it and the picture as one sees it.

The eight values (Exif 2.32, tag 0x0112) are the symmetries of a rectangle: an optional
transposition followed by optional flips.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Shaped

UPRIGHT = 1
# orientation: (transpose, flip rows, flip columns), in that order, from stored to upright
_STEPS = {
    1: (False, False, False),
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}


def _flipped(array: np.ndarray, rows: bool, columns: bool) -> np.ndarray:
    return array[:: -1 if rows else 1, :: -1 if columns else 1]


def to_upright(
    stored: Shaped[np.ndarray, "h w *c"], orientation: int
) -> Shaped[np.ndarray, "h2 w2 *c"]:
    """Turn a stored array the way it is meant to be seen.

    Args:
        stored: The array in the file's order.
        orientation: The EXIF value, 1 to 8.

    Returns:
        A view; from 5 on height and width are exchanged.
    """
    transpose, rows, columns = _STEPS[orientation]
    return _flipped(stored.swapaxes(0, 1) if transpose else stored, rows, columns)


def to_stored(
    upright: Shaped[np.ndarray, "h w *c"], orientation: int
) -> Shaped[np.ndarray, "h2 w2 *c"]:
    """Undo ``to_upright``: exactly, and as a view."""
    transpose, rows, columns = _STEPS[orientation]
    flipped = _flipped(upright, rows, columns)
    return flipped.swapaxes(0, 1) if transpose else flipped
