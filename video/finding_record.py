"""Where the target was found, as it stands in a receipt: key frames and their alphas, and back.

The alphas themselves are kept, 8-bit PNG as text, so that a repetition needs neither the masks that
were given nor what found and cut the target.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np

from image_core.errors import IntegrityError
from image_core.types import Location, Mask, Region
from video.clip import Clip
from video.finding import ShotKey, exact_image
from video.frames import Span

_PEAK = np.float32(255)


def alphas_record(key: ShotKey) -> dict[str, list[str]]:
    """Return the alphas of a key frame, and of frames with masks of their own, one a step.

    Args:
        key: Its alphas lie on the 8-bit grid.
    """
    places = {key.index: key.location, **key.given}
    return {
        str(index): [_text(region.alpha) for region in places[index].regions]
        for index in sorted(places)
    }


def keys_of_record(rows: Sequence[Mapping[str, Any]], clip: Clip) -> tuple[ShotKey, ...]:
    """Return the key frames that a receipt tells of.

    Args:
        rows: The receipt's ``regions``.
        clip: The source.

    Raises:
        IntegrityError: They are not of this clip, or cannot be read.
    """
    try:
        return tuple(_key(row, clip) for row in rows)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise IntegrityError(f"the receipt's regions cannot be read: {error!r}") from error


def _key(row: Mapping[str, Any], clip: Clip) -> ShotKey:
    start, stop = map(int, row["frames"])
    index = int(row["key_frame"])
    if not (0 <= start <= index < stop <= len(clip)):
        raise ValueError(f"frame {index} of {start} to {stop} in a clip of {len(clip)}")
    places = {
        int(frame): _location(texts, row["steps"], clip.size)
        for frame, texts in row["alphas"].items()
    }
    return ShotKey(
        span=Span(start, stop),
        index=index,
        image=exact_image(clip, index),
        location=places.pop(index),
        given=places,
    )


def _location(
    texts: Sequence[str], steps: Sequence[Mapping[str, Any]], size: tuple[int, int]
) -> Location:
    regions = [
        Region(
            alpha=_alpha(text, size),
            confidence=float(step["confidence"]),
            evidence=str(step["evidence"]),
        )
        for text, step in zip(texts, steps, strict=True)
    ]
    return Location(regions=tuple(regions))


def _text(alpha: Mask) -> str:
    done, data = cv2.imencode(".png", np.rint(alpha * _PEAK).astype(np.uint8))
    assert done
    return base64.b64encode(data.tobytes()).decode("ascii")


def _alpha(text: str, size: tuple[int, int]) -> Mask:
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("an alpha is no text of a PNG") from error
    levels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) if data else None
    if levels is None or levels.dtype != np.uint8 or levels.shape != size[::-1]:
        raise ValueError("an alpha is no 8-bit picture of the clip's size")
    return np.asarray(levels / _PEAK, np.float32)
