"""Between PyAV's frames and planes: samples copied as they are stored."""

from __future__ import annotations

from typing import cast

import numpy as np
from av import VideoFrame
from av.video.plane import VideoPlane

from video.plane_formats import Layout
from video.planes import Plane, Planes


def _words(plane: VideoPlane, layout: Layout, width: int, height: int) -> np.ndarray:
    """Read a stored plane as (height, width) words, its padding left out."""
    kind = np.dtype(layout.format.dtype)
    # the plane's own memory: writing into the array writes into the frame
    stored = np.frombuffer(
        cast("bytearray", plane), kind.newbyteorder(">" if layout.big_endian else "<")
    )
    lines = stored.reshape(-1, plane.line_size // kind.itemsize)
    return np.asarray(lines[:height, :width])


def from_frame(frame: VideoFrame, layout: Layout) -> Planes:
    """Copy a decoded frame's samples, as stored."""
    format = layout.format
    shapes = format.shapes((frame.width, frame.height))

    def native(words: np.ndarray) -> Plane:
        # a copy: the decoder may use the frame's memory again
        return np.array(words >> layout.shift if layout.shift else words, format.dtype, order="C")

    stored = frame.planes
    height, width = shapes[0]
    if layout.order in ("uv", "vu"):
        rows, columns = shapes[1]
        pairs = _words(stored[1], layout, 2 * columns, rows)
        first, second = native(pairs[:, 0::2]), native(pairs[:, 1::2])
        chroma = (first, second) if layout.order == "uv" else (second, first)
        return Planes(
            format=format, arrays=(native(_words(stored[0], layout, width, height)), *chroma)
        )
    if layout.order:
        step = len(layout.order)
        words = _words(stored[0], layout, step * width, height)
        names = ("y" if format.kind == "gray" else "rgb") + ("a" if format.alpha else "")
        return Planes(
            format=format,
            arrays=tuple(native(words[:, layout.order.index(name) :: step]) for name in names),
        )
    arrays = [
        native(_words(plane, layout, columns, rows))
        for plane, (rows, columns) in zip(stored, shapes, strict=False)
    ]
    if format.kind == "rgb":  # stored as green, blue, red
        green, blue, red, *alpha = arrays
        arrays = [red, green, blue, *alpha]
    return Planes(format=format, arrays=tuple(arrays))


def to_frame(planes: Planes, layout: Layout) -> VideoFrame:
    """Lay samples into a frame of a stored layout of the same plane format."""
    width, height = planes.size
    frame = VideoFrame(width, height, layout.pix_fmt)
    arrays: tuple[Plane, ...] = planes.arrays
    if layout.order:
        names = ("y" if planes.format.kind == "gray" else "rgb") + "a" * planes.format.alpha
        step = len(layout.order)
        words = _words(frame.planes[0], layout, step * width, height)
        words[:] = 0
        for name, array in zip(names, arrays, strict=True):
            words[:, layout.order.index(name) :: step] = array
        return frame
    if planes.format.kind == "rgb":
        red, green, blue, *alpha = arrays
        arrays = (green, blue, red, *alpha)
    for plane, array in zip(frame.planes, arrays, strict=True):
        rows, columns = array.shape
        _words(plane, layout, columns, rows)[:] = array
    return frame
