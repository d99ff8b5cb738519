"""What moves with a target and what stays with the background, told by motion over many frames.

One picture does not tell a trunk from the dark neck before it; some frames later the neck has moved
and the trunk has not. Flow from one frame to the next is too small to tell, the chain of many is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from image_core.segmentation.edges import dilated, disc, eroded
from image_core.types import Mask
from video.appearance import bins_of, density, log_ratio
from video.background import common_motion
from video.band_cut import cut_open
from video.flow import squared_length
from video.flow_types import Confidence, Flows, tracked
from video.frames import Picture, Span
from video.warping import Field, grid

_FRAMES = 24  # from the key frame, each way: further chains tell little more
_EVERY = 4  # frames; motion is compared as often
_SURE = 0.5  # confidence from which a chain is asked
_BESIDE = 8  # px around the region that are not asked how the background moves
_LEAST_AROUND = 0.08  # share of the picture that must show how the background moves
_TYPICAL = 75.0  # percentile of what the background's motion leaves over that its error is taken as
_FINEST = 0.5  # px; smaller errors of a chain are luck
_MOST_ERROR = 4.0  # px; a background that errs so much is no measure
_ROUND = 12.0  # px around a pixel in which the target's motion is averaged
_THIN = 1e-3  # share of them that must be the target's for that to count in full

_CLEAR = 4.0  # errors by which the target must have left the background's way
_FAST = 6.0  # times that; then half of its way is another's
_FOLLOWS = 2.0  # errors up to which a pixel rather follows it
_TELLS = 2.5  # log odds that motion says at most
_FOUND = 0.7  # log odds that being in the region says
_DEEP = 6  # px within what clearly moves, from which on nothing is asked again
_SMOOTHNESS = 2.0  # cost of a pixel of outline on flat ground, in log odds
_MOVERS = 0.7  # share of what is kept that must clearly move, else the target is none that moves
_MOST = 0.4  # of the region; if more would go, motion has misunderstood it
_LEAST = 24  # px; a smaller part is noise
_SPECK = 2  # px; what stays and is thinner than twice that is noise
_BLEEDING = 9  # px beside what stays in which flow may be that of what moves; colour decides there
_LOCAL = 30  # px beside it whose colours are asked
_COLOUR = 2.0  # log odds that a colour says at most
_NEAR, _FAR = 3, 10  # px from a part, on the kept side: there it must move clearly


@dataclass(frozen=True, kw_only=True)
class MotionEvidence:
    """How the pixels of a key frame move over the frames around it.

    Attributes:
        left: By how many errors each pixel left the background's way at most, while it was sure; 0
            where it never was.
        asked: By how many the target had left it, at most, while a pixel was sure: the target as a
            whole, or what is near.
    """

    left: Float32[np.ndarray, "_ _"]
    asked: Float32[np.ndarray, "_ _"]

    @property
    def moves(self) -> Bool[np.ndarray, "_ _"]:
        """Where a pixel clearly moves by itself."""
        return self.left > _CLEAR

    @property
    def stays(self) -> Bool[np.ndarray, "_ _"]:
        """Where a pixel goes with the background although the target does not."""
        return (self.left < _FOLLOWS) & (self.asked > _CLEAR)

    def log_odds(self) -> Float32[np.ndarray, "_ _"]:
        """Return what motion says for each pixel's being the target's; 0 where it tells nothing."""
        told = np.log(np.maximum(self.left, 0.1) / np.sqrt(_FOLLOWS * _CLEAR))
        told = np.clip(_TELLS * told, -_TELLS, _TELLS)
        return np.where(self.asked > _CLEAR, told, 0).astype(np.float32)

    def shared(self) -> Float32[np.ndarray, "_ _"]:
        """Return what it says that a pixel shares more, or less, than half of the target's way.

        Flow bleeds from what moves to what it moves before. Where the target is slow, half of its
        way would be that of a slower part of it, and nothing is said.
        """
        known = (self.asked > _FAST * _CLEAR) & (self.left > 0)
        told = np.log(np.maximum(2 * self.left, 0.1) / np.maximum(self.asked, 0.1))
        return np.where(known, np.clip(_TELLS * told, -_TELLS, _TELLS), 0).astype(np.float32)


def motion_evidence(flows: Flows, span: Span, key: int, region: Mask) -> MotionEvidence:
    """Compare how the pixels of a key frame move with how the background does.

    Args:
        flows: Between neighbours.
        span: The frames that may be asked.
        key: The key frame.
        region: The target there, at the size of the flows.
    """
    solid = region > 0.5
    around = ~dilated(region > 0, _BESIDE)
    left, asked = np.zeros_like(region), np.zeros_like(region)
    for flow, trust in _chained(flows, span, key):
        weight = np.asarray(trust * around, np.float32)
        sure = trust > _SURE
        if (sure & around).mean() < _LEAST_AROUND or not (sure & solid).any():
            continue
        trend, _ = common_motion(flow, weight)
        off = np.sqrt(squared_length(flow - trend))
        error = max(_FINEST, float(np.percentile(off[sure & around], _TYPICAL)))
        if error > _MOST_ERROR:
            continue
        apart = off / np.float32(error)
        own = np.asarray(sure & solid, np.float32)
        told = cv2.GaussianBlur(apart * own, (0, 0), _ROUND)
        near = told / np.maximum(cv2.GaussianBlur(own, (0, 0), _ROUND), _THIN)
        typical = np.maximum(near, np.float32(np.median(apart[sure & solid])))
        left = np.where(sure, np.maximum(left, apart), left)
        asked = np.where(sure, np.maximum(asked, typical), asked)
    return MotionEvidence(left=left.astype(np.float32), asked=asked.astype(np.float32))


def without_background(
    picture: Picture, region: Mask, evidence: MotionEvidence
) -> Bool[np.ndarray, "_ _"]:
    """Return the parts of a region that are the background's after all; none if that is unclear.

    It is clear where nearly all else of the region moves by itself, and where the background's
    part ends at something that does: a planted foot stays too, but so, nearly, does the leg.

    Args:
        picture: The key frame, at the size of the flows.
        region: What was taken for the target there.
        evidence: How it moves.
    """
    solid = region > 0.5
    nothing = np.zeros_like(solid)
    seeds = (solid & evidence.stays).astype(np.uint8)
    stays = cv2.morphologyEx(seeds, cv2.MORPH_OPEN, disc(_SPECK)) > 0
    if not stays.any():
        return nothing
    beside = solid & dilated(stays, _BLEEDING) & ~stays
    colour = _colour(picture, solid, stays, evidence)
    odds = np.where(beside, colour + evidence.shared(), evidence.log_odds() + np.float32(_FOUND))
    deep = solid & eroded(evidence.moves, _DEEP)
    kept = cut_open(picture, odds, deep, solid & ~deep, smoothness=_SMOOTHNESS)
    told = kept & (evidence.asked > _CLEAR)
    if not told.any() or (evidence.moves & told).sum() < _MOVERS * told.sum():
        return nothing
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        (solid & ~kept).astype(np.uint8), connectivity=8
    )
    gone = nothing
    for part in range(1, count):
        alone = labels == part
        if stats[part, cv2.CC_STAT_AREA] >= _LEAST and _is_background(alone, kept, evidence):
            gone = gone | alone
    return gone if gone.sum() <= _MOST * solid.sum() else nothing


def _colour(
    picture: Picture,
    solid: Bool[np.ndarray, "_ _"],
    stays: Bool[np.ndarray, "_ _"],
    evidence: MotionEvidence,
) -> Float32[np.ndarray, "_ _"]:
    """Return what colours say, of those that clearly move and those that stay, both close by."""
    bins = bins_of(picture)
    close = dilated(stays, _LOCAL)
    moves = solid & evidence.moves & close & ~dilated(stays, _BLEEDING)
    around = stays | (~solid & dilated(stays, _BLEEDING))
    own, other = (density(bins, side.astype(np.float32)) for side in (moves, around))
    told = log_ratio(own, other)[bins]
    return np.asarray(np.clip(cv2.blur(told, (3, 3)), -_COLOUR, _COLOUR), np.float32)


def _is_background(
    part: Bool[np.ndarray, "_ _"], kept: Bool[np.ndarray, "_ _"], evidence: MotionEvidence
) -> bool:
    """Tell whether a part stays, and what it borders on in the region moves."""
    if np.median(evidence.left[part]) >= _FOLLOWS or not (evidence.stays & part).any():
        return False
    beside = kept & dilated(part, _FAR) & ~dilated(part, _NEAR)
    return not beside.any() or float(np.median(evidence.left[beside])) > _CLEAR


def _chained(flows: Flows, span: Span, key: int) -> Iterator[tuple[Field, Confidence]]:
    """Yield where the key frame's pixels are in other frames, and how surely."""
    places = grid(flows.size)
    for step in (1, -1):
        last = min(span.stop - 1, key + _FRAMES) if step > 0 else max(span.start, key - _FRAMES)
        for index, flow, trust in tracked(flows, range(key, last + step, step), places):
            if (index - key) % _EVERY == 0 or index == last:
                yield flow, trust
