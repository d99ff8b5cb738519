"""The frames from which sentences are made: one set to learn from, one to be tested on.

No frame stands in both sets. Of the nine verbs that test a class, six are learnt with other frames
and three are never learnt. Verbs are those of the paper's supplement (C.2, tables A and B) and
their near synonyms. A third of what is learnt from is as people talk, where the verb does not come
first; the test has none of that, and the sentences written by hand have much.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from image_core.editors.zone.actions.labels import Action

Frames = Mapping[Action, tuple[str, ...]]


@dataclass(frozen=True, kw_only=True)
class Template:
    """A sentence with places to fill.

    Attributes:
        action: What it asks for.
        frame: The text. ``{old}`` and ``{host}`` become things of the picture ("the cat"),
            ``{new}`` a new one ("a dog"), ``{colour}`` a colour.
    """

    action: Action
    frame: str


_TRAINING: Frames = {
    "change": (
        "Turn {old} into {new}",
        "Turn {old} {colour}",
        "Make {old} {new}",
        "Make {old} {colour}",
        "Swap {old} for {new}",
        "Replace {old} with {new}",
        "Change {old} to {new}",
        "Change the colour of {old} to {colour}",
        "Convert {old} into {new}",
        "Transform {old} into {new}",
        "Paint {old} {colour}",
        "Switch {old} to {new}",
        "Exchange {old} for {new}",
        "Alter {old} so that it becomes {new}",
        "Let {old} become {new}",
        "Please turn {old} into something {colour}",
        "Could you make {old} into {new}?",
        "I want {old} to be {new}",
        "{old} must become {new}",
        "Use {new} in place of {old}",
        "Let us see {old} in {colour}",
        "What if {old} was {colour}?",
        "Pick {old} and make it {colour}",
    ),
    "add": (
        "Put {new} next to {host}",
        "Put {new} on {host}",
        "Attach {new} to {host}",
        "Include {new} on {host}",
        "Give {host} {new}",
        "Add {new}",
        "Add {new} to {host}",
        "Add {new} behind {host}",
        "Place {new} in front of {host}",
        "Insert {new} beside {host}",
        "Draw {new} above {host}",
        "Lay {new} on {host}",
        "Hang {new} over {host}",
        "Set {new} down next to {host}",
        "Position {new} under {host}",
        "Please add {new} beside {host}",
        "Could you put {new} over {host}?",
        "I want {new} near {host}",
        "There has to be {new} by {host}",
        "{host} could use {new}",
        "Let us see {new} behind {host}",
        "What if there was {new} on {host}?",
        "Go to {host} and put {new} on top",
    ),
    "remove": (
        "Remove {old}",
        "Remove {old} from the picture",
        "Take away {old}",
        "Delete {old}",
        "Delete {old} next to {host}",
        "Erase {old}",
        "Erase {old} from the scene",
        "Get rid of {old}",
        "Get rid of {old} on the left",
        "Eliminate {old}",
        "Cut out {old}",
        "Wipe out {old}",
        "Clear away {old}",
        "Discard {old}",
        "Drop {old} from the image",
        "Please remove {old} near {host}",
        "Could you delete {old} beside {host}?",
        "I do not want {old} here",
        "{old} must go",
        "There is no need for {old}",
        "Let us see it without {old}",
        "What if {old} was not there?",
        "Go to {old} and erase it",
    ),
}

_TEST: Frames = {
    "change": (
        "Turn the color of {old} to {colour}",
        "Make {old} look like {new}",
        "Swap out {old} and use {new} instead",
        "Replace {old} by {new}",
        "Change {old} into {new} of the same size",
        "Paint {old} in {colour}",
        "Dye {old} {colour}",
        "Morph {old} into {new}",
        "Substitute {new} for {old}",
    ),
    "add": (
        "Put {new} in the picture, close to {host}",
        "Give {host} {new} to carry",
        "Add {new} on top of {host}",
        "Place {new} to the right of {host}",
        "Insert {new} into the scene",
        "Draw {new} in the background",
        "Introduce {new} beside {host}",
        "Stick {new} on {host}",
        "Install {new} near {host}",
    ),
    "remove": (
        "Remove {old} in front of {host}",
        "Take {old} out of the picture",
        "Delete {old} on the right",
        "Erase {old} behind {host}",
        "Get {old} out of the photo",
        "Cut {old} away",
        "Hide {old}",
        "Scrap {old} beside {host}",
        "Lose {old} near {host}",
    ),
}


def _templates(frames: Frames) -> tuple[Template, ...]:
    return tuple(
        Template(action=action, frame=frame) for action, some in frames.items() for frame in some
    )


TRAINING = _templates(_TRAINING)
TEST = _templates(_TEST)
