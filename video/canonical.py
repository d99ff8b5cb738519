"""The one picture of a shot: fitted to all frames, and sharp for those who paint on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from video.chains import resized_mask
from video.deformation import CanonicalWindow, Deformation
from video.filling import pulled_and_pushed
from video.flow_types import Confidence
from video.frame_edits import as_float
from video.frames import Frames
from video.inverse import inverted
from video.splat_sums import Colours, SplatSums
from video.warping import Field, sample

PRIOR = 0.02
"""What a guess filled from around counts against one frame's pixel."""

ITERATIONS = 12
"""Of conjugate gradients; a thousandth of the first error is left."""

_HALVED = 0.5  # a pixel is the frame's whose region covers more than this of it


@dataclass(frozen=True, kw_only=True)
class Canonical:
    """A shot's canonical picture.

    Attributes:
        window: Its extent, at its own size.
        picture: Its colours in [0, 1].
        coverage: How many of the span's frames show each pixel; 0 where it is made up from around.
    """

    window: CanonicalWindow
    picture: Colours
    coverage: Float32[np.ndarray, "h w"]


@dataclass(frozen=True)
class Laid:
    """A frame as it is laid into the canonical picture: colours, places and weights."""

    colours: Colours
    places: Field
    weight: Confidence


def least_squares(
    frames: Iterable[Laid], window: CanonicalWindow, *, start: Colours | None = None
) -> Canonical:
    """Return the picture from which the frames are read with least squared error.

    Args:
        frames: The frames, each with its pixels' canonical places and weights.
        window: The picture's extent.
        start: An earlier answer to go on from; else the mean of what falls on each pixel.
    """
    sums = SplatSums(window.size)
    for frame in frames:
        sums.add(frame.colours, frame.places, frame.weight)
    coverage = sums.coverage
    prior = pulled_and_pushed(sums.mean(), np.minimum(1, coverage), hold=1e-3)
    if start is not None:
        prior = np.where(coverage[..., None] > 0, start, prior)
    picture = sums.solved(prior, trust=PRIOR, iterations=ITERATIONS)
    return Canonical(window=window, picture=picture, coverage=coverage)


def read_back(canonical: Canonical, places: Field) -> Colours:
    """Return the frame that a canonical picture shows at its pixels' places."""
    return np.asarray(sample(canonical.picture, places))


def painted_upon(
    frames: Frames,
    deformation: Deformation,
    fitted: Canonical,
    *,
    regions: Callable[[int], Confidence | None] | None = None,
) -> Canonical:
    """Return the sharp canonical picture, at the frames' own size: the one that is painted on.

    The reference frame lies in it as it is. The margins around come from the frame nearest to it
    that shows them, so that nothing is blurred by averaging; what no frame shows is filled
    smoothly.

    Args:
        frames: The clip's frames, at full size.
        deformation: Of its shot.
        fitted: The canonical picture that was fitted along with it; tells the coverage.
        regions: The target's masks: with them only the target is taken from other frames.
    """
    window = deformation.window.resized(frames.size)
    width, height = window.size
    picture = np.zeros((height, width, 3), np.float32)
    known = np.zeros((height, width), bool)
    window.crop(picture)[...] = as_float(frames.rgb(deformation.reference))
    window.crop(known)[...] = True
    for index in _nearest_first(deformation):
        if known.all():
            break
        shown, at = _shown(deformation, index, window, regions)
        fresh = shown & ~known
        if fresh.any():
            read = sample(as_float(frames.rgb(index)), at, filter="cubic")
            picture[fresh] = np.clip(read[fresh], 0, 1)
            known |= fresh
    if not known.all():
        picture = pulled_and_pushed(picture, known.astype(np.float32), hold=1e-6)
    # what is painted on has 8 bits, so that an unpainted pixel comes back the very same
    picture = np.rint(picture * 255).astype(np.float32) / np.float32(255)
    coverage = resized_mask(fitted.coverage, window.size)
    return Canonical(window=window, picture=picture, coverage=coverage)


def _nearest_first(deformation: Deformation) -> Iterator[int]:
    others = [index for index in deformation.span if index != deformation.reference]
    return iter(sorted(others, key=lambda index: (abs(index - deformation.reference), index)))


def _shown(
    deformation: Deformation,
    index: int,
    window: CanonicalWindow,
    regions: Callable[[int], Confidence | None] | None,
) -> tuple[Bool[np.ndarray, "h w"], Field]:
    """Return which pixels of the full-size canonical picture a frame shows, and where."""
    small = deformation.window
    inverse = inverted(deformation.places(index), small.size)
    seen = inverse.seen.astype(np.float32)
    if regions is not None:
        mask = regions(index)
        if mask is None:
            return np.zeros(window.size[::-1], bool), np.zeros((*window.size[::-1], 2), np.float32)
        seen *= sample(resized_mask(mask, small.frame), inverse.places, border="zero")
    # the same map for larger pictures: both ends in shares of a frame
    scale = np.array(
        [window.frame[0] / small.frame[0], window.frame[1] / small.frame[1]], np.float32
    )
    x = (np.arange(window.size[0]) - window.left + 0.5) / scale[0] - 0.5 + small.left
    y = (np.arange(window.size[1]) - window.top + 0.5) / scale[1] - 0.5 + small.top
    fine = np.stack(np.meshgrid(x, y), axis=-1).astype(np.float32)
    at = (sample(inverse.places, fine) + np.float32(0.5)) * scale - np.float32(0.5)
    return sample(seen, fine, border="zero") > _HALVED, np.asarray(at, np.float32)


def sharpness(picture: Colours, weight: Confidence) -> float:
    """Return the mean slope of a weighted part's lightness, in grey levels a pixel."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) * 255
    x = cv2.Sobel(grey, -1, 1, 0, scale=1 / 8)
    y = cv2.Sobel(grey, -1, 0, 1, scale=1 / 8)
    total = float(weight.sum())
    return float((np.hypot(x, y) * weight).sum()) / total if total > 0 else 0.0
