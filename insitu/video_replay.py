"""``insitu video --replay``: the edit that a receipt tells of, once more."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from image_core.errors import IntegrityError, InvalidInput
from image_core.receipt import read_receipt
from insitu.asked_parts import check_values, editor_of
from insitu.bars import bars_shown
from insitu.image import ABSENT
from insitu.video_report import edited_outcome, tell
from insitu.video_run import opened
from video.replaying import check_repeatable, recorded_request, replay_clip

if TYPE_CHECKING:
    from insitu.video import VideoCommand


def run_replay(command: VideoCommand) -> int:
    """Repeat an edit and tell what was done.

    Raises:
        InvalidInput: Receipt or source is missing, or the receipt holds too little.
        IntegrityError: One of them is not what it was.
    """
    assert command.replay is not None
    check_values(command)
    receipt_file = Path(command.replay)
    receipt = read_receipt(receipt_file)
    check_repeatable(receipt, str(receipt_file))
    command = _recorded(command, receipt, receipt_file)
    assert command.output is not None
    request = recorded_request(receipt, Path(command.output), keep=command.keep)
    with bars_shown(command.format) as progress, opened(command, progress) as clip:
        edited = replay_clip(editor_of(command), clip, request, receipt, progress=progress)
        outcome = edited_outcome(command, clip, edited)
    again = read_receipt(edited.saved.receipt)["output"]
    before = receipt["output"]
    if _ending(again) == _ending(before) and again["sha256"] != before["sha256"]:
        print(
            "insitu: the same edit gave other bits than the receipt's; its versions tell why",
            file=sys.stderr,
        )
    return tell(outcome, command.format)


def _recorded(
    command: VideoCommand, receipt: Mapping[str, Any], receipt_file: Path
) -> VideoCommand:
    """Return the command with source, output and parts as the receipt has them."""
    try:
        parts = receipt["parts"]
        editor = parts["editor"]
        if editor == "auto" and len(set(parts["editors"])) == 1:
            editor = parts["editors"][0]  # what it took then, whatever it would take now
        source = command.input
        if source == ABSENT:
            source = str(receipt["source"]["path"])
            if not Path(source).exists():
                raise InvalidInput(
                    f"the source {source} of the receipt is missing",
                    hint="Name it where it is now: insitu video INPUT --replay RECEIPT.",
                )
        return replace(
            command,
            input=source,
            output=command.output or str(receipt_file.with_name(receipt["output"]["path"])),
            editor=editor,
            editor_options=tuple(parts["editor_options"]),
            grounder=parts["grounder"],
            segmenter=parts["segmenter"],
            models=command.models or parts.get("model_tree") or None,
        )
    except (KeyError, TypeError) as error:
        raise IntegrityError(f"the receipt cannot be read: {error!r}") from error


def _ending(written: Mapping[str, Any]) -> str:
    return Path(written["path"]).suffix.lower()
