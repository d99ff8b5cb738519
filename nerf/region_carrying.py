"""Regions that need the field's depth: one view's carried to the others, and hulls in 3D."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float, UInt8
from scipy.spatial import KDTree

from image_core.errors import TargetNotFound
from image_core.segmentation.edges import eroded
from image_core.types import Location, Region
from nerf.dataset_update import as_image
from nerf.depth_parts import in_front, whole
from nerf.lifting import box_region, carried, grown, hull_box
from nerf.seeded_cut import refine_from_seed
from nerf.view_samples import ViewSamples

_BETWEEN = 3  # views besides the first that are asked about another one
_TRIM = 0.02  # of the lifted points lie beyond each side of their box
_MARGIN = 0.3  # of its longest side: so far from what was found so far the thing may reach
_RIM = 1  # pixels

Regions = list[Location | None]


def _nearest(samples: ViewSamples, view: int, others: Sequence[int]) -> list[int]:
    """Return other views, those that stand and look most alike first."""
    here = samples.camera(view).camera_to_world
    far = [np.linalg.norm(samples.camera(other).camera_to_world - here) for other in others]
    return [others[place] for place in np.argsort(far, kind="stable")]


def carried_from(
    samples: ViewSamples,
    view: int,
    location: Location,
    originals: Sequence[UInt8[np.ndarray, "_ _ 3"]],
) -> Regions:
    """Carry the regions of one view into all others by rendered depth, and cut them out there.

    From view to view, the nearest first: what the first view cannot see, such as the thing's other
    side, those between tell of. What lies far from all that was found so far is outside.

    Args:
        samples: Of the reconstruction.
        view: In which the regions are known.
        location: Its regions, one per step.
        originals: The views' pictures, 8 bit, on whose own edges the regions are cut.

    Returns:
        One location per view; None where the thing is not seen.
    """
    size = samples.views.size
    others = _nearest(samples, view, [other for other in range(samples.count) if other != view])
    found: list[dict[int, Region]] = []
    for marked in location.regions:
        known = {view: replace(marked, alpha=in_front(marked.alpha, samples.of(view).depth))}
        for other in others:
            inside, outside = _told(samples, view, known, other)
            image = as_image(originals[other])
            region = refine_from_seed(image, _whole(inside, size), _whole(outside, size))
            if region is not None:
                known[other] = region
        found.append(known)
    return [joined(size, [known.get(other) for known in found]) for other in range(samples.count)]


def _told(
    samples: ViewSamples, first: int, known: Mapping[int, Region], other: int
) -> tuple[Bool[np.ndarray, "h w"], Bool[np.ndarray, "h w"]]:
    """Return where a view is surely inside and outside, as the views before it tell.

    The first view is believed wherever it sees; then the nearest ones, in their order.
    """
    points = samples.points(other)
    inside = np.zeros(points.shape[:2], bool)
    outside = inside.copy()
    between = [view for view in known if view != first]
    for view in (first, *_nearest(samples, other, between)[:_BETWEEN]):
        mask = samples.reduced(known[view].alpha)
        says_in, says_out = carried(mask, samples.camera(view), samples.of(view).depth, points)
        open_yet = ~(inside | outside)
        inside |= says_in & open_yet
        outside |= says_out & open_yet
    lifted = np.concatenate([_core(samples, view, region) for view, region in known.items()])
    box = hull_box(lifted, trim=_TRIM)
    reach = _MARGIN * float(np.max(np.subtract(box.upper, box.lower)))
    distance, _ = KDTree(lifted).query(points.reshape(-1, 3), distance_upper_bound=reach)
    beyond = ~np.isfinite(distance).reshape(inside.shape)
    return inside & ~beyond, outside | beyond


def _core(samples: ViewSamples, view: int, region: Region) -> Float[np.ndarray, "n 3"]:
    """Return the points of a region without its rim, where depth runs to what is behind it."""
    inner: Float[np.ndarray, "n 3"] = samples.points(view)[
        eroded(samples.reduced(region.alpha) > 0.5, _RIM)
    ]
    return inner


def hull_regions(
    samples: ViewSamples, regions: Sequence[Location | None], *, grow: float
) -> Regions:
    """Return each view's part of the grown box around the region in 3D: room for another shape.

    Args:
        samples: Of the reconstruction.
        regions: Each view's part of the region.
        grow: How much larger the box is than what it holds.

    Raises:
        TargetNotFound: Too little of the region can be lifted.
    """
    steps = max(len(location.regions) for location in regions if location is not None)
    boxes = []
    for step in range(steps):
        lifted = [
            samples.points(view)[samples.reduced(location.regions[step].alpha) > 0.5]
            for view, location in enumerate(regions)
            if location is not None
        ]
        boxes.append(grown(hull_box(np.concatenate(lifted)), grow))
    size = samples.views.size
    made: Regions = []
    for view in range(samples.count):
        camera, depth = samples.camera(view), samples.of(view).depth
        masks = [_whole(box_region(box, camera, depth) > 0.5, size) for box in boxes]
        found = [
            Region(alpha=mask.astype(np.float32), evidence="the box around it in 3D")
            if mask.any()
            else None
            for mask in masks
        ]
        made.append(joined(size, found))
    if not any(made):
        raise TargetNotFound("the box around the thing in 3D is seen in no view")
    return made


def joined(size: tuple[int, ...], regions: Sequence[Region | None]) -> Location | None:
    """Join a view's steps; a step that is not seen has an empty region, a view of none has none."""
    if not any(regions):
        return None
    nowhere = Region(alpha=np.zeros(size, np.float32), evidence="not seen here")
    return Location(regions=tuple(region or nowhere for region in regions))


def _whole(inside: Bool[np.ndarray, "h w"], size: tuple[int, int]) -> Bool[np.ndarray, "H W"]:
    return np.asarray(whole(inside.astype(np.float32), size) > 0.5)
