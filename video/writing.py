"""From edited frames to coded parts in the job's folder; ``video.saving`` makes files of them.

A part holds the pictures and the masks of some frames and a record of what their edit took; the
record is written last, so that a part is done when it is there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import UInt8

from image_core.compositing import on_8_bit_grid, support
from image_core.photo import write_atomically
from image_core.types import no_progress
from video.clip import Clip, ExactFrame
from video.colour_planes import laid_in
from video.colour_tags import FULL, ColourTags
from video.encoding import PART_FRAMES, encode_part
from video.frame_edits import EditedSpans, FrameResult, as_float
from video.frames import Span
from video.mask_clip import GRAY
from video.planes import Planes
from video.writing_plan import StreamSettings

Levels = UInt8[np.ndarray, "_ _"]

_AHEAD = 2  # frames edited at the same time


@dataclass(frozen=True, kw_only=True)
class Made:
    """What the edit of some frames took.

    Attributes:
        edited: How many frames it changed.
        evaluations: Network rows.
        warnings: What the user should know, each once.
        fits: How well canonical pictures were fitted, a JSON-able row each.
    """

    edited: int = 0
    evaluations: int = 0
    warnings: tuple[str, ...] = ()
    fits: tuple[dict[str, Any], ...] = ()

    def joined(self, other: Made) -> Made:
        """Return both as one."""
        return Made(
            edited=self.edited + other.edited,
            evaluations=self.evaluations + other.evaluations,
            warnings=tuple(dict.fromkeys((*self.warnings, *other.warnings))),
            fits=(*self.fits, *other.fits),
        )


@dataclass(frozen=True, kw_only=True)
class PartFolder:
    """The coded parts of one output.

    Attributes:
        folder: Where they lie.
        span: The frames that are written.
        length: Frames in a part.
    """

    folder: Path
    span: Span
    length: int = PART_FRAMES

    @property
    def spans(self) -> list[Span]:
        """The frames of each part."""
        return [
            Span(start, min(start + self.length, self.span.stop))
            for start in range(self.span.start, self.span.stop, self.length)
        ]

    def pictures(self, part: Span) -> Path:
        """Return the file of a part's pictures."""
        return self.folder / f"{part.start:06d}.mkv"

    def masks(self, part: Span) -> Path:
        """Return the file of a part's masks."""
        return self.folder / f"{part.start:06d}.mask.mkv"

    def record(self, part: Span) -> Path:
        """Return the file that says that a part is done."""
        return self.folder / f"{part.start:06d}.json"

    def done(self, part: Span) -> Made | None:
        """Return what a part took, or None where it is still to be made."""
        try:
            known = json.loads(self.record(part).read_bytes())
            return Made(
                edited=int(known["edited"]),
                evaluations=int(known["evaluations"]),
                warnings=tuple(known["warnings"]),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None


def code_parts(
    clip: Clip,
    edits: EditedSpans,
    parts: PartFolder,
    settings: StreamSettings,
    *,
    progress: Callable[[str, float], None] = no_progress,
) -> Made:
    """Edit and code the frames, part by part; parts that are there are not made again.

    Raises:
        InsituError: An edit failed, or the parts cannot be written.
    """
    parts.folder.mkdir(parents=True, exist_ok=True)
    total = Made()
    for part in parts.spans:
        made = parts.done(part)
        if made is None:
            made = _code_part(clip, edits, parts, part, settings, progress)
        progress("write", (part.stop - parts.span.start) / len(parts.span))
        total = total.joined(made)
    return total


def _code_part(
    clip: Clip,
    edits: EditedSpans,
    parts: PartFolder,
    part: Span,
    settings: StreamSettings,
    progress: Callable[[str, float], None],
) -> Made:
    masks: list[bytes] = []  # compressed: a part's masks would need as much room as its frames
    made = Made()

    def pictures() -> Iterator[Planes]:
        nonlocal made
        for frame, result in _edited(clip, edits, part):
            planes, levels = laid(frame, result)
            masks.append(_packed(levels))
            if result is not None:
                one = Made(edited=1, evaluations=result.evaluations, warnings=result.warnings)
                made = made.joined(one)
            progress("write", (frame.index - parts.span.start) / len(parts.span))
            yield planes

    encode_part(parts.pictures(part), pictures(), settings)
    gray = (Planes(format=GRAY, arrays=(_unpacked(mask),)) for mask in masks)
    encode_part(parts.masks(part), gray, mask_settings(clip))
    record = {"edited": made.edited, "evaluations": made.evaluations, "warnings": made.warnings}
    write_atomically(parts.record(part), json.dumps(record).encode())
    return made


def laid(frame: ExactFrame, result: FrameResult | None) -> tuple[Planes, Levels]:
    """Return a frame's planes with its edit laid in, and the mask of what may have changed."""
    if result is None:
        width, height = frame.planes.size
        return frame.planes, np.zeros((height, width), np.uint8)
    alpha = on_8_bit_grid(result.alpha)
    inside = support(alpha)
    planes = laid_in(frame.planes, as_float(frame.rgb), result.image, inside, frame.colour)
    return planes, np.rint(alpha * 255).astype(np.uint8)


def _edited(
    clip: Clip, edits: EditedSpans, part: Span
) -> Iterator[tuple[ExactFrame, FrameResult | None]]:
    """Edit frames, a few at the same time, and give them in order."""
    waiting: list[tuple[ExactFrame, Future[FrameResult | None]]] = []
    with ThreadPoolExecutor(_AHEAD) as pool:
        try:
            for frame in clip.planes(part.start, part.stop):
                waiting.append((frame, pool.submit(edits.edited, frame.index, frame.rgb)))
                if len(waiting) > _AHEAD:
                    first, future = waiting.pop(0)
                    yield first, future.result()
            for first, future in waiting:
                yield first, future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def mask_settings(clip: Clip) -> StreamSettings:
    """Return what the mask of a clip is coded with."""
    return StreamSettings(
        codec="ffv1",
        size=clip.size,
        format=GRAY,
        tags=ColourTags(range=FULL),
        rate=clip.info.rate,
    )


def _packed(levels: Levels) -> bytes:
    done, data = cv2.imencode(".png", levels, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    assert done
    return data.tobytes()


def _unpacked(data: bytes) -> Levels:
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE), np.uint8)
