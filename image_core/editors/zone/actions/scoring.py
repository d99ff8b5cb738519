"""How often each voice is right: the classifier, the rules, and both together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from image_core.editors.zone.actions.deciding import weighed
from image_core.editors.zone.actions.labels import ACTIONS, Action, Opinion, action_of_plan
from image_core.editors.zone.actions.sentences import Sentence
from image_core.errors import InstructionNotUnderstood
from image_core.instructions import RulesProcessor

Voice = Literal["classifier", "rules", "both"]


@dataclass(frozen=True, kw_only=True)
class Score:
    """One voice on one set of sentences.

    Attributes:
        confusion: Counts by true action, a row each, and by what was said: change, add, remove,
            and in the last column nothing.
    """

    confusion: tuple[tuple[int, int, int, int], ...]

    @property
    def accuracy(self) -> float:
        """The share said rightly; saying nothing is wrong."""
        right = sum(row[k] for k, row in enumerate(self.confusion))
        return right / sum(map(sum, self.confusion))


def scored(truth: Sequence[Action], said: Sequence[Action | None]) -> Score:
    """Count what was said of each true action."""
    columns: tuple[Action | None, ...] = (*ACTIONS, None)
    pairs = list(zip(truth, said, strict=True))
    rows = [[pairs.count((true, column)) for column in columns] for true in ACTIONS]
    return Score(confusion=tuple((row[0], row[1], row[2], row[3]) for row in rows))


def rules_say(instruction: str) -> Action | None:
    """Return the action that the rules read; None where they read none, or several."""
    try:
        return action_of_plan(RulesProcessor().parse(instruction))
    except InstructionNotUnderstood:
        return None


def scores_of(said: Sequence[tuple[Sentence, Opinion]]) -> dict[Voice, Score]:
    """Score all three voices.

    Args:
        said: Sentences, each with the classifier's opinion.
    """
    truth = [sentence.action for sentence, _ in said]
    opinions = [opinion for _, opinion in said]
    rules = [rules_say(sentence.text) for sentence, _ in said]
    both = [weighed(one, other).action for one, other in zip(rules, opinions, strict=True)]
    return {
        "classifier": scored(truth, [opinion.action for opinion in opinions]),
        "rules": scored(truth, rules),
        "both": scored(truth, both),
    }
