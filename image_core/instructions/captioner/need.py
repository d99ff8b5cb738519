"""When a plan cannot do without knowing what the picture shows."""

from __future__ import annotations

from image_core.types import EditPlan, EditStep, Kind

# Of the whole picture these are made from a caption of it; a tone or a filter needs none.
_MADE_FROM_CAPTION: frozenset[Kind] = frozenset({"replace", "add", "attribute", "style"})


def needs_caption(plan: EditPlan) -> bool:
    """Tell whether a caption would say what a plan leaves open (InstructEdit §4.4).

    So it is where a step says "it", or where it names no part and its edited caption has to tell
    of the whole picture: a style, or a thing added to no named place (in the paper a description
    helped with 62.5 % of its additions).
    """
    return any(_leaves_open(step) for step in plan.steps)


def _leaves_open(step: EditStep) -> bool:
    if step.target.pronoun:
        return True
    named = bool(step.target.phrase or step.target.noun)
    return not named and (not step.whole_image or step.kind in _MADE_FROM_CAPTION)
