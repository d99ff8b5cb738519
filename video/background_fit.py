"""How the background of a stretch lies in one picture, behind whatever hides it.

Neighbours' flows of the background alone are chained to a reference frame, and each chain is
aligned with the picture that the frames before it have shown: by flow anew, of which only the
affine part and a smooth rest are believed, for a hole's background is seen around it only.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from image_core.types import Mask, no_progress
from video.background import APART, Holes, common_motion
from video.canonical import Canonical
from video.chains import Chain, chains, resized_mask
from video.deformation import CanonicalWindow, DenseDeformation
from video.filling import pulled_and_pushed
from video.fitted import FittedShot
from video.flow import Dis, squared_length
from video.flow_types import Flows
from video.frame_edits import as_float
from video.frames import Frames, Picture, ScaledFrames, Span
from video.splat_sums import SplatSums
from video.warping import Field, chained, grid, sample

_MARGIN = 0.5  # of a frame's sides that the picture holds on each side of the reference frame
_KNOWN = 2.0  # frames that have shown a pixel, from which on further ones add nothing to it
_GAPS = 1e-3  # how far a shown pixel is drawn to its surroundings when gaps are filled
_ENOUGH = 0.02  # share of a frame that must be shown for it to be aligned
_SMOOTH = 12.0  # px over which what is not affine is averaged
_INERTIA = 0.2  # what no such rest counts there, against a pixel that tells
_AGAIN = Dis("normal")  # what is left to measure is small


def fit_background(
    frames: Frames,
    flows: Flows,
    span: Span,
    reference: int,
    shown: Callable[[int], Mask],
    holes: Holes,
    *,
    progress: Callable[[str, float], None] = no_progress,
) -> FittedShot:
    """Find where each pixel of each frame would lie in the reference frame, were it background.

    Args:
        frames: Of any size.
        flows: Between neighbours; their size is that of the fit.
        span: The frames.
        reference: The one among them that lies in the picture as it is.
        shown: Where each frame shows the background.
        holes: What is removed; the picture's window holds the places of all of it.
        progress: Told the stage "fit".
    """
    size = flows.size
    small = ScaledFrames(frames, size)
    aligned = _Aligned(small.rgb, shown, reference, size)
    displacements, confidences = {}, {}
    found = chains(flows, span, reference, size=size, regions=shown, corrected=aligned.corrected)
    for done, (index, chain) in enumerate(found, start=1):
        displacements[index] = chain.displacement
        confidences[index] = chain.confidence
        progress("fit", done / len(span))
    window = _window(displacements, holes, size)
    deformation = DenseDeformation.of(
        displacements, confidences, span=span, reference=reference, window=window
    )
    return FittedShot(
        deformation=deformation, canonical=aligned.canonical(window), held_out_psnr=()
    )


class _Aligned:
    """The growing picture of the background; give ``corrected`` to ``chains``."""

    def __init__(
        self,
        picture: Callable[[int], Picture],
        shown: Callable[[int], Mask],
        reference: int,
        size: tuple[int, int],
    ) -> None:
        self._picture, self._shown, self._size = picture, shown, size
        width, height = size
        self._margin = (round(_MARGIN * width), round(_MARGIN * height))
        self._origin = np.array(self._margin, np.float32)
        self._sums = SplatSums((width + 2 * self._margin[0], height + 2 * self._margin[1]))
        self._add(reference, grid(size))

    def corrected(self, index: int, chain: Chain) -> Chain:
        """Align a frame's chain, and lay the frame into the picture."""
        displacement = chain.displacement
        known = np.minimum(1, self._sums.coverage)
        mean = pulled_and_pushed(self._sums.mean(), known, hold=_GAPS)
        displacement = self._aligned(index, displacement, mean, known)
        displacement = behind(displacement, self._shown(index))
        self._add(index, grid(self._size) + displacement)
        return Chain(displacement=displacement, confidence=chain.confidence)

    def _aligned(
        self, index: int, displacement: Field, mean: np.ndarray, known: np.ndarray
    ) -> Field:
        frame = self._picture(index)
        places = grid(self._size) + displacement + self._origin
        told = self._shown(index) * sample(known, places, border="zero")
        if told.mean() < _ENOUGH:
            return displacement
        seen = np.clip(np.rint(sample(mean, places) * 255), 0, 255).astype(np.uint8)
        # where there is nothing to compare, nothing moves
        seen = np.where((told > 0)[..., None], seen, frame)
        flow = _AGAIN.flow(frame, seen)
        weight = np.asarray(told, np.float32)
        trend, deviation = common_motion(flow, weight)
        apart = squared_length(flow - trend) / np.float32(max(APART, deviation) ** 2)
        weight = np.asarray(weight / np.square(1 + apart), np.float32)
        rest = (flow - trend) * weight[..., None]
        share = cv2.GaussianBlur(weight, (0, 0), _SMOOTH)
        smooth = cv2.GaussianBlur(rest, (0, 0), _SMOOTH) / (share + np.float32(_INERTIA))[..., None]
        return chained(np.asarray(trend + smooth, np.float32), displacement)

    def _add(self, index: int, places: Field) -> None:
        places = places + self._origin
        known = sample(self._sums.coverage, places, border="zero")
        fresh = np.clip(1 - known / np.float32(_KNOWN), 0, 1)
        weight = np.asarray(self._shown(index) * fresh, np.float32)
        self._sums.add(as_float(self._picture(index)), places, weight)

    def canonical(self, window: CanonicalWindow) -> Canonical:
        """Return what of the picture lies in a window."""
        width, height = window.size
        x, y = np.meshgrid(np.arange(width), np.arange(height))
        places = np.stack((x, y), axis=-1).astype(np.float32) - window.origin + self._origin
        coverage = sample(self._sums.coverage, places, border="zero")
        mean = sample(self._sums.mean(), places, border="zero", filter="nearest")
        return Canonical(
            window=window,
            picture=pulled_and_pushed(mean, np.minimum(1, coverage), hold=_GAPS),
            coverage=coverage,
        )


def behind(displacement: Field, shown: Mask) -> Field:
    """Continue the background's motion from where it is seen to behind what hides it."""
    trend, _ = common_motion(displacement, shown)
    rest = pulled_and_pushed(np.asarray(displacement - trend, np.float32), shown, hold=_GAPS)
    return np.asarray(np.where(shown[..., None] > 0, displacement, trend + rest), np.float32)


def _window(
    displacements: dict[int, Field], holes: Holes, size: tuple[int, int]
) -> CanonicalWindow:
    """Choose the window that holds the background of all that is removed."""
    lowest, highest = np.zeros(2), np.array(size, np.float64) - 1
    for index, displacement in displacements.items():
        hole = holes(index)
        if hole is not None and hole.any():
            places = (grid(size) + displacement)[resized_mask(hole, size) > 0]
            lowest = np.minimum(lowest, places.min(axis=0) - 1)
            highest = np.maximum(highest, places.max(axis=0) + 1)
    return CanonicalWindow.holding(
        size, (float(lowest[0]), float(lowest[1])), (float(highest[0]), float(highest[1]))
    )
