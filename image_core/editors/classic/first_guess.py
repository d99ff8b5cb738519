"""What a hole is filled with before any patch is copied: smooth areas that meet at straight lines.

An edge that runs into a hole on one side and out of it on the other (where a wall meets the floor)
is taken to be straight between. Such lines part the hole; each part is filled smoothly from its own
border, so a wall behind a thing stays a wall, with its shading, and does not run into the floor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64

from image_core.compositing import bounding_box, grown_box
from image_core.types import Image

Hole = Bool[np.ndarray, "h w"]
Planes = Float32[np.ndarray, "_ _ _"]

_MOST_LINES = 4
_LEAK = 1e-4
_SIDE = 0.08
_LEAST_STEP = 0.04


@dataclass(frozen=True, kw_only=True)
class Line:
    """A straight line a*x + b*y = c, (a, b) of length 1.

    Attributes:
        normal: (a, b) in pixels of the size at which the line was found.
        offset: c, alike.
    """

    normal: tuple[float, float]
    offset: float


@dataclass(frozen=True, kw_only=True)
class _Stub:
    """A straight edge that ends near the hole and points into it.

    Attributes:
        near: (x, y) of the end at the hole.
        far: (x, y) of the other end.
        sides: Mean colours on either side, by ascending a*x + b*y.
    """

    near: np.ndarray
    far: np.ndarray
    sides: np.ndarray

    @property
    def length(self) -> float:
        return float(np.hypot(*(self.far - self.near)))


def straight_lines(image: Image, hole: Hole) -> list[Line]:
    """Find the lines that run into a hole and, in line with themselves, out of it.

    Args:
        image: The picture; what lies in the hole is not looked at.
        hole: What is to be filled.

    Returns:
        Lines in pixels of this size, the longest first.
    """
    box = bounding_box(hole)
    if box is None:
        return []
    size = float(np.hypot(box[2] - box[0], box[3] - box[1]))
    reach = max(12, round(0.5 * size))
    x0, y0, x1, y1 = grown_box(box, reach, *hole.shape)
    window = (slice(y0, y1), slice(x0, x1))
    stubs = _stubs(image[window], hole[window], size)
    found: list[tuple[float, Line]] = []
    for index, first in enumerate(stubs):
        for second in stubs[index + 1 :]:
            line = _joined(first, second, size)
            if line is not None:
                moved = Line(
                    normal=line.normal,
                    offset=line.offset + line.normal[0] * x0 + line.normal[1] * y0,
                )
                found.append((min(first.length, second.length), moved))
    found.sort(key=lambda item: -item[0])
    chosen: list[Line] = []
    centre = np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])
    for _, line in found:
        if all(_apart(line, other, centre) > 0.015 * size for other in chosen):
            chosen.append(line)
    return chosen[:_MOST_LINES]


def _apart(first: Line, second: Line, at: np.ndarray) -> float:
    """Return how far two lines lie apart near a point; infinity when they are not parallel."""
    if abs(float(np.dot(first.normal, second.normal))) < 0.98:
        return float("inf")
    gaps = [float(np.dot(line.normal, at)) - line.offset for line in (first, second)]
    return abs(abs(gaps[0]) - abs(gaps[1]))


def _stubs(image: Image, hole: Hole, size: float) -> list[_Stub]:
    """Return the straight edges around a hole whose extension meets it."""
    eight = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
    eight[hole] = 0
    filled = cv2.inpaint(eight, hole.astype(np.uint8), 3, cv2.INPAINT_TELEA)
    gray = cv2.cvtColor(filled, cv2.COLOR_RGB2GRAY)
    detected: Any = cv2.createLineSegmentDetector(cv2.LSD_REFINE_STD).detect(gray)[0]
    if detected is None:
        return []
    away = cv2.distanceTransform((~hole).astype(np.uint8), cv2.DIST_L2, 5)
    shape = np.array([hole.shape[1], hole.shape[0]])
    smooth = cv2.blur(image, (3, 3))
    found = []
    for segment in detected.reshape(-1, 4):
        ends = [segment[:2], segment[2:]]
        steps = max(2, round(float(np.hypot(*(ends[1] - ends[0])))))
        points = ends[0] + np.linspace(0, 1, steps)[:, None] * (ends[1] - ends[0])
        cells = np.clip(np.rint(points).astype(np.int64), 0, shape - 1)
        distance = away[cells[:, 1], cells[:, 0]]
        clear = distance > 2
        if np.count_nonzero(clear) < max(6.0, 0.06 * size):
            continue
        points, distance = points[clear], distance[clear]
        near, far = points[0], points[-1]
        if distance[0] > distance[-1]:
            near, far = far, near
        along = (near - far) / max(float(np.hypot(*(near - far))), 1e-6)
        ahead = near + np.arange(1, max(2, round(1.2 * size)))[:, None] * along
        cells = np.rint(ahead).astype(np.int64)
        cells = cells[((cells >= 0) & (cells < shape)).all(axis=1)]
        if not hole[cells[:, 1], cells[:, 0]].any():
            continue
        normal = _upright(np.array([-along[1], along[0]]))
        # over some width: stripes of a texture have edges, but lie between two like areas
        offsets = np.arange(1.5, max(9.5, _SIDE * size))
        bands_ = [_pixels_at(smooth, points, sign * offsets, normal, hole) for sign in (-1, 1)]
        if min(len(band) for band in bands_) == 0:
            continue
        sides = np.stack([band.mean(axis=0) for band in bands_])
        spread = np.max([band.std(axis=0) for band in bands_])
        if np.abs(sides[1] - sides[0]).max() < max(_LEAST_STEP, spread):
            continue
        found.append(_Stub(near=near, far=far, sides=sides))
    found.sort(key=lambda stub: -stub.length)
    return found[:60]


def _upright(normal: np.ndarray) -> np.ndarray:
    """Return a normal in the half plane x + 0.001 y > 0 or, for flat lines, pointing down."""
    if abs(normal[1]) >= abs(normal[0]):
        return np.asarray(normal if normal[1] > 0 else -normal)
    return np.asarray(normal if normal[0] > 0 else -normal)


def _pixels_at(
    image: Image, points: np.ndarray, offsets: np.ndarray, normal: np.ndarray, hole: Hole
) -> np.ndarray:
    """Return the known pixels at some distances from points on a line."""
    shape = np.array([hole.shape[1], hole.shape[0]])
    places = points[:, None] + offsets[None, :, None] * normal
    cells = np.clip(np.rint(places).astype(np.int64), 0, shape - 1).reshape(-1, 2)
    cells = cells[~hole[cells[:, 1], cells[:, 0]]]
    return np.asarray(image[cells[:, 1], cells[:, 0]])


def _joined(first: _Stub, second: _Stub, size: float) -> Line | None:
    """Return the line through two stubs when they face each other, in line and alike."""
    gap = second.near - first.near
    distance = float(np.hypot(*gap))
    if distance < 0.15 * size:
        return None
    across = gap / distance
    for stub, sign in ((first, -1), (second, 1)):
        direction = (stub.far - stub.near) / max(stub.length, 1e-6)
        # each must lead away from the other, within what its own length can tell
        slack = max(0.06, 1.5 / stub.length)
        if float(np.dot(direction, across)) * sign < np.cos(slack):
            return None
    normal = _upright(np.array([-across[1], across[0]]))
    ends = np.stack([first.near, first.far, second.near, second.far])
    offset = float(np.mean(ends @ normal))
    if np.abs(ends @ normal - offset).max() > max(2.0, 0.015 * size):
        return None
    step_first = first.sides[1] - first.sides[0]
    step_second = second.sides[1] - second.sides[0]
    # the same step across: of one sign, and of like strength
    strength = max(float(np.abs(step_first).max()), float(np.abs(step_second).max()))
    if np.abs(step_first - step_second).max() > 0.7 * strength:
        return None
    if np.abs(first.sides - second.sides).max() > 0.35:
        return None
    return Line(normal=(float(normal[0]), float(normal[1])), offset=offset)


def parts(
    shape: tuple[int, ...], lines: list[Line], found_at: tuple[int, ...]
) -> Int64[np.ndarray, "h w"]:
    """Number the parts into which lines cut a picture.

    Args:
        shape: (height, width) wanted.
        lines: In pixels of ``found_at``.
        found_at: (height, width) at which the lines were found.
    """
    code = np.zeros(shape, np.int64)
    for index, line in enumerate(lines):
        code |= (_distances(shape, line, found_at) > 0).astype(np.int64) << index
    return code


def bands(
    shape: tuple[int, ...], lines: list[Line], found_at: tuple[int, ...], radius: int
) -> Planes:
    """Return, for each line, how far pixels lie from it: -1 to 1 over two patches' width.

    Args:
        shape: (height, width) wanted.
        lines: In pixels of ``found_at``.
        found_at: (height, width) at which the lines were found.
        radius: Half the side of a patch, in pixels of ``shape``.
    """
    planes = np.zeros((*shape, len(lines)), np.float32)
    for index, line in enumerate(lines):
        distance = _distances(shape, line, found_at) * (shape[0] / found_at[0])
        planes[..., index] = np.clip(distance / (2 * radius + 1), -1, 1)
    return planes


def _distances(
    shape: tuple[int, ...], line: Line, found_at: tuple[int, ...]
) -> Float64[np.ndarray, "h w"]:
    """Return signed distances from a line, in pixels of the size at which it was found."""
    rows = (np.arange(shape[0]) + 0.5)[:, None] * (found_at[0] / shape[0]) - 0.5
    columns = (np.arange(shape[1]) + 0.5)[None, :] * (found_at[1] / shape[1]) - 0.5
    return np.asarray(line.normal[0] * columns + line.normal[1] * rows - line.offset)


def guess(
    image: Planes, hole: Hole, part: Int64[np.ndarray, "h w"], trust: Float32[np.ndarray, "h w"]
) -> Planes:
    """Fill each part of a hole with the smoothest surface over its border (Laplace's equation).

    Border values are averages over a few known pixels of the same part, and pull the surface only
    as much as they are trusted, so that no single one draws a streak.

    Args:
        image: The picture; what lies in the hole is not looked at.
        hole: What to fill.
        part: The part to which each pixel belongs.
        trust: How far each known pixel is to be followed, in (0, 1].
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.linalg import spsolve

    height, width = hole.shape
    calm = _averaged(image, hole, part, trust)
    index = np.full(hole.shape, -1, np.int64)
    pixels = np.argwhere(hole)
    count = len(pixels)
    index[hole] = np.arange(count)
    diagonal = np.full(count, 1e-9)
    right = np.zeros((count, image.shape[2]))
    entries: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        there = pixels + (dy, dx)
        fits = ((there >= 0) & (there < (height, width))).all(axis=1)
        here, there = np.flatnonzero(fits), there[fits]
        same = part[pixels[here, 0], pixels[here, 1]] == part[there[:, 0], there[:, 1]]
        weight = np.where(same, 1.0, _LEAK)
        other = index[there[:, 0], there[:, 1]]
        known = other < 0
        weight = np.where(known, weight * trust[there[:, 0], there[:, 1]], weight)
        diagonal[here] += weight
        right[here[known]] += weight[known, None] * calm[there[known, 0], there[known, 1]]
        entries.append((here[~known], other[~known], -weight[~known]))
    entries.append((np.arange(count), np.arange(count), diagonal))
    rows, columns, values = (np.concatenate(items) for items in zip(*entries, strict=True))
    system = coo_matrix((values, (rows, columns)), shape=(count, count)).tocsc()
    result = image.copy()
    result[hole] = np.clip(spsolve(system, right).reshape(count, -1), 0, 1)
    return result


def _averaged(
    image: Planes, hole: Hole, part: Int64[np.ndarray, "h w"], trust: Float32[np.ndarray, "h w"]
) -> Planes:
    """Average known pixels, weighed by trust, over a 3 x 3 block within their own part."""
    total = np.zeros_like(image)
    mass = np.zeros(hole.shape, np.float32)
    padded = np.pad(np.where(hole[..., None], 0, image), ((1, 1), (1, 1), (0, 0)))
    known = np.pad(np.where(hole, 0, trust), 1)
    codes = np.pad(part, 1, constant_values=-1)
    height, width = hole.shape
    for dy in range(3):
        for dx in range(3):
            window = (slice(dy, dy + height), slice(dx, dx + width))
            counts = known[window] * (codes[window] == part)
            total += counts[..., None] * padded[window]
            mass += counts
    return np.asarray(total / np.maximum(mass, 1e-6)[..., None], dtype=np.float32)
