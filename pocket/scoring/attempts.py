"""One editor's attempt at one case: what a user would get, or the error that he would be told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from image_core.applying import value_of
from image_core.errors import InsituError, InvalidInput, MissingWeights
from image_core.evaluations import counting
from image_core.local_editor import LocalEditor
from image_core.preparing import refuse_unsupported
from image_core.types import EditPlan, Image, Location, Mask, RegionHint
from pocket.scoring.cases import ScoredCase, on_8_bit
from pocket.scoring.conditions import Condition

_GROWN = ("remove", "replace")  # kinds whose region is made larger than what was found


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """What came of it.

    Attributes:
        picture: The edited picture, on the grid of 8 bits; None where it was refused.
        found: The region that the phrase, or the editor by itself, led to; None where none was
            looked for.
        region: The region that was edited.
        rows: What went through networks, by network.
        seconds: From the instruction to the picture.
        error: Why there is no picture.
    """

    picture: Image | None = None
    found: Mask | None = None
    region: Mask | None = None
    rows: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    error: InsituError | None = None


def attempted(
    editor: LocalEditor,
    condition: Condition,
    case: ScoredCase,
    *,
    captions: tuple[str, str] | None,
    seed: int,
    clock: Callable[[], float],
) -> Attempt:
    """Let an editor do a case as ``LocalEditor.edit`` does a photo.

    Args:
        editor: With the condition's editor in it.
        condition: Its strength and regions.
        case: What is asked for.
        captions: Before and after, in place of the plan's.
        seed: With the case's name it keys every draw.
        clock: Seconds.

    Raises:
        InvalidInput: A part cannot be used as it is.
        MissingWeights: Weights of one are torn.
    """
    start = clock()
    hint = _hint(condition, case)
    key = case.key(seed)
    location: Location | None = None
    with counting() as rows:
        try:
            plan = _told(editor.plan(case.case.instruction), captions)
            editor.strengths(plan, condition.strength)
            refuse_unsupported(plan, [editor.editor_for(step)[1] for step in plan.steps])
            location = value_of(editor.locate([case.source], plan, [hint])[0])
            prepared = editor.prepare(plan, [case.source], [location], keys=[key])
            results = editor.apply(
                prepared, [case.source], [location], keys=[key], strength=condition.strength
            )
            result = value_of(results[0])
        except (InvalidInput, MissingWeights):
            raise  # the cases are sound: it is about a part, and would be the same for all
        except InsituError as error:
            return Attempt(rows=dict(rows), seconds=clock() - start, error=error)
    seconds = clock() - start
    by_itself = all(editor.editor_for(step)[1].capabilities.finds_region for step in plan.steps)
    found: Mask | None = None
    if by_itself:
        found = result.alpha
    elif hint is None:
        found = _as_found(editor, plan, case.source, location)
    return Attempt(
        picture=on_8_bit(result.image),
        found=found,
        region=result.alpha,
        rows=dict(rows),
        seconds=seconds,
    )


def _hint(condition: Condition, case: ScoredCase) -> RegionHint | None:
    if condition.regions == "found":
        return None
    inside = case.changed > 0 if condition.regions == "true" else np.ones(case.changed.shape)
    return RegionHint(mask=np.asarray(inside, np.float32), feather=0)


def _told(plan: EditPlan, captions: tuple[str, str] | None) -> EditPlan:
    if captions is None or len(plan.steps) != 1:
        return plan
    before, after = captions
    step = replace(plan.steps[0], source_caption=before, edited_caption=after)
    return replace(plan, steps=(step,))


def _as_found(editor: LocalEditor, plan: EditPlan, image: Image, location: Location) -> Mask | None:
    """Return the region of a plan's only step before it was grown for what is to be done."""
    if len(plan.steps) != 1:
        return None
    step = plan.steps[0]
    if step.kind not in _GROWN:
        return location.regions[0].alpha
    plain = replace(plan, steps=(replace(step, kind="recolor"),))
    found = editor.locate([image], plain)[0]
    return found.regions[0].alpha if isinstance(found, Location) else None
