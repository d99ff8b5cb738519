"""Handing a batch's images to a method as jobs, and taking its answers back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from image_core.editors.generative.config import GenerativeConfig
from image_core.editors.generative.crops import CropPlan, taken, taken_mask
from image_core.editors.generative.tasks import Job
from image_core.errors import InvalidInput
from image_core.types import EditBatch, EditStep, Mask, Region


def captions_of(step: EditStep, config: GenerativeConfig) -> tuple[str, str]:
    """Return the captions before and after: the user's, else the plan's, else made of its words."""
    if config.edited_caption.strip():
        return config.source_caption.strip(), config.edited_caption.strip()
    source = step.source_caption or step.target.phrase
    edited = step.edited_caption or step.value or step.instruction
    return source, edited


def check_sides(jobs: Sequence[Job], multiple: int) -> None:
    """Refuse jobs that a method was handed in a size it cannot work at.

    Raises:
        InvalidInput: Sizes differ or are not divisible.
    """
    sizes = {job.image.shape[:2] for job in jobs}
    if len(sizes) != 1 or any(side % multiple for size in sizes for side in size):
        raise InvalidInput(f"a method cannot work on pictures of {sorted(sizes)} together")


def check_conditions(work: EditBatch) -> None:
    """Refuse originals of another size than what is to change: their crops would not match.

    Raises:
        InvalidInput: It says which sizes.
    """
    for image, condition in zip(work.images, work.conditions, strict=True):
        if image.shape != condition.shape:
            raise InvalidInput(
                f"a picture of {image.shape[1]} x {image.shape[0]} has an original of "
                f"{condition.shape[1]} x {condition.shape[0]}",
                hint="Render at the original's size, or scale the original.",
            )


def grouped_by_size(plans: Mapping[int, CropPlan]) -> list[list[int]]:
    """Return the numbers of images whose crops have one size, group by group."""
    groups: dict[tuple[int, int], list[int]] = {}
    for number, plan in plans.items():
        groups.setdefault(plan.size, []).append(number)
    return list(groups.values())


def job_of(work: EditBatch, number: int, alpha: Mask, plan: CropPlan) -> Job:
    """Return one image of a batch as a job: cut, scaled, and all of it finite."""
    image, condition = work.images[number], work.conditions[number]
    cut = taken(image, plan)
    same = condition is image or np.array_equal(condition, image, equal_nan=True)
    return Job(
        image=cut,
        condition=cut if same else taken(condition, plan),
        mask=taken_mask(alpha, plan),
        key=work.keys[number],
        whole=plan.box == (0, 0, image.shape[1], image.shape[0]),
    )


def found_regions(work: EditBatch, found: Sequence[Mask | None]) -> list[Region] | None:
    """Return the regions that the method found itself, within those it was given."""
    if all(mask is None for mask in found):
        return None
    regions = []
    for given, mask in zip(work.regions, found, strict=True):
        own = given.alpha if mask is None else np.minimum(given.alpha, mask)
        regions.append(replace(given, alpha=np.asarray(own, np.float32)))
    return regions
