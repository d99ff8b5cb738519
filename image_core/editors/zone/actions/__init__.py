"""What an instruction asks for, in ZONE's three words: change, add or remove.

A small network on the text encoder's output and the rules of ``image_core.instructions`` both say
what they think; ``decide`` weighs them. Only the modules that run a network import torch.
"""

from image_core.editors.zone.actions.deciding import SURE, ActionDecision, decide
from image_core.editors.zone.actions.labels import (
    ACTIONS,
    Action,
    Classifier,
    Opinion,
    action_of_kind,
    action_of_plan,
)
from image_core.editors.zone.actions.places import default_folder, found_folder

__all__ = [
    "ACTIONS",
    "SURE",
    "Action",
    "ActionDecision",
    "Classifier",
    "Opinion",
    "action_of_kind",
    "action_of_plan",
    "decide",
    "default_folder",
    "found_folder",
]
