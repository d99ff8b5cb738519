"""From coded parts to files: output, mask and receipt, all of them or none."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from image_core.errors import InvalidInput
from image_core.photo import write_atomically
from image_core.photo_result import check_output, staging
from image_core.receipt import receipt_path, seal
from video.assembling import assemble, sound_of
from video.clip import Clip, ExactFrame
from video.frames import Span
from video.gif import NOTE, write_gif
from video.opening import file_sha256
from video.picture_folder import write_pictures
from video.timing import timing_of
from video.verification import mask_clip_path
from video.writing import PartFolder, mask_settings
from video.writing_plan import Codec, StreamSettings, WritingPlan, output_kind, plan_writing


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
            mask_settings(clip),
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
