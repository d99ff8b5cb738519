"""A command line that can be parsed but makes no sense as a whole."""

from __future__ import annotations


class UsageError(Exception):
    """The arguments do not go together; the command ends with code 2."""


def usage_error(message: str, *, command: str = "image") -> UsageError:
    """Return the error with the way to a command's help in it."""
    return UsageError(f"{message}; see insitu {command} --help")
