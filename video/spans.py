"""Cutting a shot into spans that one canonical picture each can hold."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from video.chains import Regions, chains, region_at
from video.flow_types import Flows
from video.frames import Span, working_size


@dataclass(frozen=True, kw_only=True)
class SplitSettings:
    """When one canonical picture is not enough.

    Attributes:
        side: The longer side of the pictures that motion is followed on, in pixels.
        least_followed: The share of a frame (of the target on it) that must still be connected
            with the reference frame.
        shortest: Frames that a span holds at least.
        longest: Frames that it holds at most: it bounds the memory of a fit.
    """

    side: int = 160
    least_followed: float = 0.1
    shortest: int = 12
    longest: int = 120


def split(
    flows: Flows,
    span: Span,
    *,
    regions: Regions | None = None,
    settings: SplitSettings | None = None,
) -> list[Span]:
    """Cut a span until each part's frames are connected with the part's reference frame.

    Args:
        flows: Between neighbours.
        span: A shot, or a stretch of one.
        regions: The target's masks: the target alone counts then.
        settings: When to cut.
    """
    settings = settings or SplitSettings()
    if len(span) > settings.longest:
        parts = -(-len(span) // settings.longest)
        return [
            piece
            for part in _cut(span, parts)
            for piece in split(flows, part, regions=regions, settings=settings)
        ]
    if len(span) < 2 * settings.shortest:
        return [span]
    reference = best_reference(span, regions)
    if (
        min(connected(flows, span, reference, regions=regions, side=settings.side))
        >= settings.least_followed
    ):
        return [span]
    return [
        piece
        for part in _cut(span, 2)
        for piece in split(flows, part, regions=regions, settings=settings)
    ]


def best_reference(span: Span, regions: Regions | None = None) -> int:
    """Choose the frame that a span's canonical picture shows as it is.

    The middle one, from which the ways to all others are shortest; with regions the one near the
    middle on which most of the target is seen.
    """
    middle = (span.start + span.stop - 1) / 2
    if regions is None or len(span) == 1:
        return int(middle)
    half = max(1.0, len(span) / 2)
    areas = {}
    for index in span:
        mask = regions(index)
        areas[index] = 0.0 if mask is None else float(mask.mean())
    # the ends of the span are worth half of its middle
    return max(span, key=lambda index: areas[index] * (1 - 0.5 * abs(index - middle) / half))


def connected(
    flows: Flows, span: Span, reference: int, *, regions: Regions | None = None, side: int
) -> list[float]:
    """Return for each frame the share of it that its chain connects with the reference frame.

    With regions: the share of the target; a frame without it counts as connected.
    """
    size = working_size(flows.size, side)
    shares = {}
    for index, chain in chains(flows, span, reference, size=size, regions=regions):
        mask = region_at(regions, index, size)
        counted = np.ones_like(chain.confidence) if mask is None else mask
        total = float(counted.sum())
        shares[index] = float((chain.confidence * counted).sum()) / total if total > 0 else 1.0
    return [shares[index] for index in span]


def _cut(span: Span, parts: int) -> list[Span]:
    edges = np.rint(np.linspace(span.start, span.stop, parts + 1)).astype(int)
    return [Span(int(start), int(stop)) for start, stop in pairwise(edges)]
