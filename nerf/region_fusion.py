"""One region in 3D from the views' own, and each view's region from it again.

The regions found in single views miss some views and take in wrong things in others. A field
beside the reconstruction learns from all of them (``region_training``); what it shows in a view
then decides, and the view's own outline is kept where it agrees.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Float32, UInt8

from image_core.errors import TargetNotFound
from image_core.types import Image, Location, Mask, Region
from nerf.dataset_update import as_image
from nerf.depth_parts import whole
from nerf.region_carrying import joined
from nerf.region_training import Rays, RegionPixels, train_region
from nerf.regions import iou
from nerf.seeded_cut import refine_from_seed
from nerf.view_samples import ViewSamples

_RAYS = 512  # a training step of the region
_ROWS = 32  # of a view, rendered at once
_SAME = 0.85  # IoU with the fused region from which a view's own outline is kept
_INSIDE, _OUTSIDE = 0.6, 0.3  # of the rendered region: sure enough

Regions = list[Location | None]


def agreed(
    samples: ViewSamples,
    regions: Sequence[Location | None],
    originals: Sequence[UInt8[np.ndarray, "_ _ 3"]],
    *,
    steps: int,
    iterations: int,
    seed: int,
    tell: Callable[[str], None],
) -> Regions:
    """Train the region in 3D, and return each view's region as it shows there.

    Args:
        samples: Of the reconstruction.
        regions: Each view's own; None where the target was not found.
        originals: The views' pictures, 8 bit.
        steps: Of the plan, no more than the region field has outputs.
        iterations: Training steps of the region.
        seed: Keys the rays drawn.
        tell: Takes a line for the console.

    Raises:
        TargetNotFound: Nothing is left of the region in any view.
    """
    views = samples.views
    _train(samples, regions, iterations=iterations, seed=seed)
    views.model.region_outputs.fill_(steps)
    made: Regions = []
    overlaps = []
    for view, own in enumerate(regions):
        fused = shown(samples, view, steps)
        image = as_image(originals[view])
        settled = [
            _settled(image, fused[..., step], None if own is None else own.regions[step])
            for step in range(steps)
        ]
        overlaps += [
            iou(own.regions[step].alpha, fused[..., step])
            for step in range(steps)
            if own is not None
        ]
        made.append(joined(views.size, settled))
    if not any(made):
        raise TargetNotFound(
            "the views' regions do not meet in 3D: nothing is left of them",
            hint="Look at them (insitu nerf regions), point at the thing in one view, or train "
            "longer before the edit (--pipeline.reconstruct-steps).",
        )
    kept = sum(location is not None for location in made)
    tell(
        f"the region in 3D shows in {kept} of {len(made)} views; "
        f"its mean IoU with the views' own is {float(np.mean(overlaps)):.2f}"
    )
    return made


def shown(samples: ViewSamples, view: int, steps: int) -> Float32[np.ndarray, "h w steps"]:
    """Return the region in 3D as a view sees it, in [0, 1], at the view's own size."""
    field, found = samples.views.model.region_field, samples.of(view)
    with torch.no_grad():
        bands = zip(found.positions.split(_ROWS), found.weights.split(_ROWS), strict=True)
        rows = [
            field.rendered(positions.flatten(0, 1), weights.flatten(0, 1))[:, :steps].cpu()
            for positions, weights in bands
        ]
    values = torch.cat(rows).reshape(*samples.size, steps).numpy()
    size = samples.views.size
    return np.stack([whole(values[..., step], size) for step in range(steps)], axis=-1)


def _train(
    samples: ViewSamples, regions: Sequence[Location | None], *, iterations: int, seed: int
) -> None:
    masks = [
        None if own is None else tuple(samples.reduced(region.alpha) for region in own.regions)
        for own in regions
    ]
    pixels = RegionPixels(masks, [samples.size] * len(masks))
    model = samples.views.model

    def sample(generator: torch.Generator) -> Rays:
        places, target, weight = pixels.draw(_RAYS, generator)
        positions, weights = samples.at(places)
        return positions, weights, target.to(model.device), weight.to(model.device)

    train_region(model.region_field, sample, iterations=iterations, seed=seed)


def _settled(image: Image, fused: Mask, own: Region | None) -> Region | None:
    """Return a view's region: its own where that is what all views say, else one cut anew."""
    if own is not None and iou(own.alpha, fused) >= _SAME:
        return own
    return refine_from_seed(image, fused > _INSIDE, fused < _OUTSIDE)
