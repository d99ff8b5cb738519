"""A frame in the nearest format that a codec can hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from video.colour_planes import from_rgb
from video.colour_tags import ColourModel
from video.plane_formats import PlaneFormat
from video.planes import Plane, Planes, unshared


def converted(planes: Planes, format: PlaneFormat, target: ColourModel) -> Planes:
    """Return a frame in the format that ``held_format`` chose for it.

    Opacity is dropped, chroma repeated for each pixel, depth changed by rounding, RGB mixed into
    luma and chroma: whichever of these the formats differ in. Of what isn't to change, every
    sample stays the same.

    Args:
        planes: The frame.
        format: What it becomes; it differs in nothing else.
        target: How luma and chroma are made of RGB, where they are.
    """
    have = planes.format
    if have.alpha and not format.alpha:
        planes = Planes(format=replace(have, alpha=False), arrays=planes.arrays[: have.colours])
    if have.kind == "rgb" and format.kind == "yuv":
        rgb = np.stack(planes.arrays[:3], axis=-1) / np.float32(have.peak)
        return from_rgb(rgb.astype(np.float32), format, target)
    if have.subsampled and not format.subsampled:
        planes = unshared(planes)
    if have.bits != format.bits:
        planes = Planes(
            format=replace(planes.format, bits=format.bits),
            arrays=tuple(_with_bits(plane, have, format) for plane in planes.arrays),
        )
    if planes.format != format:
        raise ValueError(f"{have.name} doesn't become {format.name} without loss of meaning")
    return planes


def _with_bits(plane: Plane, have: PlaneFormat, wanted: PlaneFormat) -> Plane:
    """Move samples up or down by whole bits; halves go up, the top stays the top."""
    moved = wanted.bits - have.bits
    if moved > 0:
        return np.asarray(np.left_shift(plane, moved, dtype=wanted.dtype), wanted.dtype)
    half = 1 << (-moved - 1)
    lower = (plane.astype(np.uint32) + half) >> np.uint32(-moved)
    return np.minimum(lower, wanted.peak).astype(wanted.dtype)
