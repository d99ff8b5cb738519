"""The language processor: a model is asked, its answer checked, and the rules stand behind it."""

from __future__ import annotations

import logging
import unicodedata
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from image_core.disk_cache import DiskCache, content_key
from image_core.errors import InstructionNotUnderstood, MissingWeights
from image_core.instructions.language_model.failures import (
    InvalidAnswerError,
    NoAnswerError,
    NothingToEditError,
)
from image_core.instructions.language_model.prompt import VERSION, Message, messages_for, repair_of
from image_core.instructions.rules import RulesProcessor
from image_core.instructions.text import check
from image_core.types import EditPlan
from image_core.weights import folder_of

if TYPE_CHECKING:
    from image_core.instructions.language_model.answer import Answer
    from image_core.instructions.language_model.config import LanguageModelConfig

_LOG = logging.getLogger("insitu.language_model")
_CACHE_BYTES = 64 * 2**20
_MAX_CAPTION = 500


@runtime_checkable
class _Speaker(Protocol):
    """Whoever answers: a local model or an endpoint."""

    def ask(self, messages: list[Message]) -> str:
        """Return the answer that a conversation gets, or raise ``NoAnswerError``."""
        ...


class LanguageModelProcessor:
    """Reads an instruction with a language model. Implements ``LanguageProcessor``.

    An answer that is no valid plan gets one try at repair; after that the ``rules`` read the
    instruction, and the plan's ``processor`` says so.
    """

    def __init__(self, config: LanguageModelConfig) -> None:
        """Keep the configuration; the model is loaded, or the endpoint asked, at first use."""
        self.config = config
        self._speaker: _Speaker | None = None
        self._known: dict[str, EditPlan] = {}
        self._disk = DiskCache(name="plans", suffix=".json", limit=_CACHE_BYTES)

    @property
    def name(self) -> str:
        """Who speaks, as the receipt says it."""
        model = self.config.remote_model if self.config.url else self.config.model
        local_folder = not self.config.url and Path(model).expanduser().is_dir()
        return f"language_model:{Path(model).resolve().name if local_folder else model}"

    def why_not(self) -> str:
        """Say why it could not run here now; see ``LanguageModelConfig.why_not``."""
        return self.config.why_not()

    def parse(self, instruction: str, *, caption: str | None = None) -> EditPlan:
        """Read an instruction.

        Args:
            instruction: The user's words, at most 2000 characters.
            caption: What the picture shows, when known; it tells what "it" is.

        Returns:
            At least one step. ``processor`` is ``language_model:<id>``, or, when the model gave no
            valid plan, ``rules (language_model:<id> …)`` with the reason.

        Raises:
            InvalidInput: The instruction is empty, too long, or has control characters in it.
            InstructionNotUnderstood: Neither the model nor the rules can make a plan of it.
            MissingWeights: The local model or an extra is not on this machine.
        """
        _check_input(instruction)
        shown = _one_line(caption or "")
        try:
            import pydantic  # noqa: F401  (it comes with the extra)
        except ImportError as error:
            raise _extra_missing(error) from error
        key = content_key("language_model", *self._identity(), VERSION, instruction, shown)
        plan = self._known.get(key) or self._recalled(key, instruction, shown)
        if plan is None:
            try:
                answer, plan = self._asked(instruction, shown)
            except (NoAnswerError, InvalidAnswerError, NothingToEditError) as error:
                return self._by_rules(instruction, caption, error)
            if self.config.cache:
                self._disk.put(key, answer.model_dump_json().encode())
        self._known[key] = plan
        return plan

    def _identity(self) -> tuple[str, ...]:
        """Return what tells this model from others: its endpoint, or what lies in its folder."""
        if self.config.url:
            return ("endpoint", self.config.url, self.config.remote_model)
        files = sorted(path for path in folder_of(self.config.model).iterdir() if path.is_file())
        stats = [(path.name, path.stat()) for path in files]
        contents = [f"{name} {stat.st_size} {stat.st_mtime_ns}" for name, stat in stats]
        return ("local", self.config.model, *contents)

    def _asked(self, instruction: str, caption: str) -> tuple[Answer, EditPlan]:
        """Ask the model, once more if its answer is not valid."""
        speaker = self._made_speaker()
        messages = messages_for(instruction, caption)
        said = speaker.ask(messages)
        try:
            return self._read(said, instruction, caption)
        except InvalidAnswerError as error:
            _LOG.info("%s is asked again: %s", self.name, error)
            said = speaker.ask(repair_of(messages, said, str(error)))
            return self._read(said, instruction, caption)

    def _read(self, said: str, instruction: str, caption: str) -> tuple[Answer, EditPlan]:
        from image_core.instructions.language_model.answer import read_answer
        from image_core.instructions.language_model.plans import plan_of

        answer = read_answer(said)
        return answer, plan_of(
            answer, instruction=instruction, caption=caption, processor=self.name
        )

    def _recalled(self, key: str, instruction: str, caption: str) -> EditPlan | None:
        """Return a plan from the disk; an entry that is no valid answer any more is passed over."""
        entry = self._disk.get(key) if self.config.cache else None
        if entry is None:
            return None
        try:
            return self._read(entry.decode(), instruction, caption)[1]
        except (UnicodeDecodeError, InvalidAnswerError, NothingToEditError) as error:
            _LOG.info("a cached plan is unusable: %s", error)
            return None

    def _by_rules(self, instruction: str, caption: str | None, error: Exception) -> EditPlan:
        reason = {
            InvalidAnswerError: "gave no valid plan",
            NothingToEditError: "found no edit in it",
        }.get(type(error), str(error))
        _LOG.warning("%s %s; the rules read the instruction", self.name, reason)
        if str(error) and str(error) != reason:
            _LOG.info("its answer: %s", error)
        try:
            plan = RulesProcessor().parse(instruction, caption=caption)
        except InstructionNotUnderstood as failure:
            raise InstructionNotUnderstood(
                f"{failure}; before, {self.name} {reason}", hint=failure.hint
            ) from None
        return replace(plan, processor=f"rules ({self.name} {reason})")

    def _made_speaker(self) -> _Speaker:
        if self._speaker is None:
            self._speaker = self._endpoint() if self.config.url else self._local()
        return self._speaker

    def _endpoint(self) -> _Speaker:
        from image_core.instructions.language_model.endpoint import EndpointSpeaker

        config = self.config
        return EndpointSpeaker(
            config.url,
            model=config.remote_model,
            max_tokens=config.max_tokens,
            timeout=config.timeout_s,
        )

    def _local(self) -> _Speaker:
        try:
            from image_core.devices import placement
            from image_core.instructions.language_model.local import LocalSpeaker
        except ImportError as error:
            raise _extra_missing(error) from error
        place = placement(self.config.device, self.config.dtype)
        return LocalSpeaker(self.config.model, place=place, max_tokens=self.config.max_tokens)


def _extra_missing(error: ImportError) -> MissingWeights:
    return MissingWeights(
        f"language_model needs the module {error.name}, which is not installed",
        hint="Install the extra that brings it: pip install 'insitu[neural]'.",
    )


def _check_input(instruction: str) -> None:
    try:
        check(instruction)
    except InstructionNotUnderstood:
        return  # in another script than the rules read: that is for the model to say


def _one_line(caption: str) -> str:
    """Return a caption without control characters, its spaces collapsed, in bounded length."""
    kept = "".join(mark if unicodedata.category(mark)[0] != "C" else " " for mark in caption)
    return " ".join(kept.split())[:_MAX_CAPTION].rstrip(". ")
