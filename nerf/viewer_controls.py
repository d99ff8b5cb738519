"""The edit's controls in nerfstudio's viewer: instruction, strength, pause, restart."""

from __future__ import annotations

import dataclasses
from typing import Any

from nerfstudio.viewer.viewer_elements import ViewerButton, ViewerCheckbox, ViewerText
from torch import nn

from image_core.errors import InvalidInput
from nerf.edit_flags import EditFlags


class ViewerControls(nn.Module):
    """A module without weights: the viewer looks for its elements in modules only."""

    def __init__(self, flags: EditFlags) -> None:
        """Show what the command line said."""
        super().__init__()
        own = " ".join(f"{value:g}" for value in flags.strength)
        self.instruction = ViewerText("Instruction", flags.instruction)
        self.strength = ViewerText(
            "Strength", own, hint="0 to 1, one or from the first round to the last; empty: editor's"
        )
        self.pause = ViewerCheckbox("Pause the edit", False, hint="Training goes on")
        self.restart = ViewerButton("Restart the edit", cb_hook=lambda _: self.ask_for_restart())
        self._wants_restart = False

    @property
    def paused(self) -> bool:
        """No views are edited for now."""
        return bool(self.pause.value)

    def ask_for_restart(self) -> None:
        """Start the edit anew before the next training step."""
        self._wants_restart = True

    def take_restart(self) -> bool:
        """Tell whether a restart was asked for since the last time."""
        wanted, self._wants_restart = self._wants_restart, False
        return wanted

    def flags(self, given: EditFlags) -> EditFlags:
        """Return a run's flags with what the viewer says now.

        Raises:
            InvalidInput: The strength is not made of numbers.
        """
        changed: Any = {name: getattr(given, name) for name in _NAMES}
        changed["instruction"] = str(self.instruction.value)
        if changed["instruction"] != given.instruction:
            changed["then"] = ()
        words = str(self.strength.value).replace(",", " ").split()
        try:
            changed["strength"] = tuple(float(word) for word in words)
        except ValueError as error:
            raise InvalidInput(f"the strength {' '.join(words)!r} is no number") from error
        return EditFlags(**(changed | {"fresh_edit": True}))


_NAMES = [field.name for field in dataclasses.fields(EditFlags)]
