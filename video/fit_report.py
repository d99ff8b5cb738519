"""How well a fit can carry an edit: numbers a frame and a shot, and a warning where it can't."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from video.canonical import read_back, sharpness
from video.chains import Regions, region_at, resized_mask
from video.fitted import FittedShot
from video.flow_types import Confidence, Flows, PairFlow
from video.frame_edits import as_float
from video.frames import Frames, ScaledFrames
from video.measures import Grey, fold_share, likeness, steadiness
from video.warping import resized_flow, sample

STRIPES = 12.0
"""Wave length of the painted test pattern in canonical pixels at the size of the fit."""

DEPTH = 60.0
"""Its depth in grey levels."""

_SLANT = 0.6  # down per across: no stripe lies along the pixels


@dataclass(frozen=True, kw_only=True)
class FrameQuality:
    """How well one frame is fitted.

    Attributes:
        index: The frame.
        psnr: Of what the canonical picture shows of it, inside the region, in dB; NaN without one.
        psnr_all: The same for the whole frame.
        folds: Share of the region in which the deformation folds.
        followed: Mean confidence of the region's motion.
        slip: By how many pixels a painted pattern slips on the picture till the next frame: its
            warp error by the frames' own flow, divided by its mean slope; NaN for the last frame
            and where no flow is consistent.
    """

    index: int
    psnr: float
    psnr_all: float
    folds: float
    followed: float
    slip: float


@dataclass(frozen=True, kw_only=True)
class Limits:
    """From where on a fit is too poor, calibrated on the wolf clip and on clips made to fail.

    Attributes:
        psnr: The mean over the frames, inside the region, in dB.
        worst_psnr: Of the worst frame.
        folds: Mean share.
        followed: Mean confidence.
        slip: Mean, in pixels of the fit.
    """

    psnr: float = 27.0
    worst_psnr: float = 21.0
    folds: float = 0.04
    followed: float = 0.35
    slip: float = 0.5


@dataclass(frozen=True, kw_only=True)
class ShotQuality:
    """How well a shot is fitted.

    Attributes:
        frames: Frame by frame.
        coverage: Share of the canonical picture's window that some frame shows.
        blur: Slope of the fitted canonical picture against that of the frames: 1 is as sharp.
    """

    frames: tuple[FrameQuality, ...]
    coverage: float
    blur: float

    def mean(self, name: str) -> float:
        """Return the mean of one of the frames' numbers, over those that have it."""
        return _mean([float(getattr(frame, name)) for frame in self.frames])

    @property
    def worst_psnr(self) -> float:
        """Of the worst frame, inside the region, in dB."""
        values = [frame.psnr for frame in self.frames if np.isfinite(frame.psnr)]
        return min(values, default=float("nan"))

    def warning(self, limits: Limits | None = None) -> str | None:
        """Say with numbers why the fit is too poor to carry an edit; None where it is not."""
        limits = limits or Limits()
        reasons = []
        if self.mean("psnr") < limits.psnr or self.worst_psnr < limits.worst_psnr:
            reasons.append(
                f"it shows the frames with {self.mean('psnr'):.1f} dB (worst {self.worst_psnr:.1f})"
            )
        if self.mean("folds") > limits.folds:
            reasons.append(f"it folds in {self.mean('folds'):.1%} of the region")
        if self.mean("followed") < limits.followed:
            reasons.append(f"motion was lost in {1 - self.mean('followed'):.0%} of it")
        if self.mean("slip") > limits.slip:
            reasons.append(f"a painted pattern slips {self.mean('slip'):.1f} pixels a frame on it")
        if not reasons:
            return None
        start, stop = self.frames[0].index, self.frames[-1].index
        return (
            f"frames {start} to {stop}: one canonical picture is too poor to carry a painted edit: "
            + ", ".join(reasons)
            + "; expect ghosts or torn patterns where the target turns, folds or is hidden"
        )


def fit_quality(
    fit: FittedShot, frames: Frames, flows: Flows, *, regions: Regions | None = None
) -> ShotQuality:
    """Measure a fit.

    Args:
        fit: What was fitted.
        frames: The clip's frames, of any size.
        flows: Between neighbours.
        regions: The target's masks; the whole frames count without.
    """
    deformation, size = fit.deformation, fit.deformation.window.frame
    small = ScaledFrames(frames, size)
    qualities, slopes = [], []
    for index in deformation.span:
        frame, places = as_float(small.rgb(index)), deformation.places(index)
        mask = region_at(regions, index, size)
        region = np.ones(size[::-1], np.float32) if mask is None else mask
        shown = read_back(fit.canonical, places)
        inside = float(region.sum())
        trust = float((deformation.confidence(index) * region).sum()) / inside if inside else np.nan
        slopes.append((sharpness(shown, region), sharpness(frame, region)))
        slip = float("nan")
        if index + 1 in deformation.span:
            pair = _small_pair(flows.pair(index), size)
            slip = _slip(fit, index, pair, region)
        qualities.append(
            FrameQuality(
                index=index,
                psnr=likeness(shown, frame, region),
                psnr_all=likeness(shown, frame),
                folds=fold_share(places, region),
                followed=trust,
                slip=slip,
            )
        )
    shown_slope, own_slope = np.sum(slopes, axis=0)
    return ShotQuality(
        frames=tuple(qualities),
        coverage=float((fit.canonical.coverage > 0).mean()),
        blur=float(shown_slope / own_slope) if own_slope > 0 else 1.0,
    )


def stripes(size: tuple[int, int]) -> Grey:
    """Return a pattern to paint on a canonical picture: slanting waves, in grey levels."""
    width, height = size
    down, across = np.mgrid[:height, :width].astype(np.float32)
    phase = (across + np.float32(_SLANT) * down) * np.float32(2 * np.pi / STRIPES)
    return np.asarray(np.float32(DEPTH / 2) * np.sin(phase), np.float32)


def _slip(fit: FittedShot, index: int, pair: PairFlow, region: Confidence) -> float:
    """Return by how many pixels the test pattern slips on the picture till the next frame."""
    pattern = stripes(fit.canonical.window.size)
    now, then = (sample(pattern, fit.deformation.places(number)) for number in (index, index + 1))
    return steadiness(np.asarray(now), np.asarray(then), pair, region)


def _small_pair(pair: PairFlow, size: tuple[int, int]) -> PairFlow:
    return PairFlow(
        forward=resized_flow(pair.forward, size),
        backward=resized_flow(pair.backward, size),
        forward_confidence=resized_mask(pair.forward_confidence, size),
        backward_confidence=resized_mask(pair.backward_confidence, size),
    )


def _mean(values: list[float]) -> float:
    finite = [value for value in values if np.isfinite(value)]
    return float(np.mean(finite)) if finite else float("nan")
