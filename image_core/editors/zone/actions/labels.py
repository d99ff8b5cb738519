"""The three actions, what they mean for our kinds of edit, and an opinion on which is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from image_core.types import EditPlan, Kind

Action = Literal["change", "add", "remove"]

ACTIONS: tuple[Action, ...] = ("change", "add", "remove")
"""In the order of the paper's class numbers 0, 1 and 2."""


@dataclass(frozen=True, kw_only=True)
class Opinion:
    """What a classifier makes of an instruction.

    Attributes:
        action: Its choice.
        probabilities: Of change, add and remove, summing to 1; None for a rule that has none.
    """

    action: Action
    probabilities: tuple[float, float, float] | None

    @property
    def confidence(self) -> float | None:
        """The chosen action's probability, in [1/3, 1], or None."""
        if self.probabilities is None:
            return None
        return self.probabilities[ACTIONS.index(self.action)]


@runtime_checkable
class Classifier(Protocol):
    """Tells an instruction's action."""

    def classify(self, instruction: str) -> Opinion:
        """Return its opinion on one instruction."""
        ...


def action_of_kind(kind: Kind) -> Action:
    """Return the action that a kind of edit amounts to: all but adding and removing is a change."""
    if kind == "add":
        return "add"
    return "remove" if kind == "remove" else "change"


def action_of_plan(plan: EditPlan) -> Action | None:
    """Return the one action of all steps of a plan; None where they differ."""
    actions = {action_of_kind(step.kind) for step in plan.steps}
    return actions.pop() if len(actions) == 1 else None
