"""A frame's own samples, plane by plane, and the same samples upright, unshared or repacked."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Shaped

from video.plane_formats import PlaneFormat

Plane = Shaped[np.ndarray, "_ _"]
"""uint8 or uint16 samples, one component."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Planes:
    """One frame in the source's own format.

    Attributes:
        format: What the arrays are.
        arrays: (height, width) each: y, u, v; r, g, b; or grey; then the opacity, if any. Chroma
            is coarser, by ``format.sx`` and ``format.sy``, rounded up.
    """

    format: PlaneFormat
    arrays: tuple[Plane, ...]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        height, width = self.arrays[0].shape
        return width, height

    def equals(self, other: Planes) -> bool:
        """Tell whether format and all samples are the same."""
        return self.format == other.format and all(
            np.array_equal(mine, yours)
            for mine, yours in zip(self.arrays, other.arrays, strict=True)
        )


@dataclass(frozen=True, kw_only=True)
class Orientation:
    """How stored pixels become upright: a turn, after a flip left to right where ``mirrored``.

    Attributes:
        rotation: Degrees counter-clockwise, 0, 90, 180 or 270.
        mirrored: Whether the picture is flipped before it is turned.
    """

    rotation: int = 0
    mirrored: bool = False

    @property
    def is_upright(self) -> bool:
        """Whether nothing is to be done."""
        return not self.rotation and not self.mirrored

    @property
    def swaps_sides(self) -> bool:
        """Whether width becomes height."""
        return self.rotation in (90, 270)


UPRIGHT = Orientation()
"""Of frames that are stored as they are shown."""


def unshared(planes: Planes) -> Planes:
    """Give each pixel its own chroma sample: a copy of the one that it shared."""
    fmt = planes.format
    if not fmt.subsampled:
        return planes
    height, width = planes.arrays[0].shape

    def repeated(plane: Plane) -> Plane:
        return plane.repeat(fmt.sy, axis=0)[:height].repeat(fmt.sx, axis=1)[:, :width]

    luma, u, v, *alpha = planes.arrays
    return Planes(format=replace(fmt, sx=1, sy=1), arrays=(luma, repeated(u), repeated(v), *alpha))


def upright_format(
    format: PlaneFormat, stored_size: tuple[int, int], orientation: Orientation
) -> PlaneFormat:
    """Return the format that frames have once they are upright.

    Chroma is unshared where its blocks would straddle the turned picture's grid (an odd side), or
    where there is no layout for the turned blocks.
    """
    if orientation.is_upright:
        return format
    width, height = stored_size
    turned = format.turned() if orientation.swaps_sides else format
    if turned is None or width % format.sx or height % format.sy:
        return replace(format, sx=1, sy=1)
    return turned


def upright(planes: Planes, orientation: Orientation) -> Planes:
    """Turn a stored frame upright; every sample is kept."""
    if orientation.is_upright:
        return planes
    format = upright_format(planes.format, planes.size, orientation)
    if planes.format.subsampled and not format.subsampled:
        planes = unshared(planes)

    def turned(plane: Plane) -> Plane:
        flipped = plane[:, ::-1] if orientation.mirrored else plane
        return np.ascontiguousarray(np.rot90(flipped, orientation.rotation // 90))

    return Planes(format=format, arrays=tuple(turned(plane) for plane in planes.arrays))
