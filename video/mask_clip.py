"""Masks as a lossless grey clip beside the clip that they belong to."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from video.assembling import assemble
from video.colour_tags import FULL, ColourTags
from video.encoding import encode_part
from video.plane_formats import PlaneFormat
from video.planes import Planes
from video.timing import Timing
from video.writing_plan import StreamSettings

GRAY = PlaneFormat(kind="gray")
"""What masks are stored as: one byte a pixel, all values used."""


def write_mask_clip(
    path: str | Path,
    masks: Iterable[UInt8[np.ndarray, "h w"]],
    size: tuple[int, int],
    timing: Timing,
) -> None:
    """Write masks as a lossless grey clip (FFV1 in Matroska), one for each frame time.

    Raises:
        InvalidInput: There are fewer or more masks than times, the place can't be written, or the
            disk is full.
    """
    settings = StreamSettings(
        codec="ffv1", size=size, format=GRAY, tags=ColourTags(range=FULL), rate=timing.rate
    )
    frames = (Planes(format=GRAY, arrays=(mask,)) for mask in masks)
    part = Path(path).with_name(f".{Path(path).name}.part.mkv")
    try:
        encode_part(part, frames, settings)
        assemble([part], path, settings, timing)
    finally:
        part.unlink(missing_ok=True)
