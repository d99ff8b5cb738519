"""Measuring whatever a user names as a clip."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from video.clip_info import ClipInfo

PICTURE_RATE = Fraction(25)
"""Frames a second of a folder of pictures, which has no times of its own."""


def probe(
    path: str | Path,
    *,
    rate: Fraction = PICTURE_RATE,
    progress: Callable[[float], None] | None = None,
) -> ClipInfo:
    """Measure a clip: a video file, a GIF, a folder of pictures or a glob of them.

    Args:
        path: What to read; a glob is a path with ``*``, ``?`` or ``[`` that is no file itself.
        rate: Frames a second of a folder or a glob.
        progress: Told the share done, from 0 to 1.

    Raises:
        InvalidInput: It can't be read as a whole, or is of a kind that isn't taken.
    """
    from video.picture_folder import listed_pictures, probe_pictures

    tell = progress or (lambda _done: None)
    path = Path(path)
    pictures = listed_pictures(path)
    if pictures is not None:
        return probe_pictures(path, pictures, rate=rate, progress=tell)
    from video.stream_probe import probe_stream

    return probe_stream(path, progress=tell)
