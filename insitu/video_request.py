"""What ``insitu video`` asks of a clip, made of its options."""

from __future__ import annotations

from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from image_core.errors import InvalidInput
from image_core.mask_file import read_mask
from image_core.types import RegionHint
from insitu.image import ABSENT
from insitu.usage import usage_error
from video.clip import Clip
from video.pointing import Pointing, masks_in
from video.stretch import Stretch, frame_at
from video.survey import VideoRequest
from video.writing_plan import Codec, output_kind

if TYPE_CHECKING:
    from insitu.video import VideoCommand


_OF_A_REPLAY = {"replay", "input", "output", "keep", "format", "device", "models", "debug"}
"""The options that may go with ``--replay``; the others stand in the receipt."""

_usage_error = partial(usage_error, command="video")


def check_usage(command: VideoCommand) -> None:
    """Refuse options that contradict each other.

    Raises:
        UsageError: It says which.
    """
    if command.replay is not None:
        _check_replay(command)
        return
    if command.input == ABSENT:
        raise _usage_error("an INPUT is needed")
    painting = [command.canonical_out, command.canonical]
    if None not in painting:
        raise _usage_error("--canonical and --canonical-out exclude each other")
    if painting == [None, None]:
        if command.instruction == ABSENT:
            raise _usage_error("an INSTRUCTION is needed")
    elif command.dry_run:
        raise _usage_error("--dry-run is for an INSTRUCTION")
    if command.canonical is not None and command.instruction != ABSENT:
        raise _usage_error("--canonical carries what was painted; it takes no INSTRUCTION")
    if command.canonical_out is not None and command.mask_dir is not None:
        raise _usage_error("--canonical-out takes a box, points or one mask, not --mask-dir")
    if command.lossless and command.codec not in (None, "ffv1"):
        raise _usage_error(f"--lossless and --codec {command.codec} exclude each other")
    if command.crf is not None and _is_lossless(command):
        raise _usage_error("--crf is for --codec h264 and h265; what is written here is lossless")


def _is_lossless(command: VideoCommand) -> bool:
    streamed = command.output is not None and output_kind(Path(command.output)) == "stream"
    return coding_of(command, named=streamed) == "ffv1"


def _check_replay(command: VideoCommand) -> None:
    for option in fields(command):
        if option.name not in _OF_A_REPLAY and getattr(command, option.name) != option.default:
            name = option.name.replace("_", "-")
            raise _usage_error(f"--replay takes {name} from the receipt")


def request_of(command: VideoCommand, clip: Clip) -> VideoRequest:
    """Return what the command asks for of this clip.

    Raises:
        InvalidInput: A file or value cannot be used.
    """
    from configs.video import video_settings

    output, codec = _output(command)
    return VideoRequest(
        output=output,
        instruction="" if command.instruction == ABSENT else command.instruction,
        then=command.then,
        pointing=pointing_of(command, clip),
        stretch=Stretch(start=command.start, end=command.end, shots=command.shots),
        trim=command.trim,
        codec=codec,
        crf=command.crf,
        seed=command.seed,
        strength=command.strength,
        settings=video_settings(command.quality, flow=command.flow, field=command.field),
        keep=command.keep,
    )


def pointing_of(command: VideoCommand, clip: Clip) -> Pointing:
    """Return the region in the user's hand.

    Raises:
        InvalidInput: A mask cannot be read, or the time lies outside the clip.
    """
    hint = None
    if command.mask is not None or command.box or command.point or command.not_point:
        hint = RegionHint(
            mask=read_mask(Path(command.mask)) if command.mask is not None else None,
            boxes=command.box,
            points=command.point,
            not_points=command.not_point,
            refine=command.refine,
        )
    elif command.refine:
        raise InvalidInput("--refine needs a --mask")
    return Pointing(
        at=frame_at(clip.info, command.at) if command.at is not None else None,
        hint=hint,
        masks=masks_in(Path(command.mask_dir), clip.info) if command.mask_dir is not None else {},
    )


def _output(command: VideoCommand) -> tuple[Path, Codec]:
    """Return where to write and how it is coded."""
    source = Path(command.input)
    codec = coding_of(command, named=command.output is not None)
    if command.output is None:
        return source.with_name(f"{source.stem}.edited.mkv"), codec
    return Path(command.output), codec


def coding_of(command: VideoCommand, *, named: bool) -> Codec:
    """Return how an output is coded: lossless where neither its name nor an option speaks.

    Args:
        command: What is asked.
        named: The user named the output's ending.
    """
    if command.codec is not None:
        return command.codec
    return "ffv1" if command.lossless or not named else "h264"
