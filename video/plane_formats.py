"""How a clip stores its samples, and which of the many stored layouts we can read and write.

A *plane format* is what matters about a stored pixel format: which planes, how deep, how coarse
the chroma. Packed and half-packed layouts (bgr0, nv12, ...) are other ways to lay the same
samples into memory; they are unpacked on reading.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from image_core.errors import InvalidInput

Kind = Literal["yuv", "rgb", "gray"]

_CHROMA = {"420": (2, 2), "422": (2, 1), "444": (1, 1), "440": (1, 2), "411": (4, 1), "410": (4, 4)}
_CHROMA_NAMES = {factors: name for name, factors in _CHROMA.items()}
_YUV = re.compile(r"yuv(?P<alpha>a?)(?P<full>j?)(?P<chroma>4\d\d)p(?P<bits>\d*)(?P<end>le|be)?")
_RGB = re.compile(r"gbr(?P<alpha>a?)p(?P<bits>\d*)(?P<end>le|be)?")
_GRAY = re.compile(r"(?P<alpha>y?)(?:gray|a)(?P<bits>\d*)(?P<end>le|be)?")
_PACKED = re.compile(r"(?P<order>[rgbax0]{3,4})(?P<bits>24|48|64)?(?P<end>le|be)?")
_HALF_PACKED = {"nv12": "420", "nv21": "420", "nv16": "422", "nv24": "444", "nv42": "444"}
_MOST_BITS = 16


@dataclass(frozen=True, kw_only=True)
class PlaneFormat:
    """What planes a frame has.

    Attributes:
        kind: Luma and two chroma planes, red-green-blue, or luma alone.
        bits: Of a sample that count, 8 to 16.
        sx: How many columns share one chroma sample.
        sy: How many rows share one.
        alpha: Whether an opacity plane comes last.
    """

    kind: Kind
    bits: int = 8
    sx: int = 1
    sy: int = 1
    alpha: bool = False

    @property
    def dtype(self) -> type[np.uint8] | type[np.uint16]:
        """The arrays' type."""
        return np.uint8 if self.bits == 8 else np.uint16

    @property
    def peak(self) -> int:
        """The largest sample."""
        return (1 << self.bits) - 1

    @property
    def colours(self) -> int:
        """How many planes there are without the opacity."""
        return 1 if self.kind == "gray" else 3

    @property
    def name(self) -> str:
        """The field's name of the planar layout, such as yuv420p10le."""
        depth = "" if self.bits == 8 else f"{self.bits}le"
        alpha = "a" if self.alpha else ""
        if self.kind == "yuv":
            return f"yuv{alpha}{_CHROMA_NAMES[self.sx, self.sy]}p{depth}"
        if self.kind == "rgb":
            return f"gbr{alpha}p{depth}"
        return f"ya{depth or 8}" if self.alpha else f"gray{depth}"

    @property
    def subsampled(self) -> bool:
        """Whether several pixels share a chroma sample."""
        return (self.sx, self.sy) != (1, 1)

    def shapes(self, size: tuple[int, int]) -> tuple[tuple[int, int], ...]:
        """Return each plane's height and width for a picture of this width and height."""
        width, height = size
        full = (height, width)
        shapes = [full] * self.colours
        if self.kind == "yuv":
            chroma = (-(-height // self.sy), -(-width // self.sx))
            shapes[1:] = [chroma, chroma]
        return (*shapes, full) if self.alpha else tuple(shapes)

    def turned(self) -> PlaneFormat | None:
        """Return the format after a quarter turn; None where there is no such layout."""
        return (
            replace(self, sx=self.sy, sy=self.sx) if (self.sy, self.sx) in _CHROMA_NAMES else None
        )


@dataclass(frozen=True, kw_only=True)
class Layout:
    """A stored pixel format: a plane format, and where its samples lie.

    Attributes:
        pix_fmt: Its name.
        format: What it holds.
        full_range: Whether the name itself says that all values are used (yuvj...).
        big_endian: Byte order of deep samples.
        order: Of a packed layout, which component is where (``rgbax0``); of a half-packed one
            ``uv`` or ``vu``; empty for planes.
        shift: How many bits the samples are moved up in their words.
    """

    pix_fmt: str
    format: PlaneFormat
    full_range: bool = False
    big_endian: bool = False
    order: str = ""
    shift: int = 0


def _planar(pix_fmt: str) -> Layout | None:
    if found := _YUV.fullmatch(pix_fmt):
        if found["chroma"] not in _CHROMA:
            return None
        sx, sy = _CHROMA[found["chroma"]]
        kind: Kind = "yuv"
    elif found := _RGB.fullmatch(pix_fmt):
        kind, sx, sy = "rgb", 1, 1
    elif found := _GRAY.fullmatch(pix_fmt):
        kind, sx, sy = "gray", 1, 1
    else:
        return None
    alpha = bool(found["alpha"])
    return Layout(
        pix_fmt=pix_fmt,
        format=PlaneFormat(kind=kind, bits=int(found["bits"] or 8), sx=sx, sy=sy, alpha=alpha),
        full_range=pix_fmt.startswith("yuvj"),
        big_endian=found["end"] == "be",
        order="ya" if kind == "gray" and alpha else "",
    )


def _packed(pix_fmt: str) -> Layout | None:
    if pix_fmt in _HALF_PACKED:
        sx, sy = _CHROMA[_HALF_PACKED[pix_fmt]]
        order = "vu" if pix_fmt in ("nv21", "nv42") else "uv"
        format = PlaneFormat(kind="yuv", sx=sx, sy=sy)
        return Layout(pix_fmt=pix_fmt, format=format, order=order)
    if found := re.fullmatch(r"p([024])(10|12|16)(le|be)", pix_fmt):
        sx, sy = _CHROMA[{"0": "420", "2": "422", "4": "444"}[found[1]]]
        bits = int(found[2])
        return Layout(
            pix_fmt=pix_fmt,
            format=PlaneFormat(kind="yuv", bits=bits, sx=sx, sy=sy),
            big_endian=found[3] == "be",
            order="uv",
            shift=16 - bits,
        )
    found = _PACKED.fullmatch(pix_fmt)
    if not found or set("rgb") - set(found["order"]):
        return None
    bits = 16 if found["bits"] in ("48", "64") else 8
    format = PlaneFormat(kind="rgb", bits=bits, alpha="a" in found["order"])
    return Layout(
        pix_fmt=pix_fmt, format=format, big_endian=found["end"] == "be", order=found["order"]
    )


def layout_of(pix_fmt: str) -> Layout:
    """Say what a stored pixel format holds.

    Raises:
        InvalidInput: A palette, floating point, Bayer or another kind that we don't take apart.
    """
    layout = _planar(pix_fmt) or _packed(pix_fmt)
    if layout is None or not 8 <= layout.format.bits <= _MOST_BITS:
        raise InvalidInput(
            f"pixel format {pix_fmt} isn't taken",
            hint="Convert the clip first, for example: ffmpeg -i IN -pix_fmt yuv444p -c:v ffv1 "
            "-c:a copy OUT.mkv",
        )
    return layout
