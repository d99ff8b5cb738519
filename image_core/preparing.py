"""Preparing a plan: measuring each step on what the step before made of the reference images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from image_core.applying import apply_steps, value_of
from image_core.seams import Editor, PreparedEdit
from image_core.types import EditBatch, EditPlan, Image, Location


@dataclass(frozen=True, kw_only=True)
class PreparedPlan:
    """A plan's steps, each with its prepared edit."""

    plan: EditPlan
    edits: tuple[PreparedEdit, ...]

    @property
    def pointwise(self) -> bool:
        """Every step may be applied to any frame by itself."""
        return all(edit.pointwise for edit in self.edits)

    def state_dict(self) -> dict[str, Any]:
        """Return each step's frozen state, JSON-able."""
        return {str(index): edit.state_dict() for index, edit in enumerate(self.edits)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what ``state_dict`` gave."""
        for index, edit in enumerate(self.edits):
            edit.load_state_dict(state[str(index)])


def prepare_steps(
    plan: EditPlan,
    editors: Sequence[Editor],
    images: Sequence[Image],
    locations: Sequence[Location],
    keys: Sequence[int],
) -> PreparedPlan:
    """Prepare each step on the reference images.

    Args:
        plan: The steps.
        editors: One per step.
        images: The references, unedited.
        locations: Where each step applies, one per image.
        keys: One opaque integer per image.

    Raises:
        UnsupportedEdit: An editor cannot do its step.
        EditFailed: A step that a later one is measured on failed.
    """
    current = list(images)
    edits: list[PreparedEdit] = []
    for index, (step, editor) in enumerate(zip(plan.steps, editors, strict=True)):
        batch = EditBatch(
            images=current,
            conditions=images,
            composite_over=images,
            regions=[location.regions[index] for location in locations],
            keys=keys,
        )
        edits.append(editor.prepare(step, [batch]))
        if index + 1 < len(plan.steps):
            here = [Location(regions=(region,)) for region in batch.regions]
            size = editor.capabilities.max_batch
            made = apply_steps([step], edits[-1:], [size], batch, here)
            current = [value_of(outcome).image for outcome in made]
    return PreparedPlan(plan=plan, edits=tuple(edits))
