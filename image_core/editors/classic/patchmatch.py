"""Filling a hole from the rest of the picture: multi-scale patch synthesis.

Y. Wexler, E. Shechtman, M. Irani, "Space-Time Completion of Video" (PAMI 2007): alternate between
finding, for every patch that touches the hole, its nearest patch outside, and letting these vote
for the hole's pixels, from coarse to fine. C. Barnes et al., "PatchMatch" (SIGGRAPH 2009): nearest
patches are found by passing good offsets to neighbours and by random search.

Three choices of our own keep it fast and straight in plain numpy: patches are compared by the low
end of their discrete cosine transform (an orthonormal basis, so distances stay true) instead of by
all their pixels; all pixels move at once, offsets travelling in leaps; and coarse levels, which
decide the structure, are searched exhaustively by matrix products.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int64

from image_core.compositing import bounding_box, grown_box
from image_core.editors.classic.melding import meld
from image_core.types import Image

Field = Int64[np.ndarray, "_ 2"]
Features = Float32[np.ndarray, "h w f"]
Hole = Bool[np.ndarray, "h w"]

_EXHAUSTIVE = 40_000_000
_LUMA_TERMS, _CHROMA_TERMS = 6, 3
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
    """

    radius: int = 4
    percentile: float = 30.0
    nearness: float = 0.2
    coherence: float = 0.5


def fill(
    image: Image,
    hole: Hole,
    generator: np.random.Generator,
    synthesis: Synthesis,
    tick: Callable[[float], None],
) -> tuple[Image, Matches]:
    """Fill a hole at one resolution, coarse to fine.

    Args:
        image: The picture; what lies in the hole is not looked at.
        hole: What to fill. Sources are patches wholly outside it.
        generator: Draws the random search.
        synthesis: Patch size and weights.
        tick: Told the share that is done.

    Returns:
        The filled picture and the matches of the finest level.

    Raises:
        ValueError: No whole patch lies outside the hole.
    """
    sizes = _pyramid(hole, synthesis.radius)
    current: Image | None = None
    matches: Matches | None = None
    for level, size in enumerate(sizes):
        pixels, gap = _scaled(image, hole, size)
        if current is None:
            current = _first_guess(pixels, gap)
        else:
            # not the coarse picture enlarged: it is blurred, and would find only blurred patches
            assert matches is not None
            matches = carried(matches, current.shape[:2], gap, synthesis.radius)
            current = vote(pixels, gap, matches, synthesis, melded=False)
        sweeps = 8 if level == 0 else max(2, 5 - level)
        for sweep in range(sweeps):
            matches = _match(current, gap, None if level == 0 else matches, generator, synthesis)
            current = vote(
                pixels, gap, matches, synthesis, melded=size == sizes[-1] and sweep == sweeps - 1
            )
            tick((level + (sweep + 1) / sweeps) / len(sizes))
    assert current is not None
    assert matches is not None
    return current.astype(np.float32), matches


def _pyramid(hole: Hole, radius: int) -> list[tuple[int, int]]:
    """Return sizes from coarse to fine: at the first the hole is but a few patches deep."""
    height, width = hole.shape
    depth = float(cv2.distanceTransform(np.pad(hole, 1).astype(np.uint8), cv2.DIST_L2, 5).max())
    smallest = 4 * (2 * radius + 1)
    sizes = [(height, width)]
    while depth > 1.2 * radius and min(sizes[-1]) / 2 >= smallest:
        depth /= 2
        sizes.append((round(sizes[-1][0] / 2), round(sizes[-1][1] / 2)))
    return sizes[::-1]


def _scaled(image: Image, hole: Hole, size: tuple[int, int]) -> tuple[Image, np.ndarray]:
    """Shrink a picture without letting what is in the hole mix into what is around it."""
    if image.shape[:2] == size:
        return image, hole
    known = (~hole).astype(np.float32)
    to = (size[1], size[0])
    weight = cv2.resize(known, to, interpolation=cv2.INTER_AREA)
    pixels = cv2.resize(image * known[..., None], to, interpolation=cv2.INTER_AREA)
    gap = weight < 0.5
    return (pixels / np.maximum(weight, 1e-3)[..., None]).astype(np.float32), gap


def _first_guess(image: Image, hole: Hole) -> Image:
    """Fill the coarsest level smoothly from its border (Telea's fast marching).

    A smooth start finds smooth patches first: the wall behind a thing rather than its neighbour.
    Texture comes with the finer levels, which copy what the matches lead to.
    """
    eight = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
    filled = cv2.inpaint(eight, hole.astype(np.uint8), 3, cv2.INPAINT_TELEA)
    return np.where(hole[..., None], filled.astype(np.float32) / 255, image).astype(np.float32)


def describe(image: Image, radius: int, nearness: float) -> Features:
    """Describe the patch around each pixel by low DCT terms, and where it lies.

    Luma keeps more terms than the two colour differences. The flat term counts a little less, the
    others a little more: edges matter more than a shade. Rows weigh twice as much as columns,
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
                weight = (0.8 if u + v == 0 else 1.15) / taps
                response = cv2.sepFilter2D(
                    plane, cv2.CV_32F, basis[u], basis[v], borderType=cv2.BORDER_REFLECT_101
                )
                planes.append(response * np.float32(weight))
    height, width = image.shape[:2]
    reach = np.float32(nearness / max(height, width))
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    planes += [2 * reach * rows, reach * columns]
    return np.stack(planes, axis=-1)


def _match(
    image: Image,
    hole: Hole,
    before: Matches | None,
    generator: np.random.Generator,
    synthesis: Synthesis,
) -> Matches:
    """Find sources for all patches that touch the hole, starting from the last matches if any."""
    radius = synthesis.radius
    touches = _dilated(hole, radius)
    allowed = ~touches
    allowed[:radius] = allowed[-radius:] = False
    allowed[:, :radius] = allowed[:, -radius:] = False
    targets = np.argwhere(touches)
    sources = np.argwhere(allowed)
    if len(sources) == 0:
        raise ValueError("no whole patch lies outside the hole")
    features = describe(image, radius, synthesis.nearness)
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


def _dilated(hole: Hole, radius: int) -> Hole:
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
    targets = np.argwhere(_dilated(hole, radius))
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


def vote(
    image: Image, hole: Hole, matches: Matches, synthesis: Synthesis, *, melded: bool
) -> Image:
    """Let all patches over a hole's pixel vote for its colour (Wexler 2007, eq. 4).

    Args:
        image: The picture; what lies in the hole is not looked at.
        hole: What to fill.
        matches: Where each patch finds its like.
        synthesis: Patch size and weights.
        melded: Vote for differences between neighbours too, and join the colours without seams.
    """
    if not melded:
        pixels = np.argwhere(hole)
        result = image.copy()
        result[hole] = _votes(image, hole, pixels, matches, synthesis)
        return result
    # pairs across the hole's border have one foot outside it
    wider = _dilated(hole, 1)
    right, down = np.zeros_like(image), np.zeros_like(image)
    right[:, :-1] = image[:, 1:] - image[:, :-1]
    down[:-1] = image[1:] - image[:-1]
    stack = np.concatenate([image, right, down], axis=2)
    voted = np.zeros_like(stack)
    voted[wider] = _votes(stack, wider, np.argwhere(wider), matches, synthesis)
    box = bounding_box(wider)
    assert box is not None
    x0, y0, x1, y1 = grown_box(box, 1, *hole.shape)
    window = (slice(y0, y1), slice(x0, x1))
    colours = np.where(hole[..., None], voted[..., :3], image)
    joined = meld(colours[window], voted[window][..., 3:6], voted[window][..., 6:], hole[window])
    colours[window] = np.clip(joined, 0, 1)
    return colours


def _votes(
    values: Float32[np.ndarray, "h w c"],
    unusable: Hole,
    pixels: Field,
    matches: Matches,
    synthesis: Synthesis,
) -> Float32[np.ndarray, "n c"]:
    """Return the weighted mean of what all patches say of each pixel.

    A vote weighs exp(-cost / 2 sigma^2), sigma^2 being a percentile of the costs, less towards the
    patch's border, and less for patches deep in the hole, whose content is itself a guess.
    """
    height, width, channels = values.shape
    radius = synthesis.radius
    sigma = max(float(np.percentile(matches.costs, synthesis.percentile)), 1e-7)
    depth = cv2.distanceTransform(unusable.astype(np.uint8), cv2.DIST_L2, 5)
    rows, columns = matches.targets[:, 0], matches.targets[:, 1]
    trust = np.float32(1.1) ** -depth[rows, columns]
    shift = np.zeros((height, width), np.int64)
    weights = np.zeros((height, width), np.float32)
    moved = matches.sources - matches.targets
    shift[rows, columns] = moved[:, 0] * width + moved[:, 1]
    weights[rows, columns] = np.maximum(np.exp(-matches.costs / (2 * sigma)), 1e-6) * trust
    flat = values.reshape(-1, channels)
    flat_shift, flat_weights, known = shift.ravel(), weights.ravel(), ~unusable.ravel()
    place = pixels[:, 0] * width + pixels[:, 1]
    total = np.zeros((len(pixels), channels), np.float32)
    mass = np.zeros(len(pixels), np.float32)
    for dy in range(-radius, radius + 1):
        fits_y = (pixels[:, 0] + dy >= 0) & (pixels[:, 0] + dy < height)
        for dx in range(-radius, radius + 1):
            fits = fits_y & (pixels[:, 1] + dx >= 0) & (pixels[:, 1] + dx < width)
            voter = np.where(fits, place + dy * width + dx, 0)
            source = np.clip(place + flat_shift[voter], 0, height * width - 1)
            near = np.float32(np.exp(-(dy * dy + dx * dx) / (2 * (0.6 * radius) ** 2)))
            weight = flat_weights[voter] * near * (fits & known[source])
            total += weight[:, None] * flat[source]
            mass += weight
    return np.asarray(total / np.maximum(mass, 1e-20)[:, None], dtype=np.float32)
