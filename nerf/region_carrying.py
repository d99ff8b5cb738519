"""Regions that need the field's depth: one view's carried to the others, and hulls in 3D."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from image_core.errors import TargetNotFound
from image_core.types import Location, Mask, Region
from nerf.dataset_update import as_image
from nerf.field_views import FieldViews
from nerf.lifting import box_region, carried, grown, hull_box
from nerf.seeded_cut import refine_from_seed
from nerf.view_camera import points_at

_REDUCED = 2  # depth is rendered at half size

Regions = list[Location | None]


def carried_from(
    views: FieldViews,
    view: int,
    location: Location,
    originals: Sequence[UInt8[np.ndarray, "_ _ 3"]],
) -> Regions:
    """Carry the regions of one view into all others by rendered depth, and cut them out there.

    Args:
        views: The reconstruction.
        view: In which the regions are known.
        location: Its regions, one per step.
        originals: The views' pictures, 8 bit, on whose own edges the regions are cut.

    Returns:
        One location per view; None where the thing is not seen.
    """
    camera = views.view_camera(view, reduced=_REDUCED)
    depth = views.depth(view, reduced=_REDUCED)
    masks = [_reduced(region.alpha, depth.shape) for region in location.regions]
    made: Regions = []
    for other in range(len(originals)):
        if other == view:
            made.append(location)
            continue
        there = views.view_camera(other, reduced=_REDUCED)
        points = points_at(there, views.depth(other, reduced=_REDUCED))
        image = as_image(originals[other])
        regions = []
        for mask in masks:
            inside, outside = carried(mask, camera, depth, points)
            regions.append(
                refine_from_seed(image, _whole(inside, views.size), _whole(outside, views.size))
            )
        made.append(joined(image.shape[:2], regions))
    return made


def hull_regions(views: FieldViews, regions: Sequence[Location | None], *, grow: float) -> Regions:
    """Return each view's part of the grown box around the region in 3D: room for another shape.

    Args:
        views: The reconstruction.
        regions: Each view's part of the region.
        grow: How much larger the box is than what it holds.

    Raises:
        TargetNotFound: Too little of the region can be lifted.
    """
    steps = max(len(location.regions) for location in regions if location is not None)
    cameras = [views.view_camera(view, reduced=_REDUCED) for view in range(len(regions))]
    depths = [views.depth(view, reduced=_REDUCED) for view in range(len(regions))]
    boxes = []
    for step in range(steps):
        lifted = [
            points_at(camera, depth)[_reduced(location.regions[step].alpha, depth.shape) > 0.5]
            for camera, depth, location in zip(cameras, depths, regions, strict=True)
            if location is not None
        ]
        boxes.append(grown(hull_box(np.concatenate(lifted)), grow))
    made: Regions = []
    for camera, depth in zip(cameras, depths, strict=True):
        masks = [_whole(box_region(box, camera, depth) > 0.5, views.size) for box in boxes]
        found = [
            Region(alpha=mask.astype(np.float32), evidence="the box around it in 3D")
            if mask.any()
            else None
            for mask in masks
        ]
        made.append(joined(views.size, found))
    if not any(made):
        raise TargetNotFound("the box around the thing in 3D is seen in no view")
    return made


def joined(size: tuple[int, ...], regions: Sequence[Region | None]) -> Location | None:
    """Join a view's steps; a step that is not seen has an empty region, a view of none has none."""
    if not any(regions):
        return None
    nowhere = Region(alpha=np.zeros(size, np.float32), evidence="not seen here")
    return Location(regions=tuple(region or nowhere for region in regions))


def _reduced(alpha: Mask, shape: tuple[int, ...]) -> Mask:
    height, width = shape
    made = cv2.resize(alpha, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(made, np.float32)


def _whole(inside: Bool[np.ndarray, "h w"], size: tuple[int, int]) -> Bool[np.ndarray, "H W"]:
    height, width = size
    values: Float32[np.ndarray, "H W"] = cv2.resize(
        inside.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR
    )
    return np.asarray(values > 0.5)
