"""From the user's turns to one plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from image_core import discovery
from image_core.errors import InstructionNotUnderstood, InvalidInput
from image_core.instructions import RulesConfig
from image_core.seams import LanguageProcessor
from image_core.types import EditPlan, EditStep, Target

Captions = tuple[str, str]
"""What the picture shows before and after."""


def plan_of_turns(
    language: LanguageProcessor, turns: Sequence[str], caption: str | None
) -> EditPlan:
    """Read turns one by one and join their steps.

    "it" in a later turn is what the step before was about. The plan names everyone who spoke.

    Raises:
        InstructionNotUnderstood: A turn is in no form that the processor knows.
        InvalidInput: A turn is empty or no text.
    """
    plans = [language.parse(text, caption=caption) for text in turns]
    return replace(
        plans[0],
        steps=_resolved([step for plan in plans for step in plan.steps]),
        processor=" + ".join(dict.fromkeys(plan.processor for plan in plans)),
    )


def given_captions(options: Sequence[str]) -> Captions | None:
    """Return the captions that stand in an editor's options; None without an edited one.

    Whether the source caption may be left away is for the editor to say.
    """
    values = discovery.option_values(options)
    source = values.get("source_caption", "").strip()
    edited = values.get("edited_caption", "").strip()
    return (source, edited) if edited else None


def plan_from_captions(turns: Sequence[str], captions: Captions) -> EditPlan:
    """Plan one step from captions in the user's hand; no model is asked.

    The rules still read what the words name and which kind of edit they ask for, where they can.

    Raises:
        InvalidInput: There are further turns, for which the captions cannot be right; or nothing
            stands in the instruction.
    """
    if len(turns) > 1:
        raise InvalidInput(
            "captions in --editor-options describe one edit, but there are several turns",
            hint="Do one turn at a time, or leave the captions away.",
        )
    instruction = turns[0]
    try:
        steps = RulesConfig().build().parse(instruction).steps
    except InstructionNotUnderstood:
        steps = ()
    if len(steps) == 1:
        step = steps[0]
    else:
        step = EditStep(instruction=instruction, kind="replace", target=Target(pronoun=True))
    step = replace(step, source_caption=captions[0], edited_caption=captions[1])
    return EditPlan(instruction=instruction, steps=(step,), processor="captions given")


def _resolved(steps: Sequence[EditStep]) -> tuple[EditStep, ...]:
    resolved: list[EditStep] = []
    for step in steps:
        earlier = resolved[-1] if resolved else None
        if step.target.pronoun and earlier is not None and not earlier.whole_image:
            step = replace(step, target=earlier.target)
        resolved.append(step)
    return tuple(resolved)
