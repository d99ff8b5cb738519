"""Why a language model's answer cannot be used; none of these leaves the package."""

from __future__ import annotations


class NoAnswerError(Exception):
    """The model could not be asked, or did not answer; asking again would not help."""


class InvalidAnswerError(Exception):
    """It answered with something that is no valid plan; the message is fit to be told to it."""


class NothingToEditError(Exception):
    """It answered, in due form, that the instruction names no edit."""
