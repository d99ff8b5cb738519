"""Sentences with the action that each asks for: made to learn from, made to test, and hard ones.

The counts are the paper's (supplement C.2): 450 to learn from and 150 to test, balanced.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

import numpy as np

from image_core.editors.zone.actions.labels import ACTIONS, Action
from image_core.editors.zone.actions.templates import TEST, TRAINING, Template
from image_core.editors.zone.actions.things import COLOURS, THINGS, definite, indefinite

_EACH_TO_LEARN = 150  # sentences a class
_EACH_TO_TEST = 50
_STREAMS = {"training": 1, "test": 2}  # keeps the draws of the two sets apart


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """An instruction and what it asks for.

    Attributes:
        text: The instruction.
        action: The true action.
        group: What it was made from: a frame, or for a hard sentence why it is hard.
    """

    text: str
    action: Action
    group: str


def training_sentences(seed: int = 0) -> tuple[Sentence, ...]:
    """Return the 450 sentences to learn from; the same seed, the same sentences."""
    return _made(TRAINING, _EACH_TO_LEARN, (seed, _STREAMS["training"]))


def plain_sentences(seed: int = 0) -> tuple[Sentence, ...]:
    """Return the 150 sentences to test on, in other frames and partly with other verbs."""
    return _made(TEST, _EACH_TO_TEST, (seed, _STREAMS["test"]))


def hard_sentences() -> tuple[Sentence, ...]:
    """Return the sentences written by hand, as people say it: nothing is learnt from them.

    Their groups: ``polite``; ``verb later``, not first or none at all; ``several verbs``, of which
    one counts; ``details``, adjectives and places. Each as often for each action.
    """
    content = json.loads(files(__package__).joinpath("hard_sentences.json").read_text())
    return tuple(
        Sentence(text=text, action=action, group=group)
        for action in ACTIONS
        for group, texts in content[action].items()
        for text in texts
    )


def _made(templates: Sequence[Template], each: int, key: tuple[int, int]) -> tuple[Sentence, ...]:
    """Fill each class's templates in turn with drawn things until there are ``each`` sentences."""
    random = np.random.default_rng(key)
    made: dict[str, Sentence] = {}
    for action in ACTIONS:
        own = [template for template in templates if template.action == action]
        enough = len(made) + each
        turn = 0
        while len(made) < enough:
            template = own[turn % len(own)]
            text = _filled(template.frame, random)
            if text not in made:
                made[text] = Sentence(text=text, action=action, group=template.frame)
                turn += 1
    return tuple(made.values())


def _filled(frame: str, random: np.random.Generator) -> str:
    first, second = (THINGS[k] for k in random.choice(len(THINGS), size=2, replace=False))
    text = frame.format(
        old=definite(first),
        new=indefinite(second),
        host=definite(first if "{old}" not in frame else second),
        colour=COLOURS[random.integers(len(COLOURS))],
    )
    return text[0].upper() + text[1:]
