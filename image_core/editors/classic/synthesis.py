"""Filling a hole from the rest of the picture: multi-scale patch synthesis.

Y. Wexler, E. Shechtman, M. Irani, "Space-Time Completion of Video" (PAMI 2007): alternate between
finding, for every patch that touches the hole, its nearest patch outside, and letting these vote
for the hole's pixels, from coarse to fine.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from jaxtyping import Float32

from image_core.compositing import bounding_box, grown_box
from image_core.editors.classic.first_guess import guess
from image_core.editors.classic.lines import Line, Planes, bands, parts, straight_lines
from image_core.editors.classic.melding import meld
from image_core.editors.classic.patchmatch import (
    Field,
    Hole,
    Matches,
    Synthesis,
    carried,
    dilated,
    evened,
    match,
)
from image_core.editors.classic.rim import with_rim
from image_core.types import Image

_LUMA = np.array([[0.299, 0.587, 0.114]], np.float32)
_ROUGHEST = 0.15
_UNEVEN = 0.03
_SOLVED = 20_000
_PLAIN = 0.3
_PLAIN_SPREAD = 0.02


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
    shown = hole
    hole = with_rim(image, hole)
    sizes = _pyramid(hole, synthesis.radius)
    rough = roughness(image, hole, synthesis.radius)
    planes = np.concatenate([image, rough[..., None]], axis=2)
    lines = straight_lines(image, hole)
    plain = _plain(planes, hole, lines, sizes)
    current: Image | None = None
    matches: Matches | None = None
    for level, size in enumerate(sizes):
        known, gap = _scaled(planes, hole, size)
        guide = np.where(gap[..., None], resized(plain, size), known)
        guide = np.concatenate([guide, bands(size, lines, hole.shape, synthesis.radius)], axis=2)
        pixels = np.ascontiguousarray(known[..., :3])
        if current is None:
            current = np.ascontiguousarray(guide[..., :3])
        else:
            # not the coarse picture enlarged: it is blurred, and would find only blurred patches
            assert matches is not None
            matches = carried(matches, current.shape[:2], gap, synthesis.radius)
            current = vote(pixels, gap, matches, synthesis, guide, melded=False)
        sweeps = 8 if level == 0 else max(2, 5 - level)
        for sweep in range(sweeps):
            before = None if level == 0 else matches
            matches = match(current, guide, gap, before, generator, synthesis)
            last = size == sizes[-1] and sweep == sweeps - 1
            current = vote(pixels, gap, matches, synthesis, guide, melded=last)
            tick((level + (sweep + 1) / sweeps) / len(sizes))
    assert current is not None
    assert matches is not None
    return np.where(shown[..., None], current, image).astype(np.float32), matches


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


def _scaled(image: Planes, hole: Hole, size: tuple[int, int]) -> tuple[Planes, np.ndarray]:
    """Shrink a picture without letting what is in the hole mix into what is around it."""
    if image.shape[:2] == size:
        return image, hole
    known = (~hole).astype(np.float32)
    to = (size[1], size[0])
    weight = cv2.resize(known, to, interpolation=cv2.INTER_AREA)
    pixels = cv2.resize(image * known[..., None], to, interpolation=cv2.INTER_AREA)
    gap = weight < 0.5
    return (pixels / np.maximum(weight, 1e-3)[..., None]).astype(np.float32), gap


def roughness(image: Image, hole: Hole, radius: int) -> Float32[np.ndarray, "h w"]:
    """Return how uneven the known pixels around each pixel are: their luma's standard deviation."""
    luma = cv2.transform(image, _LUMA)
    known = (~hole).astype(np.float32)
    block = (2 * radius + 1,) * 2
    mass = np.maximum(cv2.blur(known, block), 1e-6)
    mean = cv2.blur(luma * known, block) / mass
    square = cv2.blur(luma * luma * known, block) / mass
    spread = np.sqrt(np.maximum(square - mean * mean, 0))
    return np.where(hole, 0, np.minimum(spread, _ROUGHEST)).astype(np.float32)


def _plain(planes: Planes, hole: Hole, lines: list[Line], sizes: list[tuple[int, int]]) -> Planes:
    """Fill a hole with plain surfaces, at the finest level at which that is quick."""
    share = float(hole.mean())
    size = max((s for s in sizes if share * s[0] * s[1] <= _SOLVED), default=sizes[0])
    pixels, gap = _scaled(planes, hole, size)
    trust = (1 / (1 + (pixels[..., 3] / _UNEVEN) ** 2)).astype(np.float32)
    return resized(guess(pixels, gap, parts(size, lines, hole.shape), trust), hole.shape)


def resized(image: Planes, size: tuple[int, ...]) -> Planes:
    """Bring a picture to (height, width): by areas when it shrinks, linearly when it grows."""
    if image.shape[:2] == tuple(size):
        return image
    way = cv2.INTER_AREA if size[0] < image.shape[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (size[1], size[0]), interpolation=way))


def vote(
    image: Image,
    hole: Hole,
    matches: Matches,
    synthesis: Synthesis,
    guide: Planes,
    *,
    melded: bool,
) -> Image:
    """Let all patches over a hole's pixel vote for its colour (Wexler 2007, eq. 4).

    Args:
        image: The picture; what lies in the hole is not looked at.
        hole: What to fill.
        matches: Where each patch finds its like.
        synthesis: Patch size and weights.
        guide: The hole filled plainly, at this size or smaller. Votes are brought to its shade as
            far as they may be, so that shading stays smooth where no source has it.
        melded: Vote for differences between neighbours too, and join the colours without seams.
    """
    change = _shading(guide, hole.shape, matches, synthesis)
    if not melded:
        pixels = np.argwhere(hole)
        result = image.copy()
        result[hole] = _votes(image, hole, pixels, matches, synthesis, change)
        return result
    # pairs across the hole's border have one foot outside it
    wider = dilated(hole, 1)
    right, down = np.zeros_like(image), np.zeros_like(image)
    right[:, :-1] = image[:, 1:] - image[:, :-1]
    down[:-1] = image[1:] - image[:-1]
    stack = np.concatenate([image, right, down], axis=2)
    voted = np.zeros_like(stack)
    voted[wider] = _votes(stack, wider, np.argwhere(wider), matches, synthesis, change)
    box = bounding_box(wider)
    assert box is not None
    x0, y0, x1, y1 = grown_box(box, 1, *hole.shape)
    window = (slice(y0, y1), slice(x0, x1))
    colours = np.where(hole[..., None], voted[..., :3], image)
    joined = meld(colours[window], voted[window][..., 3:6], voted[window][..., 6:], hole[window])
    colours[window] = np.clip(joined, 0, 1)
    return colours


def _shading(
    guide: Planes, size: tuple[int, ...], matches: Matches, synthesis: Synthesis
) -> Float32[np.ndarray, "n 3"]:
    """Return what to add to each patch's source so that it has the guide's mean.

    Little may be added to what has structure, which would only look wrong in another light; plain
    patches may take any shade.
    """
    block = (2 * synthesis.radius + 1,) * 2
    guide = np.ascontiguousarray(guide[..., :3])
    mean = evened(guide, synthesis.radius)
    luma, level = cv2.transform(guide, _LUMA), cv2.transform(mean, _LUMA)
    spread = cv2.blur(luma * luma, block) - level**2
    ratio = np.array(guide.shape[:2]) / np.array(size)
    here, there = matches.targets, matches.sources
    if (ratio != 1).any():
        here, there = (here * ratio).astype(np.int64), (there * ratio).astype(np.int64)
    rows, columns = there[:, 0], there[:, 1]
    change = mean[here[:, 0], here[:, 1]] - mean[rows, columns]
    uneven = np.maximum(spread[rows, columns], 0)
    most = synthesis.shading + _PLAIN * np.exp(-uneven / _PLAIN_SPREAD**2)
    return np.asarray(np.clip(change, -most[:, None], most[:, None]), dtype=np.float32)


def _votes(
    values: Float32[np.ndarray, "h w c"],
    unusable: Hole,
    pixels: Field,
    matches: Matches,
    synthesis: Synthesis,
    change: Float32[np.ndarray, "m 3"],
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
    added = np.zeros((height, width, 3), np.float32)
    added[rows, columns] = change
    flat_added = added.reshape(-1, 3)
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
            total[:, :3] += weight[:, None] * flat_added[voter]
            mass += weight
    return np.asarray(total / np.maximum(mass, 1e-20)[:, None], dtype=np.float32)
