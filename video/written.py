"""An edited clip as it lies on disk, with its source and its mask, read frame by frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from image_core.errors import IntegrityError, InvalidInput
from image_core.receipt import read_receipt, receipt_path
from image_core.types import Mask
from image_core.verification import recorded_source
from video.clip import Clip, ExactFrame
from video.frames import Span
from video.verification import mask_clip_path


@dataclass(frozen=True, kw_only=True, eq=False)
class WrittenFrame:
    """One frame before and after an edit.

    Attributes:
        index: Its number in the source.
        before: The source's frame.
        after: The output's.
        alpha: Where the edit may have changed it, in [0, 1].
    """

    index: int
    before: ExactFrame
    after: ExactFrame
    alpha: Mask


@dataclass(frozen=True, kw_only=True, eq=False)
class WrittenClip:
    """An output, its source, its mask and its receipt.

    Attributes:
        receipt: What was done.
        source: The clip before.
        output: The clip after.
        mask: What may have changed.
        part: The source's frames that were written.
    """

    receipt: dict[str, Any]
    source: Clip
    output: Clip
    mask: Clip
    part: Span

    def frames(self) -> Iterator[WrittenFrame]:
        """Go through the frames in order; only a few are in memory at a time."""
        triples = zip(
            self.source.planes(self.part.start, self.part.stop),
            self.output.planes(),
            self.mask.planes(),
            strict=True,
        )
        for before, after, mask in triples:
            levels = mask.planes.arrays[0]
            alpha = np.asarray(levels / np.float32(mask.planes.format.peak), np.float32)
            yield WrittenFrame(index=before.index, before=before, after=after, alpha=alpha)

    def strangers(self) -> tuple[str, ...]:
        """Return which of the three are not the files that the receipt was written for."""
        clips = {"source": self.source, "output": self.output, "mask": self.mask}
        return tuple(
            name
            for name, clip in clips.items()
            if self.receipt.get(name, {}).get("sha256") != clip.info.sha256
        )


def open_written(output: Path, *, source: Path | None = None) -> WrittenClip:
    """Open an edited clip with what lies beside it.

    Args:
        output: What insitu wrote.
        source: Where the source lies now; the receipt's path unless given.

    Raises:
        InvalidInput: Output, receipt, mask or source is missing or cannot be read.
        IntegrityError: The receipt is damaged, or the three do not fit together.
    """
    if not output.exists():
        raise InvalidInput(f"there is no output {output}")
    receipt = read_receipt(receipt_path(output))
    if "clip" not in receipt:
        raise InvalidInput(
            f"{output} is no edited clip", hint="What `insitu video` wrote can be measured."
        )
    before = Clip.open(recorded_source(receipt, output, source))
    mask = mask_clip_path(output)
    if not mask.exists():
        raise InvalidInput(f"the mask {mask} is missing", hint="It is written beside the output.")
    written = WrittenClip(
        receipt=receipt,
        source=before,
        output=Clip.open(output),
        mask=Clip.open(mask),
        part=_part(receipt, len(before)),
    )
    _check_fit(written)
    return written


def _part(receipt: dict[str, Any], count: int) -> Span:
    try:
        start, stop = receipt["clip"]["written"]
        part = Span(int(start), int(stop))
    except (KeyError, TypeError, ValueError):
        raise IntegrityError("the receipt does not say which frames were written") from None
    if not 0 <= part.start < part.stop <= count:
        raise IntegrityError(
            f"the receipt speaks of frames {part.start} to {part.stop - 1}, the source has {count}"
        )
    return part


def _check_fit(written: WrittenClip) -> None:
    width, height = written.source.size
    for clip, name in ((written.output, "output"), (written.mask, "mask")):
        if clip.size != (width, height):
            raise IntegrityError(
                f"the {name} is {clip.size[0]}x{clip.size[1]}, the source {width}x{height}"
            )
        if len(clip) != len(written.part):
            raise IntegrityError(
                f"the {name} has {len(clip)} frames, {len(written.part)} were written"
            )
