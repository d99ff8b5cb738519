"""Telling from an edited clip's receipt whether the very same edit was done already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from image_core.errors import InsituError
from image_core.receipt import read_receipt, receipt_path
from image_core.types import RegionHint
from insitu.done_before import same_request
from video.clip import Clip
from video.edit_record import asked_record
from video.opening import file_sha256
from video.survey import VideoRequest
from video.verification import mask_clip_path

if TYPE_CHECKING:
    from insitu.video import VideoCommand


def is_done(command: VideoCommand, clip: Clip, request: VideoRequest) -> bool:
    """Tell whether the output, a file, already holds this very edit of this very clip.

    Source, output and mask are compared by content, the request by value; an output of another
    version of insitu counts as not done.
    """
    output = request.output
    if not (output.is_file() and receipt_path(output).is_file()):
        return False
    try:
        receipt = read_receipt(receipt_path(output))
        return bool(
            receipt["source"]["sha256"] == clip.info.sha256
            and same_request(receipt, request, command, request.pointing.hint or RegionHint())
            and receipt["asked"] == asked_record(request)
            and receipt["output"]["sha256"] == file_sha256(output)
            and receipt["mask"]["sha256"] == file_sha256(mask_clip_path(output))
        )
    except (InsituError, OSError, KeyError, TypeError):
        return False
