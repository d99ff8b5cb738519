"""How a command's outcome is told: lines for people, one JSON object a line for machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from image_core.errors import AmbiguousTarget, InsituError
from insitu.exit_codes import ExitCode

Outcome = Mapping[str, Any]


def error_outcome(error: BaseException, code: ExitCode, **known: Any) -> dict[str, Any]:
    """Return the outcome of something that failed."""
    candidates = []
    if isinstance(error, AmbiguousTarget):
        candidates = [
            {"box": list(c.box) if c.box else None, "score": round(c.score, 4)}
            for c in error.candidates
        ]
    return {
        "status": "error",
        "exit_code": int(code),
        **known,
        "error": {
            "type": type(error).__name__,
            "message": _message(error, code),
            "hint": _hint(error, code),
            "candidates": candidates,
        },
    }


def report_error(error: BaseException, code: ExitCode, as_json: bool) -> int:
    """Tell an error in one line on stderr (and as an object on stdout), and return its code."""
    outcome = error_outcome(error, code)
    if as_json:
        print_json(outcome)
    print(f"insitu: {error_line(outcome)}", file=sys.stderr)
    return int(code)


def error_line(outcome: Outcome) -> str:
    """Return an error as one line: what was wrong, and what to do next."""
    error = outcome["error"]
    return " ".join(f"{error['message'].rstrip('.')}. {error['hint']}".split())


def print_json(outcome: Outcome) -> None:
    """Write one object on one line of stdout."""
    print(json.dumps(outcome, ensure_ascii=False), flush=True)


def _message(error: BaseException, code: ExitCode) -> str:
    if code is ExitCode.INTERRUPTED:
        return "interrupted"
    if code is ExitCode.INTERNAL:
        return f"internal error: {error!r}"
    return str(error)


def _hint(error: BaseException, code: ExitCode) -> str:
    if isinstance(error, InsituError):
        return error.hint
    if code is ExitCode.INTERNAL:
        return "Run it again with --debug and report what it prints."
    return ""
