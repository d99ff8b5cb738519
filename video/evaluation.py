"""An edited clip in numbers: what was kept, how steady it is, and how near to the truth."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from image_core.compositing import support
from image_core.types import no_progress
from video.clip_consistency import ClipConsistency, consistency_by
from video.frame_edits import as_float
from video.frames import Span
from video.measures import likeness
from video.measuring import flows_of, shots_of
from video.motion_tally import INSIDE, MotionRow, MotionTally, mean
from video.outside import OutsideTally
from video.settings import VideoSettings
from video.truth import read_truth
from video.truth_tally import TruthTally, check_truth, same_words
from video.written import WrittenClip, WrittenFrame, open_written

_VERSIONS = ("output", "source")


def evaluate_clip(
    output: str | Path,
    *,
    source: str | Path | None = None,
    truth: str | Path | None = None,
    painted: bool = False,
    settings: VideoSettings | None = None,
    clip: str = "auto",
    progress: Callable[[str, float], None] = no_progress,
) -> dict[str, Any]:
    """Measure an edited clip, reading it once from its first frame to its last.

    Args:
        output: What ``insitu video`` wrote; receipt and mask lie beside it.
        source: Where the source lies now; the receipt's path unless given.
        truth: The folder of a clip of our own, which knows the true edit.
        painted: Compare with the painted frames of the truth instead of the edited ones.
        settings: How the source's motion is measured, where it is not kept already.
        clip: CLIP's name or folder; ``auto`` where it is present, or ``none``.
        progress: Told the stage and its done share.

    Returns:
        Plain values for JSON; None stands for what could not be measured, and ``notes`` says why.
        ``outside`` compares samples that had to stay, plane by plane; ``steadiness`` (warp error in
        the region by the mean gradient there, along the source's flow), ``flicker`` and ``pulse``
        are told of the output and of the source for scale; ``region`` tells how it agrees with
        itself from frame to frame.

    Raises:
        InvalidInput: A file is missing or cannot be read, or the truth is of another clip.
        IntegrityError: Receipt, mask and output do not fit together.
        MissingWeights: A CLIP that was named is not here.
    """
    written = open_written(Path(output), source=None if source is None else Path(source))
    known = None if truth is None else read_truth(truth)
    if known is not None:
        check_truth(known, written.source.info)
    likeness_by, said = consistency_by(clip)
    shots = shots_of(written.source, progress=progress)
    measured = _Measured(
        shots=shots,
        outside=OutsideTally(source=written.source.info.format, output=written.output.info.format),
        motion=MotionTally(
            flows=flows_of(written.source, settings or VideoSettings()), shots=shots
        ),
        truth=None if known is None else TruthTally(truth=known, painted=painted),
        consistency=likeness_by,
    )
    for frame in written.frames():
        progress("measure", (frame.index - written.part.start) / len(written.part))
        measured.add(frame)
    progress("measure", 1.0)
    report: dict[str, Any] = {
        "edited": str(output),
        "source": str(written.source.info.path),
        "instruction": written.receipt.get("instruction"),
        "how": written.receipt.get("output", {}).get("how"),
        "route": written.receipt["clip"].get("route"),
        **measured.report(len(written.part)),
        "reconstruction": _reconstruction(written.receipt),
    }
    report["notes"] = [*_notes(written, measured), *said]
    return {key: _plain(value) for key, value in report.items()}


@dataclass
class _Measured:
    """All tallies of one pass."""

    shots: list[Span]
    outside: OutsideTally
    motion: MotionTally
    truth: TruthTally | None
    consistency: ClipConsistency | None
    inside: dict[int, tuple[float, float]] = field(default_factory=dict)

    def add(self, frame: WrittenFrame) -> None:
        """Take the next frame."""
        before, after = frame.before.rgb, frame.after.rgb
        pictures = {"output": after, "source": before}
        self.outside.add(frame.before, frame.after, frame.alpha)
        self.motion.add(frame.index, pictures, frame.alpha)
        inside = support(frame.alpha)
        if inside.any():
            kept = likeness(as_float(after), as_float(before), inside.astype(np.float32))
            self.inside[frame.index] = (float((frame.alpha >= INSIDE).mean()), kept)
        if self.truth is not None:
            self.truth.add(frame.index, before, after, frame.alpha)
        if self.consistency is not None:
            cut = any(frame.index == shot.start for shot in self.shots)
            self.consistency.add(frame.index, pictures, cut=cut)

    def report(self, count: int) -> dict[str, Any]:
        """Return all means, and rows by frame."""
        rows = self.motion.rows
        steady = {name: self.motion.steadiness(name) for name in _VERSIONS}
        stability = {row.index: row.stability for row in rows}
        least = min(stability, key=lambda index: stability[index], default=None)
        return {
            "frames": count,
            "edited_frames": len(self.inside),
            "edited_share": len(self.inside) / count,
            "outside": self.outside.report(),
            "inside": {
                "share": mean([share for share, _ in self.inside.values()]),
                "psnr_to_source": mean([kept for _, kept in self.inside.values()]),
            },
            "steadiness": steady | {"ratio": _quotient(steady["output"], steady["source"])},
            "warp_error": _means(rows, "warp_error"),
            "flicker": _means(rows, "flicker"),
            "pulse": _means(rows, "pulse"),
            "region": {
                "stability": mean(list(stability.values())),
                "stability_least": None if least is None else stability[least],
                "stability_least_frame": least,
            },
            "truth": None if self.truth is None else self.truth.report(),
            "clip": None if self.consistency is None else self.consistency.report(),
            "rows": self._rows(),
        }

    def _rows(self) -> list[dict[str, Any]]:
        """Return what is known of single frames."""
        found: dict[int, dict[str, Any]] = {
            index: {"share": share, "psnr_to_source": kept}
            for index, (share, kept) in self.inside.items()
        }
        for row in self.motion.rows:
            found.setdefault(row.index, {}).update(
                {
                    **{f"steadiness_{name}": row.steadiness(name) for name in _VERSIONS},
                    **{f"flicker_{name}": row.flicker[name] for name in _VERSIONS},
                    "stability": row.stability,
                }
            )
        for index, compared in (self.truth.rows if self.truth is not None else {}).items():
            found.setdefault(index, {}).update(
                {f"truth_{name}": value for name, value in compared.items()}
            )
        return [{"frame": index, **found[index]} for index in sorted(found)]


def _means(rows: list[MotionRow], name: str) -> dict[str, float]:
    return {version: mean([getattr(row, name)[version] for row in rows]) for version in _VERSIONS}


def _quotient(one: float, other: float) -> float:
    return one / other if other > 0 else math.nan


def _reconstruction(receipt: dict[str, Any]) -> dict[str, Any] | None:
    """Return how well the fits show the frames, where the receipt of a canonical edit tells it."""
    fits = receipt["clip"].get("fits")
    if not fits:
        return None
    frames = [fit["frames"][1] - fit["frames"][0] for fit in fits]
    psnr = sum(fit["psnr"] * count for fit, count in zip(fits, frames, strict=True)) / sum(frames)
    return {"psnr": psnr, "fits": fits}


def _notes(written: WrittenClip, measured: _Measured) -> list[str]:
    """Say what the numbers do not tell."""
    said = [
        f"the {name} is not the file that the receipt was written for"
        for name in written.strangers()
    ]
    if written.receipt.get("output", {}).get("how") == "lossy":
        said.append("the output is lossy: outside, every sample may differ a little")
    if measured.outside.compared_in != written.source.info.format.name:
        said.append(
            f"the source's planes are {written.source.info.format.name}, the output's "
            f"{written.output.info.format.name}: outside, 8-bit RGB was compared"
        )
    if not measured.motion.rows:
        said.append("nothing is said of motion: no two neighbouring frames show the region")
    if measured.truth is not None:
        words, asked = measured.truth.truth.instruction, str(written.receipt.get("instruction"))
        if not measured.truth.painted and not same_words(words, asked):
            said.append(f"the truth is of {words!r}, the edit by {asked!r}")
    return said


def _plain(value: Any) -> Any:
    """Return a report in which what is no number is None, as JSON wants it."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
