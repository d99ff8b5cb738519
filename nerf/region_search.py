"""Where an edit applies in each view, as the flags ask: found before training, agreed on in 3D."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from image_core.errors import InvalidInput
from image_core.local_editor import LocalEditor
from image_core.types import EditPlan, Location
from nerf.datamanager import InsituDataManager
from nerf.dataset_update import as_image
from nerf.edit_flags import EditFlags
from nerf.field_views import FieldViews
from nerf.mask_folder import find_by_masks
from nerf.region_carrying import carried_from, hull_regions
from nerf.region_fusion import agreed
from nerf.regions import find_by_phrase, find_in_one_view
from nerf.view_samples import ViewSamples

Regions = list[Location | None]
Tell = Callable[[str], None]


def found(
    flags: EditFlags,
    editor: LocalEditor,
    plan: EditPlan,
    datamanager: InsituDataManager,
    tell: Tell,
) -> Regions:
    """Find the regions on the originals; with a region in one view, in that view alone.

    Raises:
        TargetNotFound: In no view, or in too few.
        InvalidInput: A mask, or the view that is named, does not fit.
    """
    names, hint = datamanager.names, flags.hint()
    if hint is not None:
        view = hinted_view(names, str(flags.box_view))
        regions: Regions = [None] * len(names)
        image = as_image(datamanager.originals[view])
        regions[view] = find_in_one_view(editor, plan, image, hint)
        return regions
    images = [as_image(original) for original in datamanager.originals]
    if flags.mask_dir is not None:
        regions = find_by_masks(editor, plan, images, names, flags.mask_dir)
    else:
        regions = find_by_phrase(editor, plan, images, names, min_share=flags.min_share)
    seen = [location for location in regions if location is not None]
    area = float(np.mean([location.regions[0].alpha.mean() for location in seen]))
    tell(
        f"the target was found in {len(seen)} of {len(regions)} views, "
        f"{100 * area:.1f} % of a view on average"
    )
    return regions


def hinted_view(names: Sequence[str], wanted: str) -> int:
    """Return the number of the view that a box, point or mask belongs to.

    Raises:
        InvalidInput: No training view has that name, or several have.
    """
    matching = [
        view for view, name in enumerate(names) if wanted in (name, name.rsplit("/", 1)[-1])
    ]
    if len(matching) != 1:
        some = ", ".join(name.rsplit("/", 1)[-1] for name in names[:3])
        raise InvalidInput(
            f"{wanted} is {'no' if not matching else 'more than one'} training view",
            hint=f"Views are named by their file, e.g. {some}; some are held out to evaluate.",
        )
    return matching[0]


def in_3d(
    flags: EditFlags, plan: EditPlan, views: FieldViews, regions: Regions, tell: Tell
) -> Regions:
    """Return each view's part of one region in 3D, now that there is a reconstruction.

    Raises:
        TargetNotFound: Nothing is left of the region in 3D.
    """
    samples = ViewSamples(views)
    originals = list(views.datamanager.originals)
    if flags.hint() is not None:
        view = hinted_view(views.datamanager.names, str(flags.box_view))
        known = regions[view]
        assert known is not None
        regions = carried_from(samples, view, known, originals)
    everywhere = all(step.whole_image for step in plan.steps)
    if flags.region_3d == "off" or everywhere:
        return regions
    made = agreed(
        samples,
        regions,
        originals,
        steps=len(plan.steps),
        iterations=flags.region_steps,
        seed=flags.seed,
        tell=tell,
    )
    if flags.region_3d == "box":
        return hull_regions(samples, made, grow=flags.region_grow)
    return made
