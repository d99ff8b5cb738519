"""Straight lines that run into a hole on one side and out of it on the other.

An edge between two surfaces (where a wall meets the floor) is taken to be straight behind the thing
that hides a piece of it. Edges are found by R. Grompone von Gioi et al., "LSD" (PAMI 2010).
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
        joined = [(second, _joined(first, second, size)) for second in stubs[index + 1 :]]
        found += [(min(first.length, second.length), line) for second, line in joined if line]
        through = _through(first, image[window], hole[window], size)
        if through is not None:
            found.append((0.5 * first.length, through))
    found = [(score, _moved(line, x0, y0)) for score, line in found]
    found.sort(key=lambda item: -item[0])
    chosen: list[Line] = []
    centre = np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])
    for _, line in found:
        if all(_apart(line, other, centre) > 0.015 * size for other in chosen):
            chosen.append(line)
    return chosen[:_MOST_LINES]


def _moved(line: Line, x: int, y: int) -> Line:
    """Shift a line."""
    a, b = line.normal
    return Line(normal=line.normal, offset=line.offset + a * x + b * y)


def _through(stub: _Stub, image: Image, hole: Hole, size: float) -> Line | None:
    """Return the line on which a long stub lies when the same edge comes out behind the hole.

    There it may be too short to be found as a stub: something else may stand in front of it.
    """
    if stub.length < 0.2 * size:
        return None
    along = (stub.near - stub.far) / stub.length
    shape = np.array([hole.shape[1], hole.shape[0]])
    ahead = stub.near + np.arange(1, round(2 * size))[:, None] * along
    ahead = ahead[((ahead >= 0) & (ahead <= shape - 1)).all(axis=1)]
    cells = np.rint(ahead).astype(np.int64)
    inside = np.flatnonzero(hole[cells[:, 1], cells[:, 0]])
    if len(inside) < 0.15 * size:
        return None
    beyond = ahead[inside[-1] + 1 : inside[-1] + 2 + max(4, round(0.03 * size))]
    normal = _upright(np.array([-along[1], along[0]]))
    offsets = np.arange(1.5, max(5.5, 0.02 * size))
    bands_ = [_pixels_at(image, beyond, sign * offsets, normal, hole) for sign in (-1, 1)]
    if min(len(band) for band in bands_) == 0:
        return None
    sides = np.stack([np.median(band, axis=0) for band in bands_])
    step, other = stub.sides[1] - stub.sides[0], sides[1] - sides[0]
    if np.abs(step - other).max() > 0.5 * np.abs(step).max():
        return None
    middle = (stub.near + stub.far) / 2
    return Line(normal=(float(normal[0]), float(normal[1])), offset=float(middle @ normal))


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
    if np.abs(step_first - step_second).max() > 0.5 * strength:
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
