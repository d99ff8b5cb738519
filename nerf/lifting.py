"""Regions carried between views through rendered depth.

What one view's region covers is lifted to the world by that view's depth; a pixel of another view
belongs to it where its own 3-D point is seen in the first view, and inside the region there. Points
that the first view cannot see say nothing: their pixels stay unknown.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float

from image_core.errors import InvalidInput, TargetNotFound
from image_core.segmentation.cut import without_specks
from image_core.types import Mask
from nerf.view_camera import ViewCamera, directions, pixel_index, project

TOLERANCE = 0.05
"""Two distances are of the same point when they differ by less than this share."""

_FEWEST_POINTS = 8
_SPECK = 0.05  # of the largest part's area


@dataclass(frozen=True, kw_only=True)
class Box3D:
    """A box along the world's axes.

    Attributes:
        lower: Its corner of least coordinates, in world units.
        upper: Its corner of greatest coordinates.
    """

    lower: tuple[float, float, float]
    upper: tuple[float, float, float]

    def __post_init__(self) -> None:
        """Refuse a box with nothing in it."""
        sides = np.subtract(self.upper, self.lower)
        if not (np.isfinite(sides).all() and (sides > 0).all()):
            raise InvalidInput(f"the box from {self.lower} to {self.upper} is empty")


def seen(
    points: Float[np.ndarray, "*n 3"],
    camera: ViewCamera,
    depth: Float[np.ndarray, "h w"],
    *,
    tolerance: float = TOLERANCE,
) -> Bool[np.ndarray, "*n"]:
    """Tell which world points a view sees: those at the distance that it renders there.

    Args:
        points: In world units.
        camera: The view.
        depth: Its rendered distances along the rays.
        tolerance: See ``TOLERANCE``.
    """
    _check_size(camera, depth)
    xy, distance = project(points, camera)
    rows, columns, inside = pixel_index(xy, camera)
    there = depth[rows, columns]
    return np.asarray(inside & (np.abs(distance - there) <= tolerance * there))


def carried(
    mask: Mask,
    camera: ViewCamera,
    depth: Float[np.ndarray, "h w"],
    points: Float[np.ndarray, "h2 w2 3"],
    *,
    tolerance: float = TOLERANCE,
) -> tuple[Bool[np.ndarray, "h2 w2"], Bool[np.ndarray, "h2 w2"]]:
    """Carry one view's region into another view.

    Args:
        mask: The region in the reference view; inside is above 0.5.
        camera: The reference view.
        depth: Its rendered distances along the rays.
        points: The world points of the other view's pixels (``view_camera.points_at``).
        tolerance: See ``TOLERANCE``.

    Returns:
        Where the other view shows the region, and where it shows what is outside; both False where
        the reference view cannot tell.
    """
    _check_size(camera, depth)
    _check_size(camera, mask)
    rows, columns, _ = pixel_index(project(points, camera)[0], camera)
    visible = seen(points, camera, depth, tolerance=tolerance)
    member = mask[rows, columns] > 0.5
    inside = cleaned(visible & member)
    return inside, cleaned(visible & ~member) & ~inside


def cleaned(mask: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """Take away single pixels, close single gaps, and drop specks."""
    if not mask.any():
        return mask
    smooth = cv2.medianBlur(mask.astype(np.uint8), 3) > 0
    return without_specks(smooth, speck=_SPECK) if smooth.any() else smooth


def hull_box(points: Float[np.ndarray, "n 3"], *, trim: float = 0.02) -> Box3D:
    """Return the box along the axes that holds lifted points, but for outliers.

    Args:
        points: In world units; what is not finite is left out.
        trim: Share of the points that may lie beyond each of its sides: at a thing's outline, depth
            runs from the thing to what is behind it.

    Raises:
        TargetNotFound: Too few points.
    """
    usable = points[np.isfinite(points).all(axis=-1)]
    if len(usable) < _FEWEST_POINTS:
        raise TargetNotFound(
            f"{len(usable)} points are too few to place the region in 3-D",
            hint="Take a view in which the thing is larger, or reconstruct for longer.",
        )
    lower, upper = np.quantile(usable, [trim, 1 - trim], axis=0)
    # a flat thing has a box too
    margin = np.maximum(0, 0.01 * float(np.max(upper - lower)) + 1e-6 - (upper - lower)) / 2
    return _box(lower - margin, upper + margin)


def grown(box: Box3D, factor: float) -> Box3D:
    """Scale a box about its centre.

    Raises:
        InvalidInput: The factor is not above 0.
    """
    if not (np.isfinite(factor) and factor > 0):
        raise InvalidInput(f"a box cannot be grown by {factor:g}")
    centre = np.add(box.lower, box.upper) / 2
    half = np.subtract(box.upper, box.lower) / 2 * factor
    return _box(centre - half, centre + half)


def box_region(
    box: Box3D,
    camera: ViewCamera,
    depth: Float[np.ndarray, "h w"] | None = None,
    *,
    tolerance: float = TOLERANCE,
) -> Mask:
    """Return a hard mask of the pixels whose rays go through a box that nothing hides.

    Exact for any lens: each pixel's ray is cut with the box's three slabs.

    Args:
        box: In world units.
        camera: The view.
        depth: Its rendered distances; None where nothing can hide the box.
        tolerance: What ends nearer than the ray's entry into the box by this share hides it.
    """
    rays = directions(camera)
    with np.errstate(divide="ignore", invalid="ignore"):
        first = (np.array(box.lower) - camera.position) / rays
        second = (np.array(box.upper) - camera.position) / rays
    near, far = np.minimum(first, second), np.maximum(first, second)
    # a ray within a side's own plane gives NaN there: that slab cuts nothing away
    entry = np.where(np.isnan(near), -np.inf, near).max(axis=-1).clip(min=0)
    leave = np.where(np.isnan(far), np.inf, far).min(axis=-1)
    inside = leave > entry
    if depth is not None:
        _check_size(camera, depth)
        inside &= depth >= entry * (1 - tolerance)
    return np.asarray(inside, np.float32)


def _box(lower: Float[np.ndarray, " 3"], upper: Float[np.ndarray, " 3"]) -> Box3D:
    x0, y0, z0 = (float(value) for value in lower)
    x1, y1, z1 = (float(value) for value in upper)
    return Box3D(lower=(x0, y0, z0), upper=(x1, y1, z1))


def _check_size(camera: ViewCamera, values: Float[np.ndarray, "h w"]) -> None:
    if values.shape != (camera.height, camera.width):
        raise InvalidInput(
            f"a map of {values.shape[1]}x{values.shape[0]} does not fit a view of "
            f"{camera.width}x{camera.height}"
        )
