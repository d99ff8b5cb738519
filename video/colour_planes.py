"""Between a frame's planes and RGB, and an edit laid into the planes.

RGB of a frame with shared chroma repeats each chroma sample over its block. So the step back, the
mean over the block, is its exact inverse, and an edit that paints one colour leaves nothing of the
old chroma behind. The formulas are those of ITU-R BT.601, BT.709 and BT.2020.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from video.colour_tags import ColourModel
from video.frames import Picture
from video.plane_formats import PlaneFormat
from video.planes import Plane, Planes

Support = Bool[np.ndarray, "h w"]
"""Where an edit may change pixels."""

_Signal = Float32[np.ndarray, "_ _"]
_LIMITED_LUMA, _LIMITED_CHROMA, _LIMITED_BLACK = 219.0, 224.0, 16.0  # of 8 bit samples


def _scales(format: PlaneFormat, model: ColourModel) -> tuple[float, float, float]:
    """Return how many steps of a sample luma and chroma span, and which sample is black."""
    if model.full_range:
        return float(format.peak), float(format.peak), 0.0
    deeper = float(1 << (format.bits - 8))
    return _LIMITED_LUMA * deeper, _LIMITED_CHROMA * deeper, _LIMITED_BLACK * deeper


def to_rgb(planes: Planes, model: ColourModel) -> Picture:
    """Return a frame as 8 bit RGB, by its own matrix and range; opacity is left out."""
    format = planes.format
    if format.kind == "rgb" and format.bits == 8:
        return np.stack(planes.arrays[:3], axis=-1)
    luma_span, chroma_span, black = _scales(format, model)
    gain = 255.0 / luma_span
    if format.kind == "gray":
        luma = planes.arrays[0].astype(np.float32)
        gray = _to_bytes((luma - np.float32(black)) * np.float32(gain))
        return np.repeat(gray[..., None], 3, axis=2)
    samples = cv2.merge([_whole(plane, planes) for plane in planes.arrays[:3]]).astype(np.float32)
    if format.kind == "rgb":
        mix, zero = np.diag([gain, gain, gain]), np.zeros(3)
    else:
        kr, kb = model.kr, model.kb
        kg, pull = 1 - kr - kb, 255.0 / chroma_span
        mix = np.array(
            [
                [gain, 0, 2 * (1 - kr) * pull],
                [gain, -2 * (1 - kb) * kb / kg * pull, -2 * (1 - kr) * kr / kg * pull],
                [gain, 2 * (1 - kb) * pull, 0],
            ]
        )
        middle = 1 << (format.bits - 1)
        zero = np.array([black, middle, middle])
    affine = np.column_stack([mix, -mix @ zero]).astype(np.float32)
    return _to_bytes(cv2.transform(samples, affine))


def _to_bytes(levels: Float32[np.ndarray, "_ _ *c"]) -> UInt8[np.ndarray, "_ _ *c"]:
    """Round to the nearest of 0 to 255."""
    # added to nothing, since that is OpenCV's quickest way to convert with rounding
    return np.asarray(cv2.add(levels, np.zeros(4), dtype=cv2.CV_8U), np.uint8)


def _whole(plane: Plane, planes: Planes) -> Plane:
    """Repeat a chroma plane's samples over their blocks."""
    width, height = planes.size
    if plane.shape == (height, width):
        return plane
    rows, columns = plane.shape
    size = (columns * planes.format.sx, rows * planes.format.sy)
    repeated = cv2.resize(plane, size, interpolation=cv2.INTER_NEAREST)
    return np.asarray(repeated)[:height, :width]


def from_rgb(rgb: Float32[np.ndarray, "h w 3"], format: PlaneFormat, model: ColourModel) -> Planes:
    """Return the planes of an RGB picture in [0, 1], chroma averaged over its blocks.

    An opacity plane, where the format has one, is opaque.
    """
    height, width = rgb.shape[:2]
    _, _, black = _scales(format, model)
    made: list[Plane] = []
    for number, signal in enumerate(_signals(rgb, format, model)):
        shared = format.kind == "yuv" and number > 0
        if shared:
            signal = _block_means(signal, format)
        zero = float(1 << (format.bits - 1)) if shared else black
        made.append(_rounded(signal + np.float32(zero), format))
    if format.alpha:
        made.append(np.full((height, width), format.peak, format.dtype))
    return Planes(format=format, arrays=tuple(made))


def edited_support(support: Support, format: PlaneFormat) -> tuple[Bool[np.ndarray, "_ _"], ...]:
    """Say for each plane which samples an edit with this support may change.

    A shared chroma sample may change when any pixel of its block may; opacity never does.
    """
    chroma = _any_in_block(support, format)
    colours = (support, chroma, chroma) if format.kind == "yuv" else (support,) * format.colours
    return (*colours, np.zeros_like(support)) if format.alpha else colours


def laid_in(
    source: Planes,
    before: Float32[np.ndarray, "h w 3"],
    after: Float32[np.ndarray, "h w 3"],
    support: Support,
    model: ColourModel,
) -> Planes:
    """Lay an edit into a frame's own planes.

    The *change* that the edit makes in RGB is turned into the planes' terms and added to the
    source's samples, so that what RGB can't hold (depth, values beyond the range) stays. Outside
    the support the change counts as 0: every sample that ``edited_support`` excludes is the very
    same.

    Args:
        source: The frame, upright.
        before: It in RGB, in [0, 1].
        after: The edited picture, in [0, 1].
        support: Where it counts.
        model: What the source's colour tags mean.
    """
    if not support.any():
        return source
    format = source.format
    rows, columns = _reach(support, format)
    inside = support[rows, columns]
    # selected, not multiplied: a value that isn't a number outside must not leak in
    change = np.where(inside[..., None], after[rows, columns] - before[rows, columns], 0)
    changed = list(source.arrays)
    may = edited_support(inside, format)
    for number, signal in enumerate(_signals(change.astype(np.float32), format, model)):
        shared = format.kind == "yuv" and number > 0
        if shared:
            signal = _block_means(signal, format)
        plane = source.arrays[number].copy()
        sy, sx = (format.sy, format.sx) if shared else (1, 1)
        high, wide = signal.shape
        window = plane[rows.start // sy :, columns.start // sx :][:high, :wide]
        # steps, so that no change at all is exactly none
        moved = window.astype(np.float32) + np.rint(signal)
        np.copyto(window, np.clip(moved, 0, format.peak).astype(format.dtype), where=may[number])
        changed[number] = plane
    return Planes(format=format, arrays=tuple(changed))


def _signals(
    rgb: Float32[np.ndarray, "h w 3"], format: PlaneFormat, model: ColourModel
) -> tuple[_Signal, ...]:
    """Mix red, green and blue into the planes' signals, in steps of a sample, 0 for black."""
    luma_span, chroma_span, _ = _scales(format, model)
    red, green, blue = (rgb[..., channel] for channel in range(3))
    if format.kind == "rgb":
        return tuple(np.float32(luma_span) * channel for channel in (red, green, blue))
    kr, kb = np.float32(model.kr), np.float32(model.kb)
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    if format.kind == "gray":
        return (np.float32(luma_span) * luma,)
    u = np.float32(chroma_span / (2 * (1 - model.kb))) * (blue - luma)
    v = np.float32(chroma_span / (2 * (1 - model.kr))) * (red - luma)
    return np.float32(luma_span) * luma, u, v


def _rounded(signal: _Signal, format: PlaneFormat) -> Plane:
    return np.asarray(np.clip(np.rint(signal), 0, format.peak), format.dtype)


def _reach(support: Support, format: PlaneFormat) -> tuple[slice, slice]:
    """Return the rows and columns, on the chroma's grid, that hold all of a support."""
    rows = np.flatnonzero(support.any(axis=1))
    columns = np.flatnonzero(support.any(axis=0))
    top, left = rows[0] // format.sy * format.sy, columns[0] // format.sx * format.sx
    bottom, right = (
        -(-(last + 1) // step) * step
        for last, step in ((rows[-1], format.sy), (columns[-1], format.sx))
    )
    height, width = support.shape
    return slice(int(top), min(int(bottom), height)), slice(int(left), min(int(right), width))


def _block_means(signal: _Signal, format: PlaneFormat) -> _Signal:
    """Average over the pixels that share a chroma sample; blocks cut by the border have fewer."""
    if not format.subsampled:
        return signal
    height, width = signal.shape
    down = np.add.reduceat(signal, np.arange(0, height, format.sy), axis=0)
    sums = np.add.reduceat(down, np.arange(0, width, format.sx), axis=1)
    rows = np.minimum(format.sy, height - np.arange(0, height, format.sy))
    columns = np.minimum(format.sx, width - np.arange(0, width, format.sx))
    return np.asarray(sums / np.outer(rows, columns), np.float32)


def _any_in_block(support: Support, format: PlaneFormat) -> Bool[np.ndarray, "_ _"]:
    if not format.subsampled:
        return support
    height, width = support.shape
    down = np.logical_or.reduceat(support, np.arange(0, height, format.sy), axis=0)
    return np.asarray(np.logical_or.reduceat(down, np.arange(0, width, format.sx), axis=1))
