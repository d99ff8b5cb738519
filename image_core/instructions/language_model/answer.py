"""The form that a language model's answer must have, and how it is found in what it wrote."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from image_core.instructions.language_model.failures import InvalidAnswerError
from image_core.types import Kind

MAX_ANSWER = 32_000
MAX_STEPS = 16
_COMPLAINTS = 6
_THOUGHTS = re.compile(r"<think>.*?</think>", re.DOTALL)
_UNKNOWN_TO_STRICT_SERVERS = {"default", "title", "maxLength", "maxItems", "minimum", "maximum"}


def _plain_kind(kind: object) -> object:
    if not isinstance(kind, str):
        return kind
    low = kind.strip().lower()
    return "recolor" if low == "recolour" else low


def _without_control_characters(text: str) -> str:
    if any(unicodedata.category(mark) in ("Cc", "Cf", "Cs", "Co") for mark in text):
        raise ValueError("has a control character in it")
    return text


_Text = Annotated[
    str, StringConstraints(strip_whitespace=True), AfterValidator(_without_control_characters)
]
_Phrase = Annotated[_Text, Field(max_length=160)]
_Caption = Annotated[_Text, Field(max_length=400)]


class AnsweredStep(BaseModel):
    """One edit, as a model writes it; see ``EditStep`` for what the fields mean."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    kind: Annotated[Kind, BeforeValidator(_plain_kind)]
    target: _Phrase
    operation: Annotated[_Text, Field(max_length=20)] = ""
    value: _Phrase = ""
    amount: Annotated[float, Field(ge=-8, le=8, allow_inf_nan=False)] = 1.0
    relation: Annotated[_Text, Field(max_length=40)] = ""
    whole_image: bool = False
    source_caption: _Caption = ""
    edited_caption: _Caption = ""


class Answer(BaseModel):
    """All that a model may answer."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    steps: Annotated[list[AnsweredStep], Field(max_length=MAX_STEPS)]


def read_answer(text: str) -> Answer:
    """Find the one JSON object in an answer, and validate it.

    A code fence, prose around it and a reasoning model's thoughts before it are passed over.

    Raises:
        InvalidAnswerError: There is none, more than one, or it has not the form.
    """
    try:
        return Answer.model_validate(_only_object(_THOUGHTS.sub("", text[: MAX_ANSWER + 1])))
    except ValidationError as error:
        complaints = [
            f"{'.'.join(map(str, problem['loc'])) or 'the object'}: {problem['msg']}"
            for problem in error.errors(include_url=False, include_input=False)
        ]
        raise InvalidAnswerError("; ".join(complaints[:_COMPLAINTS])) from None


def _only_object(text: str) -> Any:
    if len(text) > MAX_ANSWER:
        raise InvalidAnswerError(f"the answer is longer than {MAX_ANSWER} characters")
    start = text.find("{")
    if start < 0:
        raise InvalidAnswerError("the answer has no JSON object in it")
    decoder = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)
    try:
        found, end = decoder.raw_decode(text, start)
    except (ValueError, RecursionError) as error:
        raise InvalidAnswerError(f"the answer is no valid JSON: {str(error)[:200]}") from None
    if "{" in text[end:]:
        raise InvalidAnswerError("the answer has more than one JSON object in it")
    return found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a field stands twice in one object")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def wire_schema() -> dict[str, Any]:
    """Return the answer's JSON schema as servers with structured output take it.

    Their strict mode wants every field required and knows only a part of the keywords (lengths
    among those it does not); what is left out here is checked when the answer is read.
    """
    schema = _strict(Answer.model_json_schema())
    assert isinstance(schema, dict)
    return schema


def _strict(node: Any) -> Any:
    if isinstance(node, list):
        return [_strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept: dict[str, Any] = {}
    for key, value in node.items():
        if key in ("properties", "$defs"):  # names of ours, not keywords
            kept[key] = {name: _strict(inner) for name, inner in value.items()}
        elif key not in _UNKNOWN_TO_STRICT_SERVERS:
            kept[key] = _strict(value)
    if "properties" in kept:
        kept["required"] = list(kept["properties"])
    return kept
