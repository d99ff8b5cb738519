"""One convention for places in a picture, and reading pictures at them.

Places are (x, y) in pixels, x first, with pixel *centres* at whole numbers: the middle of the top
left pixel is (0, 0), the picture's left border lies at x = -0.5. A *flow* or *displacement* field
holds for each pixel of a picture how far away, in the same pixels, its counterpart lies.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Shaped

Field = Float32[np.ndarray, "_ _ 2"]
"""(x, y) at each pixel of a picture: a place or a displacement, in pixels."""

_BORDERS = {"edge": cv2.BORDER_REPLICATE, "zero": cv2.BORDER_CONSTANT}
_FILTERS = {"nearest": cv2.INTER_NEAREST, "linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC}


def grid(size: tuple[int, int]) -> Field:
    """Return the place of each pixel of a picture of this width and height."""
    width, height = size
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return np.stack((x, y), axis=-1)


def sample(
    picture: Shaped[np.ndarray, "_ _ *c"],
    places: Field,
    *,
    border: str = "edge",
    filter: str = "linear",
) -> Shaped[np.ndarray, "_ _ *c"]:
    """Read a picture at places.

    Args:
        picture: uint8 or float32; what it is sampled to has the same type.
        places: Where, one for each pixel of the result.
        border: What lies outside: ``edge`` continues the border, ``zero`` is 0.
        filter: ``nearest``, ``linear`` or ``cubic``.
    """
    x = np.ascontiguousarray(places[..., 0])
    y = np.ascontiguousarray(places[..., 1])
    read = cv2.remap(picture, x, y, _FILTERS[filter], borderMode=_BORDERS[border])
    return np.asarray(read)


def warped(
    picture: Shaped[np.ndarray, "h w *c"],
    flow: Field,
    *,
    border: str = "edge",
    filter: str = "linear",
) -> Shaped[np.ndarray, "_ _ *c"]:
    """Bring a picture into the frame in which a flow starts: result(p) = picture(p + flow(p))."""
    height, width = flow.shape[:2]
    places = grid((width, height)) + flow
    return sample(picture, places, border=border, filter=filter)


def chained(first: Field, second: Field) -> Field:
    """Return the flow that follows ``first`` and then ``second``: f(p) + g(p + f(p))."""
    return np.asarray(first + warped(second, first), np.float32)


def resized_flow(flow: Field, size: tuple[int, int]) -> Field:
    """Bring a flow to another picture size: its places and, axis by axis, its units."""
    height, width = flow.shape[:2]
    if (width, height) == size:
        return flow
    scale = np.array([size[0] / width, size[1] / height], np.float32)
    made = cv2.resize(flow, size, interpolation=cv2.INTER_LINEAR) * scale
    return np.asarray(made, np.float32)


def inside(places: Field, size: tuple[int, int]) -> Bool[np.ndarray, "_ _"]:
    """Tell which places lie on a picture of this width and height."""
    x, y = places[..., 0], places[..., 1]
    return (x >= -0.5) & (y >= -0.5) & (x <= size[0] - 0.5) & (y <= size[1] - 0.5)


def fold_measure(places: Field) -> Float32[np.ndarray, "_ _"]:
    """Return the Jacobian determinant of a map from pixels to places, by forward differences.

    It is 1 for the identity; where it is 0 or less, the map folds, and what is painted tears.
    """
    right = np.diff(places, axis=1, append=places[:, -1:] * 2 - places[:, -2:-1])
    down = np.diff(places, axis=0, append=places[-1:] * 2 - places[-2:-1])
    return np.asarray(right[..., 0] * down[..., 1] - right[..., 1] * down[..., 0], dtype=np.float32)
