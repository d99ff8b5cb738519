"""On which frame a phrase is best looked for: the one that shows its target best."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from image_core.compositing import union
from image_core.errors import InsituError, InvalidInput, TargetNotFound
from image_core.types import Image, Location, Mask
from video.frames import Frames, Span

Locate = Callable[[Sequence[Image]], Sequence[Location | InsituError]]
"""Finds the target on each of some pictures, as ``LocalEditor.locate`` does."""

_CUT_OFF = 0.25
"""What a target counts that lies on the picture's border all around, against a free one."""


@dataclass(frozen=True, kw_only=True)
class KeyFrame:
    """The frame that was chosen.

    Attributes:
        index: Its number.
        location: Where the target is on it.
        quality: In [0, 1]: confidence, how much of it is seen, and how freely.
    """

    index: int
    location: Location
    quality: float


def samples_of(span: Span, samples: int) -> list[int]:
    """Return up to so many frames of a stretch, evenly spread, each in the middle of its share.

    Raises:
        InvalidInput: Not even one is asked for.
    """
    if samples < 1 or len(span) < 1:
        raise InvalidInput("a key frame needs at least one frame to choose from")
    count = min(samples, len(span))
    return [span.start + (2 * k + 1) * len(span) // (2 * count) for k in range(count)]


def best_key(frames: Frames, span: Span, locate: Locate, *, samples: int = 7) -> KeyFrame:
    """Choose the frame of a stretch that shows the target best.

    That is the one with the largest product of confidence, the share of the largest area found, and
    how far the target keeps away from the picture's border, which may cut it off.

    Args:
        frames: At full size.
        span: The stretch.
        locate: Finds the target.
        samples: How many frames are looked at.

    Raises:
        InsituError: The target was found on none of them; what was said most often is raised, the
            first of equals.
        InvalidInput: No frame to choose from.
    """
    places = samples_of(span, samples)
    found: dict[int, Location] = {}
    refused: list[InsituError] = []
    for index in places:
        # one by one: a picture in floating point is large
        picture = frames.rgb(index).astype(np.float32) / np.float32(255)
        (outcome,) = locate([picture])
        if isinstance(outcome, InsituError):
            refused.append(outcome)
        else:
            found[index] = outcome
    alphas = {k: union([region.alpha for region in found[k].regions]) for k in found}
    areas = {k: float(alpha.sum(dtype=np.float64)) for k, alpha in alphas.items()}
    largest = max(areas.values(), default=0.0)
    if largest <= 0:
        raise _commonest(refused)
    quality = {
        k: min(region.confidence for region in found[k].regions)
        * areas[k]
        / largest
        * freedom(alphas[k])
        for k in found
    }
    index = max(quality, key=lambda k: (quality[k], -k))
    return KeyFrame(index=index, location=found[index], quality=quality[index])


def freedom(alpha: Mask) -> float:
    """Return 1 for a region away from the picture's border, less the more lies on it.

    The border pixels that it covers, against the circumference of a disc of its area.
    """
    inside = alpha > 0.5
    area = float(np.count_nonzero(inside))
    if area == 0:
        return 0.0
    rim = inside[0].sum() + inside[-1].sum() + inside[1:-1, 0].sum() + inside[1:-1, -1].sum()
    return float(1 - (1 - _CUT_OFF) * min(1.0, float(rim) / (4 * np.pi * area) ** 0.5))


def _commonest(errors: Sequence[InsituError]) -> InsituError:
    if not errors:
        return TargetNotFound("the regions found are empty")
    kinds = [type(error) for error in errors]
    return errors[kinds.index(max(kinds, key=lambda kind: (kinds.count(kind), -kinds.index(kind))))]
