"""An edited clip of our own beside what a perfect edit would have given, frame by frame."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from image_core.errors import InvalidInput
from image_core.types import Mask
from video.clip_info import ClipInfo
from video.frame_edits import as_float
from video.frames import Picture
from video.measures import likeness, overlap
from video.motion_tally import INSIDE, mean
from video.truth import ClipTruth


@dataclass
class TruthTally:
    """What was seen of the frames in which the target is, or was taken to be.

    Attributes:
        truth: What is known.
        painted: Whether the goal is the pattern painted on the target instead of the edit.
        rows: By frame: ``iou`` of the regions, and inside the true one the PSNR to the goal of the
            output (``psnr``) and of the untouched source (``psnr_source``), in dB.
    """

    truth: ClipTruth
    painted: bool = False
    rows: dict[int, dict[str, float]] = field(default_factory=dict)

    def add(self, index: int, before: Picture, after: Picture, alpha: Mask) -> None:
        """Compare a frame."""
        true = binary(self.truth.mask(index))
        found = binary(alpha)
        if not (true.any() or found.any()):
            return
        goal = as_float((self.truth.painted if self.painted else self.truth.edited)(index))
        self.rows[index] = {
            "iou": overlap(true, found),
            "psnr": likeness(as_float(after), goal, true),
            "psnr_source": likeness(as_float(before), goal, true),
        }

    def report(self) -> dict[str, Any]:
        """Return means, and the worst frames."""
        return {
            "goal": "painted" if self.painted else "edited",
            "frames": len(self.rows),
            **self._told("iou", "region_iou"),
            **self._told("psnr", "inside_psnr"),
            "inside_psnr_of_source": self._mean("psnr_source"),
        }

    def _mean(self, key: str) -> float:
        return mean([row[key] for row in self.rows.values()])

    def _told(self, key: str, name: str) -> dict[str, float | int | None]:
        known = {index: row[key] for index, row in self.rows.items() if np.isfinite(row[key])}
        worst = min(known, key=lambda index: known[index], default=None)
        return {
            name: self._mean(key),
            f"{name}_least": None if worst is None else known[worst],
            f"{name}_least_frame": worst,
        }


def binary(mask: Mask) -> Mask:
    """Return 1 where a pixel belongs to a region by half or more, else 0."""
    return (mask >= INSIDE).astype(np.float32)


def check_truth(truth: ClipTruth, source: ClipInfo) -> None:
    """Refuse the truth of another clip.

    Raises:
        InvalidInput: It has another number of frames, or another size.
    """
    height, width = truth.mask(0).shape
    if truth.frames != len(source) or (width, height) != source.size:
        raise InvalidInput(
            f"{truth.folder} tells of {truth.frames} frames of {width}x{height} pixels, the source"
            f" has {len(source)} of {source.size[0]}x{source.size[1]}",
            hint="Give the folder of the clip that was edited.",
        )


def same_words(one: str, other: str) -> bool:
    """Tell whether two instructions differ in nothing but spaces, case and a full stop."""
    return _words(one) == _words(other)


def _words(text: str) -> list[str]:
    return text.lower().rstrip(". ").split()
