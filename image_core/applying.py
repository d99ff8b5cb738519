"""Running prepared edits over images: in batches, step after step, each held to its contract."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from image_core.compositing import (
    composite,
    is_finite_inside,
    on_8_bit_grid,
    support,
    union,
    window_of,
)
from image_core.errors import EditFailed, InsituError, NonFiniteOutput
from image_core.seams import PreparedEdit
from image_core.types import (
    Edit,
    EditBatch,
    EditResult,
    EditStep,
    Image,
    Location,
    Mask,
    Region,
    Strength,
)

T = TypeVar("T")


def value_of(outcome: T | InsituError) -> T:
    """Return an outcome's value, or raise its error."""
    if isinstance(outcome, InsituError):
        raise outcome
    return outcome


@dataclass
class _Work:
    """One image on its way through the steps."""

    current: Image
    canvas: Image
    alphas: list[Mask] = field(default_factory=list)
    regions: list[Region] = field(default_factory=list)
    evaluations: int = 0
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    error: InsituError | None = None


def apply_steps(
    steps: Sequence[EditStep],
    edits: Sequence[PreparedEdit],
    batch_sizes: Sequence[int],
    batch: EditBatch,
    locations: Sequence[Location],
    *,
    strengths: Sequence[Strength] | None = None,
) -> list[EditResult | InsituError]:
    """Edit a batch's images step by step; step k changes what step k-1 made.

    Args:
        steps: What to do.
        edits: The prepared edit of each step.
        batch_sizes: Most images a call, for each step; 0 for no bound.
        batch: The images; its ``regions`` are replaced by each step's own.
        locations: One per image, with a region per step.
        strengths: One per step; the batch's own unless given.

    Returns:
        One outcome per image. An image that an editor fails on does not fail the others.
    """
    works = [
        _Work(current=image, canvas=over)
        for image, over in zip(batch.images, batch.composite_over, strict=True)
    ]
    for index, (step, edit, size) in enumerate(zip(steps, edits, batch_sizes, strict=True)):
        regions = [location.regions[index] for location in locations]
        strength = batch.strength if strengths is None else strengths[index]
        alive = [number for number, work in enumerate(works) if work.error is None]
        for chunk in _chunks(alive, size):
            _run(step, edit, replace(batch, regions=regions, strength=strength), works, chunk)
        batch.progress("apply", (index + 1) / len(steps))
    return [_outcome(work) for work in works]


def _chunks(numbers: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    size = size or max(1, len(numbers))
    for start in range(0, len(numbers), size):
        yield numbers[start : start + size]


def _run(
    step: EditStep, edit: PreparedEdit, batch: EditBatch, works: list[_Work], chunk: Sequence[int]
) -> None:
    part = replace(
        batch,
        images=[works[n].current for n in chunk],
        conditions=[batch.conditions[n] for n in chunk],
        composite_over=[works[n].canvas for n in chunk],
        regions=[batch.regions[n] for n in chunk],
        keys=[batch.keys[n] for n in chunk],
    )
    try:
        made = _edited(edit, part)
    except InsituError as error:
        if len(chunk) == 1:
            works[chunk[0]].error = error
        else:  # one of them is at fault: each by itself, so that the others are done
            for number in chunk:
                _run(step, edit, batch, works, [number])
        return
    for place, number in enumerate(chunk):
        try:
            _take(step, made, place, part.regions[place], works[number], share=len(chunk))
        except InsituError as error:
            works[number].error = error


def _edited(edit: PreparedEdit, part: EditBatch) -> Edit:
    """Run an editor; what it raises of its own becomes ``EditFailed``."""
    try:
        made = edit.edit(part)
    except InsituError:
        raise
    except Exception as error:
        raise EditFailed(
            f"the editor failed: {error!r}", hint="Nothing was written; --debug shows where."
        ) from error
    if len(made.images) != len(part.images):
        raise EditFailed(f"the editor gave {len(made.images)} images for {len(part.images)}")
    return made


def _take(
    step: EditStep, made: Edit, place: int, region: Region, work: _Work, *, share: int
) -> None:
    """Lay one image of an editor's answer into its picture."""
    image = made.images[place]
    if image.shape != work.current.shape:
        raise EditFailed(f"the editor gave an image of {image.shape} for {work.current.shape}")
    if made.regions is not None:
        own = made.regions[place]
        # the mask is written with 8 bits and must tell the very weights that were laid
        region = replace(own, alpha=on_8_bit_grid(np.minimum(own.alpha, region.alpha)))
    if not is_finite_inside(image, region.alpha):
        raise NonFiniteOutput(
            "the editor gave NaN or infinity inside the region",
            hint="Nothing was written. Try another editor or a lower --strength.",
        )
    if _equal_inside(image, work.current, region.alpha):
        work.warnings.append(f"{step.instruction!r} changed nothing")
    one_canvas = work.canvas is work.current
    work.current = composite(work.current, image, region.alpha)
    work.canvas = work.current if one_canvas else composite(work.canvas, image, region.alpha)
    work.alphas.append(region.alpha)
    work.regions.append(region)
    work.evaluations += made.evaluations // share + (place < made.evaluations % share)
    work.notes += made.notes
    work.warnings += made.warnings


def _equal_inside(first: Image, second: Image, alpha: Mask) -> bool:
    window = window_of(alpha)
    if window is None:
        return True
    inside = support(alpha[window])
    return np.array_equal(first[window][inside], second[window][inside])


def _outcome(work: _Work) -> EditResult | InsituError:
    if work.error is not None:
        return work.error
    return EditResult(
        image=work.canvas,
        alpha=union(work.alphas),
        regions=tuple(work.regions),
        evaluations=work.evaluations,
        notes=tuple(dict.fromkeys(work.notes)),
        warnings=tuple(dict.fromkeys(work.warnings)),
    )
