"""How far a clip's samples outside the region are from the source's, plane by plane."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Bool

from image_core.compositing import support
from image_core.types import Mask
from video.clip import ExactFrame
from video.colour_planes import edited_support
from video.frames import Picture
from video.measures import peak_ratio
from video.plane_formats import PlaneFormat
from video.planes import Plane, Planes, unshared


@dataclass
class PlaneDifference:
    """What was seen of one plane so far.

    Attributes:
        peak: The largest sample that it can hold.
        compared: Samples outside.
        changed: How many of them differ.
        largest: The greatest difference, in steps of the plane's own depth.
        squares: Sum of squared differences, in shares of the peak.
    """

    peak: int
    compared: int = 0
    changed: int = 0
    largest: int = 0
    squares: float = 0.0

    def add(self, old: Plane, new: Plane, outside: Bool[np.ndarray, "h w"]) -> None:
        """Compare one frame's samples."""
        apart = np.abs(old[outside].astype(np.int32) - new[outside].astype(np.int32))
        self.compared += apart.size
        changed = apart[apart > 0]
        if changed.size:
            self.changed += changed.size
            self.largest = max(self.largest, int(changed.max()))
            self.squares += float(np.square(changed / self.peak).sum(dtype=np.float64))

    @property
    def psnr(self) -> float | None:
        """In dB; 99 stands for equality, None for a plane without any sample outside."""
        return peak_ratio(self.squares / self.compared) if self.compared else None


@dataclass
class OutsideTally:
    """The differences outside, added up frame by frame.

    Attributes:
        source: The source's planes.
        output: The output's; where they differ, both are compared in 8-bit RGB.
        planes: What was seen, by the plane's name.
    """

    source: PlaneFormat
    output: PlaneFormat
    planes: dict[str, PlaneDifference] = field(default_factory=dict)

    @property
    def compared_in(self) -> str:
        """The name of the pixel format in which samples are compared."""
        return self.source.name if self.source == self.output else "rgb24"

    def add(self, before: ExactFrame, after: ExactFrame, alpha: Mask) -> None:
        """Compare a frame with what became of it."""
        free = [~plane for plane in edited_support(support(alpha), self.source)]
        if self.source == self.output:
            olds, news = before.planes.arrays, after.planes.arrays
            names, peak = plane_names(self.source), self.source.peak
        else:
            olds, news = _channels(before.rgb), _channels(after.rgb)
            free = [_whole_pixels(free, before.planes.format)] * len(olds)
            names, peak = "RGB", 255
        for name, old, new, outside in zip(names, olds, news, free, strict=True):
            self.planes.setdefault(name, PlaneDifference(peak=peak)).add(old, new, outside)

    def report(self) -> dict[str, Any]:
        """Return plain values: all planes together, and each by itself."""
        rows = {
            name: {
                "compared": plane.compared,
                "changed": plane.changed,
                "largest": plane.largest,
                "psnr": plane.psnr,
            }
            for name, plane in self.planes.items()
        }
        return {
            "compared_in": self.compared_in,
            "compared": sum(plane.compared for plane in self.planes.values()),
            "changed": sum(plane.changed for plane in self.planes.values()),
            "planes": rows,
        }


def plane_names(format: PlaneFormat) -> str:
    """Return the planes' letters, in their order."""
    colours = {"gray": "Y", "rgb": "RGB"}.get(format.kind, "YUV")
    return colours + "A" * format.alpha


def _channels(picture: Picture) -> tuple[Plane, ...]:
    return tuple(picture[..., number] for number in range(3))


def _whole_pixels(
    free: list[Bool[np.ndarray, "_ _"]], format: PlaneFormat
) -> Bool[np.ndarray, "h w"]:
    """Return the pixels none of whose samples, shared ones included, may have changed."""
    colours = free[: format.colours]
    if format.subsampled:
        samples = tuple(plane.astype(np.uint8) for plane in free)
        colours = [plane > 0 for plane in unshared(Planes(format=format, arrays=samples)).arrays]
        colours = colours[: format.colours]
    return np.asarray(np.logical_and.reduce(colours))
