"""How steady the versions of a clip are inside a region, followed along the source's motion.

Several versions (the source, our output, a rival's) are measured on the same pixels along the same
flow, so that their numbers can be compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float64

from image_core.types import Mask
from video.chains import resized_mask
from video.flow_types import Flows, PairFlow
from video.frame_edits import as_float
from video.frames import Picture, Span
from video.measures import Grey, flicker, grey_levels, mean_slope, region_stability, warp_error
from video.warping import resized_flow

INSIDE = 0.5
"""Alpha from which a pixel counts as inside the region."""


@dataclass(frozen=True, kw_only=True)
class MotionRow:
    """What was measured between a frame and the next, NaN where it cannot be.

    Attributes:
        index: The earlier frame.
        warp_error: Of each version: mean grey levels between the frame and the next one, carried
            back.
        slope: Of each version: mean gradient in the region, grey levels a pixel.
        flicker: Of each version: mean grey levels by which the frame stands out from both its
            neighbours; NaN for a shot's first frame.
        pulse: Of each version: how far the region's mean colour leaves the line between its
            neighbours' (length of the second difference), in levels of 0 to 255.
        stability: How far the region agrees with the next frame's, carried back.
    """

    index: int
    warp_error: Mapping[str, float]
    slope: Mapping[str, float]
    flicker: Mapping[str, float]
    pulse: Mapping[str, float]
    stability: float

    def steadiness(self, version: str) -> float:
        """Return the warp error divided by the slope: by about how many pixels things jump."""
        slope = self.slope[version]
        return self.warp_error[version] / slope if slope > 0 else float("nan")


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """A frame that was added.

    Attributes:
        index: Its number.
        alpha: The region.
        greys: Of each version.
        colours: Each version's mean colour in the region, 0 to 255; None without a region.
        earlier: The flow from the frame before it, at full size; None for a shot's first frame.
    """

    index: int
    alpha: Mask
    greys: Mapping[str, Grey]
    colours: Mapping[str, Float64[np.ndarray, " 3"]] | None
    earlier: PairFlow | None


@dataclass
class MotionTally:
    """Rows for neighbouring frames, made as the frames come; three are in memory.

    Attributes:
        flows: Of the source, at any size.
        shots: Frames of different shots are not compared.
        rows: What was measured so far.
    """

    flows: Flows
    shots: Sequence[Span]
    rows: list[MotionRow] = field(default_factory=list)
    _kept: list[_Seen] = field(default_factory=list, repr=False)

    def add(self, index: int, pictures: Mapping[str, Picture], alpha: Mask) -> None:
        """Take the next frame.

        Args:
            index: Its number in the source.
            pictures: Its versions, by name; the same names each time.
            alpha: The region that counts, in [0, 1].
        """
        kept = self._kept
        follows = bool(kept) and kept[-1].index == index - 1
        if not (follows and any(index in shot and index - 1 in shot for shot in self.shots)):
            kept.clear()
        height, width = alpha.shape
        seen = _Seen(
            index=index,
            alpha=alpha,
            greys={name: grey_levels(as_float(picture)) for name, picture in pictures.items()},
            colours=_mean_colours(pictures, alpha),
            earlier=resized_pair(self.flows.pair(index - 1), (width, height)) if kept else None,
        )
        if kept and (kept[-1].alpha.any() or alpha.any()):
            self.rows.append(_row(kept[-2] if len(kept) > 1 else None, kept[-1], seen))
        kept.append(seen)
        del kept[:-2]

    def steadiness(self, version: str) -> float:
        """Return the mean over all rows; NaN where there is none."""
        return mean([row.steadiness(version) for row in self.rows])


def mean(values: Sequence[float]) -> float:
    """Return the mean of those that are numbers; NaN of none."""
    finite = [value for value in values if np.isfinite(value)]
    return float(np.mean(finite)) if finite else float("nan")


def resized_pair(pair: PairFlow, size: tuple[int, int]) -> PairFlow:
    """Bring a pair of flows and their confidences to a picture size."""
    return PairFlow(
        forward=resized_flow(pair.forward, size),
        backward=resized_flow(pair.backward, size),
        forward_confidence=resized_mask(pair.forward_confidence, size),
        backward_confidence=resized_mask(pair.backward_confidence, size),
    )


def _row(before: _Seen | None, now: _Seen, after: _Seen) -> MotionRow:
    pair = after.earlier
    assert pair is not None
    errors, slopes, flickers, pulses = {}, {}, {}, {}
    for name, grey in now.greys.items():
        errors[name] = warp_error(grey, after.greys[name], pair, now.alpha)
        slopes[name] = mean_slope(grey, now.alpha)
        flickers[name], pulses[name] = float("nan"), float("nan")
        if before is not None and now.earlier is not None:
            flickers[name] = flicker(
                before.greys[name], grey, after.greys[name], now.earlier, pair, now.alpha
            )
            pulses[name] = _pulse(before, now, after, name)
    return MotionRow(
        index=now.index,
        warp_error=errors,
        slope=slopes,
        flicker=flickers,
        pulse=pulses,
        stability=region_stability(now.alpha, after.alpha, pair),
    )


def _pulse(before: _Seen, now: _Seen, after: _Seen, name: str) -> float:
    if before.colours is None or now.colours is None or after.colours is None:
        return float("nan")
    bend = before.colours[name] - 2 * now.colours[name] + after.colours[name]
    return float(np.linalg.norm(bend))


def _mean_colours(
    pictures: Mapping[str, Picture], alpha: Mask
) -> dict[str, Float64[np.ndarray, " 3"]] | None:
    inside = alpha >= INSIDE
    if not inside.any():
        return None
    return {name: picture[inside].mean(axis=0, dtype=float) for name, picture in pictures.items()}
