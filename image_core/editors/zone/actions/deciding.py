"""Change, add or remove: the classifier's word against the rules', and the user's above both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from image_core.editors.zone.actions.labels import (
    ACTIONS,
    Action,
    Classifier,
    Opinion,
    action_of_kind,
)
from image_core.errors import InstructionNotUnderstood, InvalidInput
from image_core.types import Kind

Speaker = Literal["user", "both", "classifier", "rules"]

SURE = 0.9
"""The confidence from which the classifier overrules the rules.

Its confidence is calibrated on sentences such as it learnt from; people's own wording leaves it too
sure. The rules refuse more often than they misread, so that a classifier that is less sure than
this is the likelier one to be wrong."""


@dataclass(frozen=True, kw_only=True)
class ActionDecision:
    """Which action it is, and who said so; for the receipt.

    Attributes:
        action: The action.
        decided_by: ``both`` where classifier and rules agree.
        confidence: The classifier's in its own choice; None without one, or where it has none.
        classifier: What the classifier said, if there is one and it was asked.
        rules: What the plan's kind amounts to, if there is one.
    """

    action: Action
    decided_by: Speaker
    confidence: float | None = None
    classifier: Action | None = None
    rules: Action | None = None

    @property
    def note(self) -> str:
        """The decision in one sentence."""
        sure = "" if self.confidence is None else f", {self.confidence:.2f} sure"
        if self.decided_by == "user":
            return f"the action is {self.action}, as asked for"
        if self.decided_by == "both":
            return f"the action is {self.action}: classifier{sure} and rules agree"
        if self.decided_by == "classifier":
            other = "the rules cannot tell" if self.rules is None else f"the rules say {self.rules}"
            return f"the action is {self.action} by the classifier{sure}; {other}"
        if self.classifier is None:
            return f"the action is {self.action} by the rules; no classifier was asked"
        return (
            f"the action is {self.action} by the rules; the classifier says {self.classifier}{sure}"
        )


def decide(
    instruction: str,
    plan_kind: Kind | None,
    classifier: Classifier | None,
    *,
    action: str | None = None,
) -> ActionDecision:
    """Decide what an instruction asks for.

    Args:
        instruction: The words of one edit.
        plan_kind: What the language processor took it for; None where it could not tell.
        classifier: A trained one, or None: then the rules speak alone. One without probabilities
            (the released checkpoint's rule) has the last word, as in the released code.
        action: The user's own choice, which needs no opinions.

    Raises:
        InvalidInput: ``action`` is none of the three.
        InstructionNotUnderstood: Nobody can tell.
    """
    if action is not None:
        for known in ACTIONS:
            if action == known:
                return ActionDecision(action=known, decided_by="user")
        raise InvalidInput(f"action={action} is not one of {', '.join(ACTIONS)}")
    rules = None if plan_kind is None else action_of_kind(plan_kind)
    return weighed(rules, None if classifier is None else classifier.classify(instruction))


def weighed(rules: Action | None, opinion: Opinion | None) -> ActionDecision:
    """Weigh the two voices.

    Args:
        rules: What the rules say; None where they cannot tell.
        opinion: What the classifier says; None without one.

    Raises:
        InstructionNotUnderstood: Both are None.
    """
    if opinion is None:
        if rules is None:
            raise InstructionNotUnderstood(
                "the instruction does not tell whether to change, add or remove something",
                hint="Say so with the editor's option action=change, add or remove, or train the "
                "classifier: insitu train action-classifier",
            )
        return ActionDecision(action=rules, decided_by="rules", rules=rules)
    said, sure = opinion.action, opinion.confidence
    chosen: Action = said
    speaker: Speaker = "classifier"
    if rules == said:
        speaker = "both"
    elif rules is not None and sure is not None and sure < SURE:
        chosen, speaker = rules, "rules"
    return ActionDecision(
        action=chosen, decided_by=speaker, confidence=sure, classifier=said, rules=rules
    )
