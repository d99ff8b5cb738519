"""The exit codes, in one place; docs/cli.md tells users the same."""

from __future__ import annotations

from enum import IntEnum

from image_core.errors import (
    AmbiguousTarget,
    EditFailed,
    InsituError,
    InstructionNotUnderstood,
    IntegrityError,
    InvalidInput,
    MissingWeights,
    TargetNotFound,
    UnsupportedEdit,
)


class ExitCode(IntEnum):
    """What a command ends with."""

    DONE = 0
    INTERNAL = 1
    USAGE = 2
    NOT_FOUND = 3
    AMBIGUOUS = 4
    UNSUPPORTED = 5
    MISSING_WEIGHTS = 6
    INVALID_INPUT = 7
    INTEGRITY = 8
    EDIT_FAILED = 9
    BATCH_FAILURES = 10
    INTERRUPTED = 130


_BY_ERROR: tuple[tuple[type[InsituError], ExitCode], ...] = (
    (InvalidInput, ExitCode.INVALID_INPUT),
    (InstructionNotUnderstood, ExitCode.UNSUPPORTED),
    (UnsupportedEdit, ExitCode.UNSUPPORTED),
    (MissingWeights, ExitCode.MISSING_WEIGHTS),
    (TargetNotFound, ExitCode.NOT_FOUND),
    (AmbiguousTarget, ExitCode.AMBIGUOUS),
    (EditFailed, ExitCode.EDIT_FAILED),
    (IntegrityError, ExitCode.INTEGRITY),
)


def code_of(error: BaseException) -> ExitCode:
    """Return the exit code that an error ends a command with."""
    if isinstance(error, KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    for kind, code in _BY_ERROR:
        if isinstance(error, kind):
            return code
    return ExitCode.INTERNAL
