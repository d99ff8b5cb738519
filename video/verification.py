"""Proving from the files alone that an edited clip equals its source outside the mask clip.

Source, mask and output are decoded anew, frame by frame, and compared plane by plane in the
source's own pixel format; no number in the receipt is trusted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from image_core.errors import IntegrityError, InvalidInput
from image_core.receipt import read_receipt, receipt_path
from image_core.verification import recorded_source, same_hash, stated_hash
from video.clip import Clip
from video.clip_info import ClipInfo
from video.colour_planes import edited_support
from video.frames import Span
from video.plane_formats import PlaneFormat
from video.planes import Planes

Proof = Literal["planes", "hashes"]


@dataclass(frozen=True, kw_only=True)
class ClipVerification:
    """What was proved.

    Attributes:
        proof: ``planes``: every sample outside the mask, in every plane of every frame, is the
            source's. ``hashes``: a lossy output; only the files' identity was proved.
        frames: How many were compared.
        compared: How many samples lie outside.
        psnr_outside: For ``hashes``: dB outside the mask against the source, over the first plane;
            infinite if equal.
    """

    proof: Proof
    frames: int
    compared: int
    psnr_outside: float | None = None


def mask_clip_path(output: Path) -> Path:
    """Return where the mask of an edited clip lies."""
    return output.with_name(output.name + ".mask.mkv")


def verify_clip(output: str | Path, *, source: str | Path | None = None) -> ClipVerification:
    """Check an edited clip against its receipt, mask and source.

    Args:
        output: What insitu wrote; receipt and mask lie beside it.
        source: Where the source lies now; the receipt's path unless given.

    Raises:
        IntegrityError: A file is not what it should be; the message says which and how.
        InvalidInput: Output, receipt, mask or source is missing.
    """
    output = Path(output)
    if not output.exists():
        raise InvalidInput(f"there is no output {output}")
    receipt = read_receipt(receipt_path(output))
    paths = {
        "output": output,
        "mask": mask_clip_path(output),
        "source": recorded_source(receipt, output, source),
    }
    clips = {name: _opened(path, name) for name, path in paths.items()}
    for name, clip in clips.items():
        same_hash(clip.info.sha256, stated_hash(receipt, name), f"the {name} {paths[name]}")
    before, after, mask = clips["source"], clips["output"], clips["mask"]
    part = _span(receipt, before.info)
    lossy = receipt["output"].get("how") == "lossy"
    _same_layout(before.info, after.info, mask.info, part, lossy=lossy)
    found = _Counts()
    triples = zip(before.planes(part.start, part.stop), after.planes(), mask.planes(), strict=True)
    for old, new, inside in triples:
        support = inside.planes.arrays[0] > 0
        format = old.planes.format
        free = [~plane for plane in edited_support(support, format)]
        if not lossy:
            _compare(old.planes, new.planes, free, old.index, found)
        elif old.planes.format == new.planes.format:
            _measure(old.planes, new.planes, free, found)
        found.compared += sum(int(np.count_nonzero(plane)) for plane in free)
    found.refuse()
    return ClipVerification(
        proof="hashes" if lossy else "planes",
        frames=len(part),
        compared=found.compared,
        psnr_outside=found.psnr() if lossy else None,
    )


@dataclass
class _Counts:
    """What was seen so far."""

    compared: int = 0
    changed: int = 0
    first: str = ""
    squares: float = 0.0
    measured: int = 0

    def refuse(self) -> None:
        if self.changed:
            raise IntegrityError(
                f"{self.changed} samples outside the mask differ from the source, the first in "
                f"{self.first}"
            )

    def psnr(self) -> float | None:
        if not self.measured:
            return None
        error = self.squares / self.measured
        return float("inf") if error == 0 else float(-10 * np.log10(error))


def _compare(old: Planes, new: Planes, free: list[np.ndarray], frame: int, found: _Counts) -> None:
    """Count the samples outside that differ, and remember the first."""
    for name, before, after, outside in zip(
        _names(old.format), old.arrays, new.arrays, free, strict=True
    ):
        wrong = (before != after) & outside
        count = int(np.count_nonzero(wrong))
        if count and not found.changed:
            row, column = np.argwhere(wrong)[0]
            found.first = f"frame {frame}, plane {name}, column {column}, row {row}"
        found.changed += count


def _measure(old: Planes, new: Planes, free: list[np.ndarray], found: _Counts) -> None:
    outside = free[0]
    scale = float(old.format.peak)
    error = (
        old.arrays[0][outside].astype(np.float64) - new.arrays[0][outside].astype(np.float64)
    ) / scale
    found.squares += float(np.sum(error**2))
    found.measured += error.size


def _names(format: PlaneFormat) -> Iterator[str]:
    colours = {"gray": "Y", "rgb": "RGB"}.get(format.kind, "YUV")
    return iter(colours + "A" * format.alpha)


def _opened(path: Path, name: str) -> Clip:
    if not path.exists():
        raise InvalidInput(f"the {name} {path} is missing")
    try:
        return Clip.open(path)
    except InvalidInput as error:
        raise IntegrityError(f"the {name} cannot be decoded: {error}") from error


def _span(receipt: dict[str, Any], source: ClipInfo) -> Span:
    """Return which of the source's frames were written."""
    try:
        start, stop = receipt["clip"]["written"]
        part = Span(int(start), int(stop))
    except (KeyError, TypeError, ValueError):
        raise IntegrityError("the receipt does not say which frames were written") from None
    if not 0 <= part.start < part.stop <= len(source):
        raise IntegrityError(f"the receipt speaks of frames that the source has not: {part}")
    return part


def _same_layout(
    before: ClipInfo, after: ClipInfo, mask: ClipInfo, part: Span, *, lossy: bool
) -> None:
    """Refuse an output or a mask of another length, size, or (if lossless) pixel format."""
    for clip, name in ((after, "output"), (mask, "mask")):
        if clip.size != before.size:
            raise IntegrityError(
                f"the {name} is {clip.size[0]}x{clip.size[1]}, "
                f"the source {before.size[0]}x{before.size[1]}"
            )
        if len(clip) != len(part):
            raise IntegrityError(f"the {name} has {len(clip)} frames, the source {len(part)}")
    if not lossy and after.format != before.format:
        raise IntegrityError(
            f"the source's planes are {before.format.name}, the output's {after.format.name}"
        )
