"""Finding, for every patch that touches a hole, its nearest patch outside.

C. Barnes et al., "PatchMatch" (SIGGRAPH 2009): good offsets are passed to neighbours, and searched
for at random. Three choices of our own keep it fast and straight in plain numpy: patches are
compared by the low end of their discrete cosine transform (an orthonormal basis, so distances stay
true) instead of by all their pixels; all pixels move at once, offsets travelling in leaps; and the
coarsest level, which decides the structure, is searched exhaustively by matrix products.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int64

from image_core.types import Image

Field = Int64[np.ndarray, "_ 2"]
Features = Float32[np.ndarray, "h w f"]
Hole = Bool[np.ndarray, "h w"]
Planes = Float32[np.ndarray, "_ _ _"]

_EXHAUSTIVE = 40_000_000
_LUMA_TERMS, _CHROMA_TERMS = 6, 3
_GUIDANCE, _LIKE_ROUGHNESS, _SAME_SIDE = 0.6, 2.0, 0.15
_SETTLING = 4
_LEAPS = (8, 4, 2, 1, 1)
_TO_OPPONENT = np.array(
    [[0.299, 0.587, 0.114], [0.5, -0.4187, -0.0813], [-0.1687, -0.3313, 0.5]], np.float32
)


@dataclass(frozen=True, kw_only=True)
class Matches:
    """For every patch that touches the hole, the nearest one outside it.

    Attributes:
        targets: (row, column) of the patches' centres.
        sources: (row, column) of their matches' centres.
        costs: Distances, squared.
    """

    targets: Field
    sources: Field
    costs: Float32[np.ndarray, " n"]


@dataclass(frozen=True, kw_only=True)
class Synthesis:
    """How a hole is filled.

    Attributes:
        radius: Half the side of a patch.
        percentile: Percentile of the costs that sets how fast a vote loses weight.
        nearness: Weight of the distance between hole and source, so that, of two sources that fit
            alike, the nearer one is taken; 0 takes from anywhere.
        coherence: Price of a change of offset between neighbours, in median distances.
        shading: How far, in sRGB values, a patch with structure may be brought to the guide's
            shade.
    """

    radius: int = 4
    percentile: float = 30.0
    nearness: float = 0.2
    coherence: float = 0.5
    shading: float = 0.06


def describe(image: Image, guide: Planes, radius: int, nearness: float) -> Features:
    """Describe the patch around each pixel by low DCT terms, and where it lies.

    Luma keeps more terms than the two colour differences. The flat term counts less, the
    others a little more: edges matter more than a shade. The guide (the hole filled plainly: its
    colours, how rough the surroundings are, and how far from each line a pixel lies) keeps plain
    areas plain and patches on their side of a line. Rows weigh twice as much as columns,
    since pictures change more from top to bottom than from side to side.
    """
    opponent = image @ _TO_OPPONENT.T
    taps = 2 * radius + 1
    n = np.arange(taps)
    basis = [
        (np.cos(np.pi * (n + 0.5) * k / taps) * np.sqrt((1 if k == 0 else 2) / taps)).astype(
            np.float32
        )
        for k in range(min(_LUMA_TERMS, taps))
    ]
    planes = []
    for channel, terms in enumerate((_LUMA_TERMS, _CHROMA_TERMS, _CHROMA_TERMS)):
        plane = np.ascontiguousarray(opponent[..., channel])
        for u in range(min(terms, taps)):
            for v in range(min(terms, taps) - u):
                weight = (0.3 if u + v == 0 else 1.15) / taps
                response = cv2.sepFilter2D(
                    plane, cv2.CV_32F, basis[u], basis[v], borderType=cv2.BORDER_REFLECT_101
                )
                planes.append(response * np.float32(weight))
    height, width = image.shape[:2]
    reach = np.float32(nearness / max(height, width))
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    wanted = evened(guide[..., :3] @ _TO_OPPONENT.T, radius) * np.float32(_GUIDANCE)
    planes += [*np.moveaxis(wanted, 2, 0), guide[..., 3] * np.float32(_LIKE_ROUGHNESS)]
    planes += list(np.moveaxis(guide[..., 4:] * np.float32(_SAME_SIDE), 2, 0))
    planes += [2 * reach * rows, reach * columns]
    return np.stack(planes, axis=-1)


def evened(image: Planes, radius: int) -> Planes:
    """Average over twice a patch's width: what is left of a texture is its shade."""
    block = (2 * radius + 1,) * 2
    return np.asarray(cv2.blur(cv2.blur(image, block), block))


def match(
    image: Image,
    guide: Planes,
    hole: Hole,
    before: Matches | None,
    generator: np.random.Generator,
    synthesis: Synthesis,
) -> Matches:
    """Find sources for all patches that touch the hole, starting from the last matches if any."""
    radius = synthesis.radius
    touches = dilated(hole, radius)
    allowed = ~touches
    allowed[:radius] = allowed[-radius:] = False
    allowed[:, :radius] = allowed[:, -radius:] = False
    targets = np.argwhere(touches)
    sources = np.argwhere(allowed)
    if len(sources) == 0:
        raise ValueError("no whole patch lies outside the hole")
    features = describe(image, guide, radius, synthesis.nearness)
    if before is None and len(targets) * len(sources) <= _EXHAUSTIVE:
        found = _nearest(features, targets, sources)
    else:
        start = sources[generator.integers(len(sources), size=len(targets))]
        reach = max(hole.shape) / 2
        if before is not None:  # of the same hole, so of the same targets
            # a new random search would find a little better and tear apart what belongs together
            reach = 0.0
            kept = allowed[before.sources[:, 0], before.sources[:, 1]]
            start = np.where(kept[:, None], before.sources, start)
        found = _searched(features, targets, start, touches, allowed, reach, generator)
    return _settled(features, found, allowed, synthesis.coherence)


def _settled(features: Features, found: Matches, allowed: Hole, coherence: float) -> Matches:
    """Let neighbours agree on offsets where they fit almost as well.

    Each patch alone takes its nearest; but votes of sources that lie apart average to a blur, while
    neighbours with one offset copy the texture as it is. So each change of offset between
    neighbours costs a share of the median distance (a Potts model, a few sweeps of iterated
    conditional modes).
    """
    price = np.float32(coherence * np.median(found.costs))
    if price <= 0:
        return found
    height, width = allowed.shape
    targets = found.targets
    limits = np.array([height - 1, width - 1])
    index = np.full((height + 2, width + 2), -1, np.int64)
    index[targets[:, 0] + 1, targets[:, 1] + 1] = np.arange(len(targets))
    around = [
        index[targets[:, 0] + 1 + dy, targets[:, 1] + 1 + dx]
        for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, -1), (1, -1), (-1, 1))
    ]
    flat = features.reshape(height * width, -1)
    here = flat[targets[:, 0] * width + targets[:, 1]]
    offsets, costs = found.sources - targets, found.costs.copy()
    reach = 4 * max(height, width)  # an offset as one number compares faster than as two
    codes = offsets[:, 0] * reach + offsets[:, 1]

    def quarrels(wanted: np.ndarray, who: np.ndarray) -> np.ndarray:
        total = np.zeros(len(who), np.float32)
        for other in around:
            near = other[who]
            total += (codes[near] != wanted) & (near >= 0)
        return total

    for sweep in range(_SETTLING):
        # half of the pixels at a time, else neighbours would only swap their offsets
        turn = (targets.sum(axis=1) + sweep) % 2 == 0
        for other in around:
            who = np.flatnonzero(turn & (other >= 0))
            who = who[codes[other[who]] != codes[who]]
            wanted = offsets[other[who]]
            place = targets[who] + wanted
            fits = ((place >= 0) & (place <= limits)).all(axis=1)
            who, wanted, place = who[fits], wanted[fits], place[fits]
            fits = allowed[place[:, 0], place[:, 1]]
            who, wanted, place = who[fits], wanted[fits], place[fits]
            apart = here[who] - flat[place[:, 0] * width + place[:, 1]]
            cost = np.einsum("ij,ij->i", apart, apart)
            code = wanted[:, 0] * reach + wanted[:, 1]
            wish = cost + price * quarrels(code, who)
            better = wish < costs[who] + price * quarrels(codes[who], who)
            chosen = who[better]
            offsets[chosen], costs[chosen], codes[chosen] = (
                wanted[better],
                cost[better],
                code[better],
            )
    return Matches(targets=targets, sources=targets + offsets, costs=costs.astype(np.float32))


def dilated(hole: Hole, radius: int) -> Hole:
    """Return the centres of all patches of this radius that touch the hole."""
    kernel = np.ones((2 * radius + 1, 2 * radius + 1), np.uint8)
    return np.asarray(cv2.dilate(hole.astype(np.uint8), kernel) > 0)


def _nearest(features: Features, targets: Field, sources: Field) -> Matches:
    """Compare all with all, some targets at a time: |t|^2 - 2 t.s + |s|^2."""
    there = features[sources[:, 0], sources[:, 1]]
    here = features[targets[:, 0], targets[:, 1]]
    squares = (there * there).sum(axis=1)
    best = np.empty(len(targets), np.int64)
    costs = np.empty(len(targets), np.float32)
    chunk = max(1, 4_000_000 // len(sources))
    for start in range(0, len(targets), chunk):
        part = here[start : start + chunk]
        distance = squares - 2 * (part @ there.T)
        best[start : start + chunk] = distance.argmin(axis=1)
    costs[:] = ((here - there[best]) ** 2).sum(axis=1)
    return Matches(targets=targets, sources=sources[best], costs=costs)


def carried(matches: Matches, size: tuple[int, ...], hole: Hole, radius: int) -> Matches:
    """Carry matches found at another size over to a hole of this size, offset by offset.

    Args:
        matches: Found on a copy of the picture.
        size: (height, width) of that copy.
        hole: The hole at the wanted size.
        radius: Patches that touch the hole are wanted, of this radius.
    """
    offsets = np.zeros((size[0], size[1], 2), np.float32)
    costs = np.full(size[:2], matches.costs.max(), np.float32)
    rows, columns = matches.targets[:, 0], matches.targets[:, 1]
    offsets[rows, columns] = matches.sources - matches.targets
    costs[rows, columns] = matches.costs
    targets = np.argwhere(dilated(hole, radius))
    ratio = np.array([hole.shape[0] / size[0], hole.shape[1] / size[1]])
    at = np.minimum((targets / ratio).astype(np.int64), np.array(size[:2]) - 1)
    moved = np.rint(offsets[at[:, 0], at[:, 1]] * ratio).astype(np.int64)
    sources = np.clip(targets + moved, 0, np.array(hole.shape) - 1)
    return Matches(targets=targets, sources=sources, costs=costs[at[:, 0], at[:, 1]])


def _searched(
    features: Features,
    targets: Field,
    start: Field,
    touches: Hole,
    allowed: Hole,
    reach: float,
    generator: np.random.Generator,
) -> Matches:
    """PatchMatch with all patches moving at once (Barnes 2009, section 3.2), in leaps."""
    height, width = touches.shape
    index = np.full((height, width), -1, np.int64)
    index[targets[:, 0], targets[:, 1]] = np.arange(len(targets))
    here = features[targets[:, 0], targets[:, 1]]
    sources = start.copy()
    costs = ((here - features[sources[:, 0], sources[:, 1]]) ** 2).sum(axis=1)
    limits = np.array([height - 1, width - 1])

    def try_(who: np.ndarray, candidates: Field) -> None:
        inside = ((candidates >= 0) & (candidates <= limits)).all(axis=1)
        who, candidates = who[inside], candidates[inside]
        fit = allowed[candidates[:, 0], candidates[:, 1]]
        who, candidates = who[fit], candidates[fit]
        cost = ((here[who] - features[candidates[:, 0], candidates[:, 1]]) ** 2).sum(axis=1)
        better = cost < costs[who]
        sources[who[better]], costs[who[better]] = candidates[better], cost[better]

    everyone = np.arange(len(targets))
    furthest = reach
    for leap in _LEAPS:
        reach = furthest
        for dy, dx in ((0, leap), (0, -leap), (leap, 0), (-leap, 0)):
            neighbours = targets + np.array([dy, dx])
            inside = ((neighbours >= 0) & (neighbours <= limits)).all(axis=1)
            who = everyone[inside]
            other = index[neighbours[inside, 0], neighbours[inside, 1]]
            who, other = who[other >= 0], other[other >= 0]
            try_(who, sources[other] - (dy, dx))
        while reach >= 1:
            step = generator.uniform(-reach, reach, size=targets.shape)
            try_(everyone, sources + np.rint(step).astype(np.int64))
            reach /= 3
    return Matches(targets=targets, sources=sources, costs=costs)
