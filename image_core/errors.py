"""Every error that insitu raises on purpose.

    InsituError
    ├── InvalidInput               a value or a file that cannot be used
    ├── InstructionNotUnderstood   the words name no edit that the language processor knows
    ├── UnsupportedEdit            understood, but not by the chosen editor
    ├── MissingWeights             a model or an extra is not on this machine
    ├── TargetNotFound             the phrase, box or point leads to no region
    ├── AmbiguousTarget            it leads to several, and the words choose none
    ├── EditFailed                 the editor could not do it
    │   ├── EditCancelled          it was asked to stop
    │   └── NonFiniteOutput        it gave NaN or infinity
    └── IntegrityError             a written file is not what its receipt says

Each message says what was wrong; ``hint`` says what to do next.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from image_core.types import Detection


class InsituError(Exception):
    """The parent of all.

    Attributes:
        hint: The next step for the user, one sentence; empty when the message says it all.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        """Keep the message and the next step apart, so that a caller can show either."""
        super().__init__(message)
        self.hint = hint


class InvalidInput(InsituError):
    """A bad value or file: missing, unreadable, unsupported, of another size, not writable."""


class InstructionNotUnderstood(InsituError):
    """The instruction is in none of the forms that the language processor knows."""


class UnsupportedEdit(InsituError):
    """The chosen editor has not got this kind of edit, or this option."""


class MissingWeights(InsituError):
    """Model weights or an optional extra are missing; the hint is the command that gets them."""


class TargetNotFound(InsituError):
    """Nothing in the picture answers to the phrase, box or point."""


class AmbiguousTarget(InsituError):
    """Several things answer to the phrase and nothing in it chooses one.

    Attributes:
        candidates: What was found, best first.
    """

    def __init__(
        self, message: str, *, hint: str = "", candidates: Sequence[Detection] = ()
    ) -> None:
        """Keep the candidates for display."""
        super().__init__(message, hint=hint)
        self.candidates = tuple(candidates)


class EditFailed(InsituError):
    """The editor started and could not finish."""


class EditCancelled(EditFailed):
    """The editor stopped because ``EditBatch.cancelled`` told it to."""


class NonFiniteOutput(EditFailed):
    """The editor gave NaN or infinity inside the region."""


class IntegrityError(InsituError):
    """A written file, its mask or its source is not what the receipt says."""
