"""An OpenAI-compatible server, asked over HTTP with nothing but the standard library.

What is sent: the task and its examples, the instruction, the caption if there is one; never a
picture. Nothing that a server says in an error is repeated, since some repeat the key in it.
"""

from __future__ import annotations

import http.client
import json
import os
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from image_core.instructions.language_model.answer import wire_schema
from image_core.instructions.language_model.failures import NoAnswerError
from image_core.instructions.language_model.prompt import Message

MAX_BYTES = 2**20
_SCHEMA_REFUSED = (400, 422)


class EndpointSpeaker:
    """Answers through a server."""

    def __init__(self, url: str, *, model: str, max_tokens: int, timeout: float) -> None:
        """Note where to ask; nothing is sent yet.

        Args:
            url: Base URL, with or without ``/chat/completions``.
            model: The server's name for the model.
            max_tokens: Most tokens of one answer.
            timeout: Most seconds that a request may take, all in all.
        """
        base = url.rstrip("/")
        self._url = base if base.endswith("/chat/completions") else f"{base}/chat/completions"
        self._model = model
        self._max_tokens = max_tokens
        self._timeout = timeout
        self._schema: dict[str, Any] | None = wire_schema()

    def ask(self, messages: list[Message]) -> str:
        """Return the server's answer.

        Raises:
            NoAnswerError: It could not be reached, took too long, or sent no chat completion.
        """
        deadline = time.monotonic() + self._timeout
        if self._schema is not None:
            try:
                return self._completion(messages, deadline)
            except _RefusedError:
                self._schema = None  # it takes no structured output
        try:
            return self._completion(messages, deadline)
        except _RefusedError as refused:
            raise NoAnswerError(f"was refused by its server (HTTP {refused})") from None

    def _completion(self, messages: list[Message], deadline: float) -> str:
        body: dict[str, Any] = {
            "model": self._model,
            "messages": messages,
            "max_tokens": self._max_tokens,
            "temperature": 0,
            "stream": False,
        }
        if self._schema is not None:
            schema = {"name": "edit_plan", "strict": True, "schema": self._schema}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        request = urllib.request.Request(
            self._url, data=json.dumps(body).encode(), headers=_headers(self._url), method="POST"
        )
        seconds = max(0.01, deadline - time.monotonic())
        return _content(_within(seconds, lambda: _received(request, deadline)))


class _RefusedError(Exception):
    """The server refused the request's form; the text is the status."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the key to wherever the server says."""

    def redirect_request(self, *_: Any) -> None:
        """Follow none."""


def _headers(url: str) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "User-Agent": "insitu"}
    key = os.environ.get("INSITU_LM_KEY", "").strip()
    if not key and (urlsplit(url).scheme == "https" or _is_here(url)):
        key = os.environ.get("OPENAI_API_KEY", "").strip()  # never in clear text over a network
    if key:
        headers["Authorization"] = f"Bearer {key}"
    return headers


def _is_here(url: str) -> bool:
    return urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1")


def _received(request: urllib.request.Request, deadline: float) -> bytes:
    """Send a request and return the body of what comes back."""
    proxies: dict[str, str] | None = {} if _is_here(request.full_url) else None
    opener = urllib.request.build_opener(_NoRedirects, urllib.request.ProxyHandler(proxies))
    parts: list[bytes] = []
    with opener.open(request, timeout=max(0.01, deadline - time.monotonic())) as response:
        while part := response.read1(2**16):
            parts.append(part)
            if sum(map(len, parts)) > MAX_BYTES:
                raise NoAnswerError(f"sent more than {MAX_BYTES} bytes")
            if time.monotonic() > deadline:
                raise TimeoutError
    return b"".join(parts)


def _within(seconds: float, work: Callable[[], bytes]) -> bytes:
    """Do in bounded time what may block anywhere: name look-up, headers sent a byte at a time.

    A socket's own timeout bounds each wait, not their sum; so it is waited for from outside.
    """
    outcome: list[bytes | Exception] = []

    def run() -> None:
        try:
            outcome.append(work())
        except Exception as error:  # handed over to the thread that waits
            outcome.append(error)

    thread = threading.Thread(target=run, name="insitu-language-model", daemon=True)
    thread.start()
    thread.join(seconds)
    if not outcome:
        raise NoAnswerError("did not answer in time")
    if isinstance(outcome[0], Exception):
        raise _told(outcome[0]) from None
    return outcome[0]


def _told(error: Exception) -> Exception:
    """Say what went wrong without a word of the server's, the URL or the key."""
    if isinstance(error, NoAnswerError):
        return error
    if isinstance(error, urllib.error.HTTPError):
        error.close()
        if error.code in _SCHEMA_REFUSED:
            return _RefusedError(error.code)
        return NoAnswerError(f"answered with HTTP {error.code}")
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, TimeoutError):
        return NoAnswerError("did not answer in time")
    if isinstance(reason, OSError):
        return NoAnswerError(f"could not be reached: {reason.strerror or type(reason).__name__}")
    if isinstance(error, http.client.HTTPException | ValueError | urllib.error.URLError):
        return NoAnswerError(f"could not be asked: {type(error).__name__}")
    return error


def _content(body: bytes) -> str:
    """Return the text of a chat completion's first choice."""
    try:
        content = json.loads(body)["choices"][0]["message"]["content"]
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        raise NoAnswerError("sent something that is no chat completion") from None
    return content if isinstance(content, str) else ""
