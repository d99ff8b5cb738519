"""A region carried from its key frame through a stretch of frames, both ways."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np

from image_core.errors import InvalidInput
from image_core.types import Mask, no_progress
from video.appearance import Bins, Palette, Sight, bins_of, colour_table, palette, ring_width
from video.carrying import Prediction, believed, predict, start, update
from video.fine_alpha import fine_alpha, resized_alpha, steadied
from video.flow import Chain
from video.flow_types import Confidence, Flows, flow_to
from video.frames import Frames, Picture, Span
from video.motion_ahead import ahead_odds
from video.step_settings import StepSettings
from video.warping import Field
from video.weighing import Evidence, decide, weigh


@dataclass(frozen=True, kw_only=True)
class CarrySettings:
    """How a region is carried.

    Attributes:
        step: What decides a frame's outline.
        steady: The neighbour's share in the alpha, where the flow to it is trusted: 0 leaves each
            frame to itself, 0.9 makes outlines slow.
        least: Of the key region's area; less than this is not worth an edit and dropped.
        least_support: A region is dropped when for a smaller share of its pixels motion is trusted
            or colour speaks: another scene, or a target lost.
    """

    step: StepSettings = field(default_factory=StepSettings)
    steady: float = 0.5
    least: float = 0.01
    least_support: float = 0.5


@dataclass(frozen=True, kw_only=True)
class CarriedFrame:
    """The region on one frame.

    Attributes:
        index: The frame.
        alpha: Float32 (H, W) in [0, 1] on the 8-bit grid, at the frame's full size; None where the
            target is out of view, or nothing speaks for what was found any more.
        trust: The share of the region's pixels whose motion is confirmed, back and forth.
        agreement: How far motion alone and the picture's edges tell the same (overlap over union).
    """

    index: int
    alpha: Mask | None
    trust: float
    agreement: float


_NOTHING_DONE: Mapping[int, Mask | None] = {}
_LEAST_PIXELS = 12.0  # at the working size; less is no region


def carry(
    frames: Frames,
    flows: Flows,
    span: Span,
    key: int,
    region: Mask,
    *,
    settings: CarrySettings = CarrySettings(),
    done: Mapping[int, Mask | None] = _NOTHING_DONE,
    progress: Callable[[str, float], None] = no_progress,
) -> Iterator[CarriedFrame]:
    """Carry a region from a key frame to the end of a stretch, then back to its start.

    Only the last frame is kept in memory. What is yielded depends on the frames before it alone, so
    that a run that was stopped goes on with the same bits from the alphas that it is given back.

    Args:
        frames: At full size.
        flows: Between neighbours, at the working size.
        span: The frames that are wanted, of one shot.
        key: The frame on which the region is known; it need not be the first one.
        region: Its alpha, (H, W) in [0, 1].
        settings: How it is carried.
        done: Frames that were yielded before, by number: they are read one by one, and not yielded
            again.
        progress: Told the stage "carry" and the done share.

    Yields:
        The key frame, then one frame after the other.

    Raises:
        InvalidInput: The key frame is not in the stretch; the region is empty, not finite, or of
            another size than the frames.
    """
    check_region(frames, span, key, region)
    if key not in done:
        yield CarriedFrame(index=key, alpha=region, trust=1.0, agreement=1.0)
    finished = 1
    for order in (range(key + 1, span.stop), range(key - 1, span.start - 1, -1)):
        for carried in _one_way(frames, flows, order, key, region, settings, done):
            finished += 1
            progress("carry", finished / len(span))
            if carried.index not in done:
                yield carried


def check_region(frames: Frames, span: Span, key: int, region: Mask) -> None:
    """Refuse a region that can't be carried.

    Raises:
        InvalidInput: It is of another size than the frames, empty or not finite, or not of a frame
            of this stretch.
    """
    if key not in span or not 0 <= span.start < span.stop <= len(frames):
        raise InvalidInput(
            f"frame {key} is not one of the frames {span.start} to {span.stop - 1} of this shot"
        )
    width, height = frames.size
    if region.shape != (height, width):
        raise InvalidInput(
            f"the region is {region.shape[1]} x {region.shape[0]} pixels, "
            f"the frames are {width} x {height}"
        )
    if not np.isfinite(region).all() or not (region > 0).any():
        raise InvalidInput(
            f"the region on frame {key} holds nothing", hint="Mark something on this frame."
        )


@dataclass(frozen=True, kw_only=True)
class _Key:
    """The key frame at the working size, and what was learnt from it."""

    sight: Sight
    palette: Palette
    ring: int


def _one_way(
    frames: Frames,
    flows: Flows,
    order: range,
    key: int,
    region: Mask,
    settings: CarrySettings,
    done: Mapping[int, Mask | None],
) -> Iterator[CarriedFrame]:
    if not order:
        return
    chain = Chain(flows, key)
    first = _reduced(frames.rgb(key), flows.size)
    known = last = Sight(
        picture=first, bins=bins_of(first), alpha=resized_alpha(region, flows.size)
    )
    ring = ring_width(known.alpha, settings.step.around)
    marked = _Key(sight=known, palette=palette(known, ring), ring=ring)
    state, before = start(known), region
    nothing = np.zeros_like(region)
    for index in order:
        picture = frames.rgb(index)
        small = _reduced(picture, flows.size)
        bins = bins_of(small)
        flow = believed(small, flow_to(flows, index, index - order.step), known.picture)
        link = chain.to_reference(index)
        prediction = predict(marked.sight, state, known.alpha, small, flow, link)
        if index in done:
            carried = CarriedFrame(index=index, alpha=done[index], trust=0.0, agreement=0.0)
        else:
            ahead = ahead_odds(flows, order, index, prediction.carried, prediction.trust)
            carried = _found(
                index, picture, small, bins, prediction, ahead, marked, last, before, flow, settings
            )
        before = nothing if carried.alpha is None else carried.alpha
        known = Sight(picture=small, bins=bins, alpha=resized_alpha(before, flows.size))
        last = last if carried.alpha is None else known  # the last frame that showed its colours
        state = update(prediction, known.alpha, settings.step)
        yield carried


def _found(
    index: int,
    picture: Picture,
    small: Picture,
    bins: Bins,
    prediction: Prediction,
    ahead: Evidence,
    key: _Key,
    last: Sight,
    before: Mask,
    flow: tuple[Field, Confidence],
    settings: CarrySettings,
) -> CarriedFrame:
    """Outline the target on a frame and make its alpha, or drop it."""
    nearby = palette(last, key.ring)
    table = colour_table(key.palette, nearby, settings.step.most_colour)
    colour = table[bins]
    evidence = weigh(small, prediction, key.sight, colour, ahead, settings.step)
    outline = decide(small, prediction, evidence, settings.step)
    area = float(np.count_nonzero(outline))
    sure = np.maximum(prediction.trust, prediction.vote_trust)
    trust = float(sure[outline].mean()) if area else 0.0
    moved = prediction.carried > 0.5
    agreement = np.count_nonzero(outline & moved) / max(1, np.count_nonzero(outline | moved))
    too_little = area < max(_LEAST_PIXELS, settings.least * float(key.sight.alpha.sum()))
    speaking = (sure > 0.5) | (colour > 0)
    support = float(speaking[outline].mean()) if area else 0.0
    if too_little or support < settings.least_support:
        return CarriedFrame(index=index, alpha=None, trust=trust, agreement=agreement)
    alpha = steadied(fine_alpha(picture, outline), before, flow, settings.steady)
    return CarriedFrame(index=index, alpha=alpha, trust=trust, agreement=agreement)


def _reduced(picture: Picture, size: tuple[int, int]) -> Picture:
    if (picture.shape[1], picture.shape[0]) == size:
        return picture
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
