"""Which edits a capture of a scene can take: all views must come to show the same thing."""

from __future__ import annotations

from collections.abc import Mapping

from image_core.choosing import models_of
from image_core.errors import UnsupportedEdit
from image_core.local_editor import LocalEditor
from image_core.seams import Editor
from image_core.types import EditPlan, EditStep

_NEW_SHAPE = ("add", "remove")


def refuse_in_3d(plan: EditPlan, editors: Mapping[EditStep, Editor], *, region_3d: str) -> None:
    """Refuse to add or remove without an editor that can and the room to do it in.

    Raises:
        UnsupportedEdit: A step adds or removes, and its editor has no networks or the region has
            no room for another shape.
    """
    for step in plan.steps:
        if step.kind not in _NEW_SHAPE:
            continue
        if not models_of([editors[step]]):
            raise UnsupportedEdit(
                f"to {step.kind} something in a scene takes an editor with networks: each view by "
                "itself would be filled differently",
                hint="Name one: --pipeline.editor inpainting (see `insitu doctor`).",
            )
        if region_3d != "box":
            raise UnsupportedEdit(
                f"to {step.kind} something takes a region with room for it",
                hint="Add --pipeline.region-3d box.",
            )


def refuse_unlike_views(plan: EditPlan, editor: LocalEditor) -> None:
    """Refuse a weight-free operator that lays something into each picture by itself.

    Raises:
        UnsupportedEdit: A step fills with a texture, and its editor is the classic one.
    """
    for step in plan.steps:
        if step.kind == "texture" and editor.editor_for(step)[0] == "classic":
            raise UnsupportedEdit(
                "the classic editor lays a texture into each picture by itself, so the views "
                "would not agree",
                hint="Recolour, tone and filters work; else an editor with networks.",
            )


def refuse_many_steps(plan: EditPlan, most: int) -> None:
    """Refuse more steps than one region in 3D has outputs.

    Raises:
        UnsupportedEdit: There are more.
    """
    if len(plan.steps) > most:
        raise UnsupportedEdit(
            f"a region in 3D takes up to {most} steps, the instruction has {len(plan.steps)}",
            hint="Edit in several runs, or use --pipeline.region-3d off.",
        )
