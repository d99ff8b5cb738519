"""Which language model reads instructions, and where it is asked."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.util import find_spec
from urllib.parse import urlsplit

from image_core.devices import Precision
from image_core.errors import InsituError, InvalidInput
from image_core.instructions.language_model.processor import LanguageModelProcessor
from image_core.weights import folder_of

DEFAULT_MODEL = "Qwen/Qwen2.5-1.5B-Instruct"
"""Apache-2.0, as all of Qwen2.5 but 3B and 72B (README of github.com/QwenLM/Qwen2.5)."""
LONGEST_ANSWER = 8192


@dataclass(frozen=True, kw_only=True)
class LanguageModelConfig:
    """Configuration of the language model.

    Attributes:
        model: Hub id or folder of an instruction-tuned causal language model.
        endpoint: Base URL of an OpenAI-compatible server (``http://localhost:8000/v1``), asked
            instead of a local model. None takes ``INSITU_LM_URL`` from the environment; where that
            is unset too, the model runs here. The key is read from ``INSITU_LM_KEY`` or
            ``OPENAI_API_KEY`` when a request is sent, and kept nowhere.
        endpoint_model: What the server calls the model; ``INSITU_LM_MODEL``, else ``model``.
        max_tokens: Most tokens of one answer.
        timeout_s: Most seconds that one request to an endpoint may take, all in all.
        device: Of a local model; see ``image_core.devices.placement``.
        dtype: Of a local model.
        cache: Keep valid plans on disk.
    """

    model: str = DEFAULT_MODEL
    endpoint: str | None = None
    endpoint_model: str | None = None
    max_tokens: int = 768
    timeout_s: float = 60.0
    device: str = "auto"
    dtype: Precision = "auto"
    cache: bool = True

    def __post_init__(self) -> None:
        """Refuse values that cannot be meant.

        Raises:
            InvalidInput: One of them is out of range, or the endpoint is no http(s) URL.
        """
        if not 1 <= self.max_tokens <= LONGEST_ANSWER:
            raise InvalidInput(
                f"max_tokens {self.max_tokens} is not between 1 and {LONGEST_ANSWER}"
            )
        if not 0 < self.timeout_s <= 3600:
            raise InvalidInput(f"timeout_s {self.timeout_s} is not between 0 and 3600 seconds")
        url = self.url
        if url and not _is_http(url):
            raise InvalidInput(
                "the language model's endpoint is no http or https URL",
                hint="Such as INSITU_LM_URL=http://localhost:8000/v1",
            )

    @property
    def url(self) -> str:
        """The endpoint that is asked; empty when the model runs here."""
        return (self.endpoint or os.environ.get("INSITU_LM_URL", "")).strip()

    @property
    def remote_model(self) -> str:
        """What the endpoint calls the model."""
        return self.endpoint_model or os.environ.get("INSITU_LM_MODEL") or self.model

    def build(self) -> LanguageModelProcessor:
        """Make the processor; nothing is loaded or asked yet."""
        return LanguageModelProcessor(self)

    def why_not(self) -> str:
        """Say in a sentence why it could not run here now; empty when it could.

        An endpoint is not contacted for this.
        """
        needed = ["pydantic"] if self.url else ["pydantic", "torch", "transformers"]
        missing = [module for module in needed if find_spec(module) is None]
        if missing:
            return f"the module {missing[0]} is not installed: pip install 'insitu[neural]'"
        if self.url:
            return ""
        try:
            folder_of(self.model)
        except InsituError as error:
            return str(error)
        return ""


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False
