"""Preparing a plan: measuring each step on what the step before made of the reference images."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from image_core.applying import apply_steps, value_of
from image_core.errors import EditFailed, InsituError
from image_core.seams import Editor, PreparedEdit
from image_core.types import EditBatch, EditPlan, EditStep, Image, Location


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


def prepared_by(editor: Editor, step: EditStep, reference: Iterable[EditBatch]) -> PreparedEdit:
    """Let an editor prepare a step; what it raises of its own becomes ``EditFailed``."""
    try:
        return editor.prepare(step, reference)
    except InsituError:
        raise
    except Exception as error:
        raise EditFailed(
            f"the editor failed to prepare: {error!r}", hint="--debug shows where."
        ) from error


def refuse_unsupported(plan: EditPlan, editors: Sequence[Editor]) -> None:
    """Let each editor refuse its step before anything is measured or found.

    Raises:
        UnsupportedEdit: An editor cannot do its step's operation or value.
        MissingWeights: It could, but its weights or an extra are missing.
    """
    for step, editor in zip(plan.steps, editors, strict=True):
        # an editor that cannot be prepared on nothing says so when it is prepared for real
        with contextlib.suppress(EditFailed):
            prepared_by(editor, step, ())


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
        edits.append(prepared_by(editor, step, [batch]))
        if index + 1 < len(plan.steps):
            here = [Location(regions=(region,)) for region in batch.regions]
            size = editor.capabilities.max_batch
            made = apply_steps([step], edits[-1:], [size], batch, here)
            current = [value_of(outcome).image for outcome in made]
    return PreparedPlan(plan=plan, edits=tuple(edits))
