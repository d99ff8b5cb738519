"""From edited frames to files: coded parts in the job's folder, then output, mask and receipt.

A part holds the pictures and the masks of some frames and a record of what their edit took; the
record is written last, so that a part is done when it is there.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import UInt8

from image_core.compositing import on_8_bit_grid, support
from image_core.errors import InvalidInput
from image_core.photo import write_atomically
from image_core.photo_result import check_output, staging
from image_core.receipt import receipt_path, seal
from image_core.types import no_progress
from video.assembling import assemble, sound_of
from video.clip import Clip, ExactFrame
from video.colour_planes import laid_in
from video.colour_tags import FULL, ColourTags
from video.encoding import PART_FRAMES, encode_part
from video.frame_edits import EditedSpans, FrameResult, as_float
from video.frames import Span
from video.gif import NOTE, write_gif
from video.mask_clip import GRAY
from video.opening import file_sha256
from video.picture_folder import write_pictures
from video.planes import Planes
from video.timing import timing_of
from video.verification import mask_clip_path
from video.writing_plan import Codec, StreamSettings, WritingPlan, output_kind, plan_writing

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
    encode_part(parts.masks(part), gray, _mask_settings(clip))
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


def _mask_settings(clip: Clip) -> StreamSettings:
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


def check_clip_output(output: Path, source: Path) -> None:
    """Refuse an output that is the source, or that cannot be written.

    Raises:
        InvalidInput: It says which.
    """
    if output.is_dir() and not output.is_symlink():
        if any(output.iterdir()):
            raise InvalidInput(
                f"the folder {output} is not empty", hint="Name a new or an empty one."
            )
        return
    check_output(output, source)


def plan_output(output: Path, clip: Clip, *, codec: Codec, crf: int | None) -> WritingPlan:
    """Settle how an output of any kind is written, or refuse before any work.

    The parts of a GIF or a folder of pictures are lossless.

    Raises:
        InvalidInput: The name's ending is none of ours, or cannot hold what it would have to.
    """
    kind = output_kind(output)
    if kind == "stream":
        return plan_writing(output, clip.info, codec=codec, crf=crf)
    plan = plan_writing(output.with_suffix(".mkv"), clip.info, codec="ffv1")
    silent = ("a folder of pictures holds no sound and no times",) if clip.info.audio else ()
    return replace(plan, notes=(NOTE,) if kind == "gif" else silent)


@dataclass(frozen=True, kw_only=True)
class SavedClip:
    """What was written.

    Attributes:
        output: The clip.
        receipt: What was done, as JSON.
        mask: The alpha that was used, frame by frame.
        how: ``planes`` where every sample outside the mask is the source's, else ``lossy``.
        warnings: All that the user should know.
    """

    output: Path
    receipt: Path
    mask: Path
    how: str
    warnings: tuple[str, ...] = field(default=())


def save_clip(
    clip: Clip,
    parts: PartFolder,
    settings: StreamSettings,
    output: Path,
    record: dict[str, Any],
    *,
    warnings: Sequence[str] = (),
) -> SavedClip:
    """Join the parts, and write output, mask and receipt: all of them or none.

    Args:
        clip: The source.
        parts: All done.
        settings: What they were coded with.
        output: Its ending names the container.
        record: What the receipt says besides files and warnings.
        warnings: For the receipt.

    Raises:
        InvalidInput: The output cannot be written, or the disk is full.
    """
    span = None if len(parts.span) == len(clip) else parts.span
    timing = timing_of(clip.info, span)
    how = "planes" if _keeps_samples(clip, settings, output) else "lossy"
    mask, receipt = mask_clip_path(output), receipt_path(output)
    with staging(output.parent) as room:
        _write_pictures(clip, parts, settings, room / output.name, span)
        assemble(
            [parts.masks(part) for part in parts.spans],
            room / mask.name,
            _mask_settings(clip),
            timing,
        )
        content = {
            **record,
            "source": {"path": str(clip.info.path.resolve()), "sha256": clip.info.sha256},
            "output": {"path": output.name, "sha256": _hash(room / output.name), "how": how},
            "mask": {"path": mask.name, "sha256": file_sha256(room / mask.name)},
            "warnings": list(warnings),
        }
        write_atomically(room / receipt.name, seal(content))
        for path in (mask, receipt, output):
            os.replace(room / path.name, path)  # an empty folder gives way to a full one
    return SavedClip(output=output, receipt=receipt, mask=mask, how=how, warnings=tuple(warnings))


def _keeps_samples(clip: Clip, settings: StreamSettings, output: Path) -> bool:
    """Tell whether all that lies outside the mask can be written as it is."""
    kind, same_format = output_kind(output), settings.format == clip.info.format
    if kind == "pictures":
        return same_format and clip.info.format.kind != "yuv"
    return same_format and kind == "stream" and settings.codec == "ffv1"


def _write_pictures(
    clip: Clip, parts: PartFolder, settings: StreamSettings, path: Path, span: Span | None
) -> None:
    """Join the coded parts, or turn them into a GIF or a folder of pictures."""
    timing, kind = timing_of(clip.info, span), output_kind(path)
    if kind == "stream":
        pictures = [parts.pictures(part) for part in parts.spans]
        sound, metadata = sound_of(clip.info, span), clip.info.metadata
        assemble(pictures, path, settings, timing, sound=sound, metadata=metadata)
    elif kind == "gif":
        write_gif(path, (frame.rgb for frame in _coded(parts)), timing)
    else:
        write_pictures(path, (frame.planes for frame in _coded(parts)), clip.info.colour)


def _coded(parts: PartFolder) -> Iterator[ExactFrame]:
    for part in parts.spans:
        yield from Clip.open(parts.pictures(part)).planes()


def _hash(path: Path) -> str:
    return Clip.open(path).info.sha256 if path.is_dir() else file_sha256(path)
