"""How much of an edit each step gets: the user's word, or its editor's own measure."""

from __future__ import annotations

import math

from image_core.errors import InvalidInput, UnsupportedEdit
from image_core.seams import Editor
from image_core.types import Strength


def strength_for(name: str, editor: Editor, wanted: Strength | None) -> Strength:
    """Return the strength that an editor is asked for.

    Args:
        name: The editor's, for messages.
        editor: Its capabilities say what it can.
        wanted: By the user; None for the editor's own.

    Raises:
        InvalidInput: It is not between 0 and 1.
        UnsupportedEdit: The editor cannot choose by itself, or has no strength at all.
    """
    can = editor.capabilities
    if wanted is None:
        return can.default_strength
    if wanted == "auto":
        if can.automatic_strength:
            return "auto"
        raise UnsupportedEdit(
            f"{name} has no automatic strength",
            hint="Give --strength a number from 0 to 1, or leave it away.",
        )
    if not (math.isfinite(wanted) and 0 <= wanted <= 1):
        raise InvalidInput(f"the strength {wanted:g} is not between 0 and 1")
    if not can.has_strength and wanted not in (0, 1):
        raise UnsupportedEdit(
            f"{name} has no strength", hint="Leave --strength away, or take another editor."
        )
    return float(wanted)
