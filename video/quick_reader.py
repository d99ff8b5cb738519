"""Quick random access to RGB frames through decord, where it sees the clip as PyAV does.

decord ignores edit lists, can't decode every codec and knows fewer colour tags: a reader is given
back only if the number of frames, their times and a few pictures agree.
"""

from __future__ import annotations

import ctypes
import importlib
from types import ModuleType
from typing import Protocol, runtime_checkable

import numpy as np

from video.clip_info import ClipInfo
from video.frames import Picture

_SAME_TIME = 1e-3  # seconds; decord keeps times in single precision
_SAME_LEVEL = 2.0  # mean difference in grey levels: other rounding, not another picture
_FAR_LEVEL = 12  # largest difference that interpolated chroma makes in 99.9 % of the samples
_ONE_THREAD = 1
_MODE = "RTLD_GLOBAL"  # of ctypes: how decord loads its library


@runtime_checkable
class QuickReader(Protocol):
    """Frames by number."""

    def picture(self, index: int) -> Picture:
        """Return an upright frame."""
        ...


def _decord() -> ModuleType:
    """Import decord with its libraries' symbols kept to itself.

    decord asks for them to be seen by everything that is loaded later. Its old zlib then takes the
    place of others: decoding a PNG with imagecodecs fails.
    """
    seen_by_all = ctypes.RTLD_GLOBAL
    setattr(ctypes, _MODE, ctypes.RTLD_LOCAL)
    try:
        return importlib.import_module("decord")
    finally:
        setattr(ctypes, _MODE, seen_by_all)


class _Decord:
    def __init__(self, info: ClipInfo) -> None:
        decord = _decord()
        self._reader = decord.VideoReader(str(info.path.absolute()), num_threads=_ONE_THREAD)

    def picture(self, index: int) -> Picture:
        return np.asarray(self._reader[index].asnumpy(), np.uint8)

    def agrees(self, info: ClipInfo) -> bool:
        """Tell whether it has the clip's frames at the clip's times."""
        if len(self._reader) != len(info):
            return False
        found = np.asarray(self._reader.get_frame_timestamp(range(len(info))))[:, 0]
        wanted = np.array([float(time * info.time_base) for time in info.times])
        return bool(np.abs(found - wanted).max() < _SAME_TIME)


def quick_reader(info: ClipInfo, checks: dict[int, Picture]) -> QuickReader | None:
    """Return a quick reader, None where there is none that agrees.

    Args:
        info: The clip.
        checks: A few of its frames, exact, by number.
    """
    if info.container != "stream":
        return None
    try:
        reader = _Decord(info)
        if reader.agrees(info) and all(
            _alike(reader.picture(index), picture) for index, picture in checks.items()
        ):
            return reader
    except Exception:  # decord raises its own kinds, also without a plain parent
        return None
    return None


def _alike(found: Picture, wanted: Picture) -> bool:
    if found.shape != wanted.shape:
        return False
    apart = np.abs(found.astype(np.int16) - wanted)
    return bool(apart.mean() < _SAME_LEVEL and np.quantile(apart, 0.999) <= _FAR_LEVEL)
