"""The parts and numbers that a photo and a clip are asked with alike: checked, and made."""

from __future__ import annotations

import math
import re
from typing import Protocol

from image_core.errors import InvalidInput
from image_core.local_editor import LocalEditor
from image_core.local_editor_config import LocalEditorConfig
from image_core.types import Strength
from insitu.model_trees import model_tree


class AskedParts(Protocol):
    """What the command line says about who does an edit, and how."""

    @property
    def language(self) -> str:
        """The language processor's name, or ``auto``."""
        ...

    @property
    def grounder(self) -> str:
        """The name of what finds a phrase, or ``auto``."""
        ...

    @property
    def segmenter(self) -> str:
        """The name of what cuts it out, or ``auto``."""
        ...

    @property
    def editor(self) -> str:
        """The editor's name or ``FILE.py:Class``, or ``auto``."""
        ...

    @property
    def editor_options(self) -> tuple[str, ...]:
        """``key=value`` texts for a named editor."""
        ...

    @property
    def models(self) -> str | None:
        """``pocket`` or a folder from which every part loads its model; None for this machine's."""
        ...

    @property
    def device(self) -> str:
        """Where networks run."""
        ...

    @property
    def seed(self) -> int:
        """Keys every random draw."""
        ...

    @property
    def strength(self) -> Strength | None:
        """How much of the edit; None for the editor's own measure."""
        ...


def check_values(asked: AskedParts) -> None:
    """Refuse numbers and devices that no edit can be done with.

    Raises:
        InvalidInput: The strength is not in [0, 1], the seed is negative, or there is no such kind
            of device.
    """
    strength = asked.strength
    if isinstance(strength, float) and not (math.isfinite(strength) and 0 <= strength <= 1):
        raise InvalidInput(f"the strength {strength:g} is not between 0 and 1")
    if asked.seed < 0:
        raise InvalidInput(f"the seed {asked.seed} is negative", hint="Any whole number from 0.")
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?|mps", asked.device):
        raise InvalidInput(f"there is no device {asked.device!r}", hint="auto, cpu or cuda.")


def editor_of(asked: AskedParts) -> LocalEditor:
    """Make the editor that is asked for.

    Raises:
        InvalidInput: A name or value is wrong, or the models' folder holds none.
        UnsupportedEdit: An editor option does not exist.
        MissingWeights: A part's extra or the pocket models are missing.
    """
    return LocalEditorConfig(
        language=asked.language,
        grounder=asked.grounder,
        segmenter=asked.segmenter,
        editor=asked.editor,
        editor_options=asked.editor_options,
        device=asked.device,
        models=None if asked.models is None else model_tree(asked.models),
    ).build()
