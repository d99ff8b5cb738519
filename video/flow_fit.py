"""The quick fit: chained flow, a least-squares canonical picture, splines that pull both together.

After briefs measured for this project: dense flow chained to the reference frame carries most of
the motion; a residual cubic B-spline field a frame, from coarse to fine, takes up the drift; the
canonical picture is solved anew after each sweep over the frames.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from image_core.errors import InvalidInput
from image_core.types import no_progress
from video.canonical import Canonical, Laid, least_squares, read_back
from video.chains import Regions, chains, region_at, resized_mask
from video.deformation import CanonicalWindow, DenseDeformation
from video.fitted import FittedShot
from video.flow_types import Confidence, Flows
from video.frame_edits import as_float
from video.frames import Frames, Picture, ScaledFrames, Span, working_size
from video.measures import peak_ratio
from video.relocking import Relock, RelockSettings
from video.splat_sums import Colours
from video.spline_field import Controls, Smoothness, SplineGrid, refined
from video.spline_fit import Sight, Slopes, SplineSettings, robust, stepped
from video.warping import Field, chained, grid, resized_flow

_HELD_OUT = 17
"""One pixel in so many is held out of the fit, to tell when it stops getting better."""

_NO_GAIN = 0.02
"""Decibels on the held-out pixels under which a further sweep is not worth its time."""

_SURE = 0.5  # confidence from which a place counts for the size of the window
_RANGE = (0.002, 0.998)  # quantiles of a frame's places that the window must hold
_ROBUST = 2.0  # colours count in the picture up to so many times what they count in the motion


@dataclass(frozen=True, kw_only=True)
class FlowFitSettings:
    """How much is spent on a fit.

    Attributes:
        side: The longer side of the frames that are fitted, in pixels.
        relock: How chains of a target are kept from drifting; None lets them. Whole frames are
            never relocked: what moves behind what would be pulled across the outlines.
        splines: How the splines are fitted; None keeps the chained flow as it is.
    """

    side: int = 240
    relock: RelockSettings | None = field(default_factory=RelockSettings)
    splines: SplineSettings | None = field(default_factory=SplineSettings)


PRESETS: Mapping[str, FlowFitSettings] = {
    "draft": FlowFitSettings(splines=None),
    "normal": FlowFitSettings(),
    "best": FlowFitSettings(side=320, splines=SplineSettings(sweeps=(1, 2, 4, 6))),
}
"""What each quality of the command line spends."""


def fit_flow(
    frames: Frames,
    flows: Flows,
    span: Span,
    *,
    reference: int,
    settings: FlowFitSettings | None = None,
    regions: Regions | None = None,
    progress: Callable[[str, float], None] = no_progress,
) -> FittedShot:
    """Fit one canonical picture to the frames of a span.

    Memory grows with the span's length, not with the clip's.

    Args:
        frames: The clip's frames, of any size.
        flows: Between neighbours, of any size.
        span: The frames to fit.
        reference: The one among them that lies in the canonical picture as it is.
        settings: How much is spent.
        regions: The target's mask on each frame; with them the target alone is fitted, and what
            lies around moves on smoothly with it.
        progress: Told the stage's name and its done share.

    Raises:
        InvalidInput: The reference frame is not one of the span.
    """
    if reference not in span:
        raise InvalidInput(
            f"the reference frame {reference} is not one of {span.start} to {span.stop - 1}",
            hint="choose one inside the span",
        )
    settings = settings or FlowFitSettings()
    work = _Work(frames, flows, span, reference, settings, regions)
    work.solve_picture()
    work.solve_picture()
    history = [work.held_out_psnr()]
    splines = settings.splines
    if splines is not None and len(span) > 1:
        for done in work.sweeps(splines, history):
            progress("fit", done)
    progress("fit", 1.0)
    return work.finished(tuple(history))


class _Work:
    """What a fit holds while it runs."""

    def __init__(
        self,
        frames: Frames,
        flows: Flows,
        span: Span,
        reference: int,
        settings: FlowFitSettings,
        regions: Regions | None,
    ) -> None:
        self.size = working_size(frames.size, settings.side)
        self.span, self.reference = span, reference
        self.noise = (settings.splines or SplineSettings()).noise * _ROBUST
        small = ScaledFrames(frames, self.size)
        self.frames: dict[int, Picture] = {index: small.rgb(index) for index in span}
        self.masks = {index: region_at(regions, index, self.size) for index in span}
        self.base: dict[int, Field] = {}
        self.confidence: dict[int, Confidence] = {}
        correction = None
        if settings.relock is not None and regions is not None:
            correction = Relock(
                lambda index: as_float(self.frames[index]),
                self.weight,
                reference=reference,
                size=self.size,
                settings=settings.relock,
            ).corrected
        for index, chain in chains(
            flows, span, reference, size=self.size, regions=regions, corrected=correction
        ):
            self.base[index] = chain.displacement
            self.confidence[index] = chain.confidence
        self.links = _Links(flows, span, self.size)
        self.window = _window(self.base, self.confidence, self.size)
        self.moved = dict(self.base)
        self.canonical: Canonical | None = None

    def places(self, index: int) -> Field:
        """Return where a frame's pixels lie at present."""
        return np.asarray(grid(self.size) + self.moved[index] + self.window.origin)

    def weight(self, index: int) -> Confidence:
        """Return how much a frame's pixels count: the region's, where there is one."""
        mask = self.masks[index]
        return np.ones(self.size[::-1], np.float32) if mask is None else mask

    def difference(self, index: int) -> Colours:
        """Return what the canonical picture shows too much at a frame's pixels."""
        assert self.canonical is not None
        return np.asarray(
            read_back(self.canonical, self.places(index)) - as_float(self.frames[index])
        )

    def solve_picture(self, *, all_pixels: bool = False) -> None:
        """Solve for the canonical picture, with weights from how well the last one fits."""
        laid = []
        for index in self.span:
            weight = self.weight(index)
            if not all_pixels:
                weight = weight * ~_held_out(index, self.size)
            if self.canonical is not None:
                weight = weight * robust(self.difference(index), self.noise)
            laid.append(Laid(as_float(self.frames[index]), self.places(index), weight))
        start = None if self.canonical is None else self.canonical.picture
        self.canonical = least_squares(laid, self.window, start=start)

    def held_out_psnr(self) -> float:
        """Return how well pixels are shown that the fit didn't see, in dB."""
        squared, count = 0.0, 0.0
        for index in self.span:
            weight = self.weight(index) * _held_out(index, self.size)
            squared += float((np.square(self.difference(index)).mean(axis=-1) * weight).sum())
            count += float(weight.sum())
        return peak_ratio(squared / count) if count > 0 else float("nan")

    def sweeps(self, settings: SplineSettings, history: list[float]) -> Iterator[float]:
        """Refine all frames' splines sweep by sweep; yields the done share."""
        over = SplineGrid.over(self.size, settings.cells)
        controls = {index: np.zeros((2, *over.shape), np.float32) for index in self.span}
        done, total = 0, sum(settings.sweeps)
        for level, sweeps in enumerate(settings.sweeps):
            if level:
                over = over.finer()
                controls = {index: refined(control) for index, control in controls.items()}
            smoothness = Smoothness(over, first=settings.first, second=settings.second)
            for sweep in range(sweeps):
                self._sweep(over, smoothness, controls, settings)
                self.solve_picture()
                history.append(self.held_out_psnr())
                done += 1
                yield done / total
                last = level == len(settings.sweeps) - 1
                if last and sweep and not history[-1] - history[-2] > _NO_GAIN:
                    return

    def _sweep(
        self,
        over: SplineGrid,
        smoothness: Smoothness,
        controls: dict[int, Controls],
        settings: SplineSettings,
    ) -> None:
        assert self.canonical is not None
        slopes = Slopes.of(self.canonical.picture)
        # outwards from the reference frame, which stays where it is
        for index in sorted(self.span, key=lambda index: abs(index - self.reference)):
            if index == self.reference:
                continue
            wanted, trust = self.links.followed(index, self.moved)
            sight = Sight(
                frame=as_float(self.frames[index]),
                base=grid(self.size) + self.base[index] + self.window.origin,
                weight=self.weight(index) * ~_held_out(index, self.size),
                followed=wanted - self.base[index],
                trust=trust,
            )
            controls[index] = stepped(over, smoothness, controls[index], slopes, sight, settings)
            self.moved[index] = self.base[index] + np.moveaxis(over.field(controls[index]), 0, -1)

    def finished(self, history: tuple[float, ...]) -> FittedShot:
        """Solve the picture once more with all pixels and hand over."""
        self.solve_picture(all_pixels=True)
        assert self.canonical is not None
        deformation = DenseDeformation.of(
            self.moved,
            self.confidence,
            span=self.span,
            reference=self.reference,
            window=self.window,
        )
        return FittedShot(deformation=deformation, canonical=self.canonical, held_out_psnr=history)


class _Links:
    """The neighbours' flows at the size of the fit, kept for all sweeps, at half precision."""

    def __init__(self, flows: Flows, span: Span, size: tuple[int, int]) -> None:
        self._span = span
        self._kept = {}
        for index in range(span.start, span.stop - 1):
            pair = flows.pair(index)
            self._kept[index, index + 1] = _half(pair.forward, pair.forward_confidence, size)
            self._kept[index + 1, index] = _half(pair.backward, pair.backward_confidence, size)

    def followed(self, index: int, moved: dict[int, Field]) -> tuple[Field, Confidence]:
        """Return the displacement with which a frame agrees with its neighbours', and its trust."""
        total = np.zeros_like(moved[index])
        trust = np.zeros(total.shape[:2], np.float32)
        for neighbour in (index - 1, index + 1):
            if neighbour in self._span:
                flow, confidence = (
                    kept.astype(np.float32) for kept in self._kept[index, neighbour]
                )
                total += confidence[..., None] * chained(flow, moved[neighbour])
                trust += confidence
        return total / np.maximum(trust, np.float32(1e-3))[..., None], trust


def _half(
    flow: Field, confidence: Confidence, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    small = resized_flow(flow, size).astype(np.float16)
    return small, resized_mask(confidence, size).astype(np.float16)


def _held_out(index: int, size: tuple[int, int]) -> np.ndarray:
    width, height = size
    down, across = np.ogrid[:height, :width]
    return np.asarray((across + 5 * down + 7 * index) % _HELD_OUT == 0)


def _window(
    displacements: dict[int, Field], confidences: dict[int, Confidence], size: tuple[int, int]
) -> CanonicalWindow:
    """Choose the canonical window that holds what the frames show of it."""
    lowest, highest = [], []
    for index, displacement in displacements.items():
        sure = (grid(size) + displacement)[confidences[index] > _SURE]
        if len(sure):
            low, high = np.quantile(sure, _RANGE, axis=0)
            lowest.append(low)
            highest.append(high)
    least, most = np.min(lowest, axis=0), np.max(highest, axis=0)
    return CanonicalWindow.holding(
        size, (float(least[0]), float(least[1])), (float(most[0]), float(most[1]))
    )
