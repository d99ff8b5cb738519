"""Where a clip is cut: stretches of frames that one camera took without a break.

PySceneDetect says where neighbouring frames differ more than those around them do; whether motion,
a flash or a fade explains that is asked of the optical flow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from jaxtyping import UInt8
from scenedetect import FrameTimecode
from scenedetect.detectors import AdaptiveDetector

from image_core.errors import InvalidInput
from image_core.types import no_progress
from video.flow import Dis
from video.frames import Frames, Picture, ScaledFrames, Span, working_size
from video.warping import warped

_SIDE = 160  # px; enough for what matters here, and quick
_WINDOW = 2  # frames on either side that a change is compared with
_FLASH = 2  # frames; what is interrupted for so long goes on afterwards
_RATE = 25.0  # frames a second, which the detector asks for; only numbers of frames are read here
_FLAT = 2.0  # grey levels; a frame that deviates less from its mean shows nothing
_SPREAD = 45.0  # grey levels of standard deviation that frames are brought to before comparing


@dataclass(frozen=True, kw_only=True)
class ShotSettings:
    """What is taken for a cut.

    Attributes:
        ratio: A change must exceed the mean of those around it so many times.
        least_change: And this, in the detector's units (the mean difference in hue, saturation and
            value, 0 to 255).
        alike: The correlation, after motion is undone, from which on two frames are of one shot.
            Of unrelated photos 90 % stay below 0.42 and all below 0.6; pans by a fifth of the
            picture from frame to frame stay above 0.7.
        shortest: A cut that leaves fewer frames than this on a side is none.
    """

    ratio: float = 1.5
    least_change: float = 8.0
    alike: float = 0.65
    shortest: int = 3


def find_shots(
    frames: Frames,
    *,
    settings: ShotSettings = ShotSettings(),
    progress: Callable[[str, float], None] = no_progress,
) -> list[Span]:
    """Return the shots of a clip, in order and without gaps.

    Reads each frame once, in order, but for those beside a fade. Dissolves are no cuts; a fade to
    black and back is one where another scene follows it.

    Args:
        frames: At any size; they are reduced first.
        settings: What is taken for a cut.
        progress: Told the stage "shots" and its done share.
    """
    count = len(frames)
    kept = 2 * (_WINDOW + _FLASH) + 4  # as far back as a change is looked at when it is told
    small = ScaledFrames(frames, working_size(frames.size, _SIDE), kept=kept)
    cuts = [0]
    joint: tuple[int, int] | None = None  # the frames beside the last cut that show something
    for cut in _changes(small, settings, progress):
        first, second = _sound(small, cut - 1, -1), _sound(small, cut, 1)
        if first is None or second is None or _goes_on(small, cut, first, second, settings.alike):
            continue
        if (first, second) == joint:  # a fade out and the fade in after it
            cuts.pop()
        joint = None
        if min(cut - cuts[-1], count - cut) >= settings.shortest:
            cuts.append(cut)
            joint = first, second
    return [Span(start, stop) for start, stop in zip(cuts, [*cuts[1:], count], strict=True)]


def _changes(
    frames: Frames, settings: ShotSettings, progress: Callable[[str, float], None]
) -> Iterator[int]:
    """Go through the frames that differ from the one before more than frames do around there."""
    detector = AdaptiveDetector(
        adaptive_threshold=settings.ratio,
        min_content_val=settings.least_change,
        window_width=_WINDOW,
        min_scene_len=1,
    )
    count = len(frames)
    # the ends are repeated, so that changes next to them have surroundings as well
    for place in range(-_WINDOW, count + _WINDOW):
        index = min(max(place, 0), count - 1)
        picture = cv2.cvtColor(frames.rgb(index), cv2.COLOR_RGB2BGR)
        told = detector.process_frame(FrameTimecode(place + _WINDOW, _RATE), picture)
        progress("shots", (index + 1) / count)
        yield from (code.frame_num - _WINDOW for code in told)


def _sound(frames: Frames, index: int, step: int) -> int | None:
    """Return the nearest frame, from one on in a direction, that shows anything at all."""
    while 0 <= index < len(frames):
        if float(np.std(_grey(frames.rgb(index)))) >= _FLAT:
            return index
        index += step
    return None


def _goes_on(frames: Frames, cut: int, first: int, second: int, alike: float) -> bool:
    """Tell whether motion explains a change, or what was interrupted goes on behind it."""
    before = [first, *(cut - 1 - k for k in range(1, _FLASH + 1) if cut - 1 - k < first)]
    after = [second, *(cut + k for k in range(1, _FLASH + 1) if cut + k > second)]
    pairs = [(first, second), *((first, b) for b in after[1:]), *((a, second) for a in before[1:])]
    inside = [(a, b) for a, b in pairs if a >= 0 and b < len(frames)]
    return any(likeness(frames.rgb(a), frames.rgb(b)) >= alike for a, b in inside)


def likeness(first: Picture, second: Picture) -> float:
    """Return the correlation of two frames after motion and a change of light are undone."""
    one, other = _levelled(first), _levelled(second)
    moved = warped(other, Dis().flow(*(cv2.cvtColor(g, cv2.COLOR_GRAY2RGB) for g in (one, other))))
    return float(np.corrcoef(one.ravel(), moved.ravel())[0, 1]) if moved.std() > 0 else 0.0


def _grey(picture: Picture) -> UInt8[np.ndarray, "h w"]:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)


def _levelled(picture: Picture) -> UInt8[np.ndarray, "h w"]:
    """Return a frame in grey, of one mean and one spread for all frames."""
    grey = _grey(picture).astype(np.float32)
    spread = max(float(grey.std()), _FLAT)
    levelled = 128 + (grey - grey.mean()) * (_SPREAD / spread)
    return np.asarray(np.clip(levelled, 0, 255), np.uint8)


def as_records(shots: Sequence[Span]) -> list[list[int]]:
    """Return shots as JSON can hold them: the start and the stop of each."""
    return [[shot.start, shot.stop] for shot in shots]


def from_records(records: Any, count: int) -> list[Span]:
    """Read what ``as_records`` made.

    Args:
        records: Parsed JSON.
        count: How many frames the clip has.

    Raises:
        InvalidInput: It is no list of shots that follow each other through the whole clip.
    """
    try:
        shots = [Span(start, stop) for start, stop in records]
        edges = [0, *(shot.stop for shot in shots)]
        right = (
            all(type(edge) is int for edge in edges)
            and [shot.start for shot in shots] == edges[:-1]
            and all(len(shot) > 0 for shot in shots)
            and edges[-1] == count
        )
    except (TypeError, ValueError):
        right = False
    if not right:
        raise InvalidInput(
            f"these are no shots of a clip of {count} frames: {str(records)[:80]}",
            hint="Let the shots be found anew.",
        )
    return shots
