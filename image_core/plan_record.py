"""A plan as it stands in a receipt, made a plan again."""

from __future__ import annotations

import math
import types
import typing
from dataclasses import fields
from typing import Any, Literal

from image_core.errors import IntegrityError
from image_core.types import EditPlan, EditStep, Target


def plan_of_record(record: Any) -> EditPlan:
    """Make the plan that ``dataclasses.asdict`` and JSON turned into a record.

    Args:
        record: As it was read; anything may stand in it.

    Raises:
        IntegrityError: It is no record of a plan.
    """
    try:
        steps = record["steps"]
        if not isinstance(steps, list | tuple) or not steps:
            raise TypeError("it has no steps")
        return EditPlan(
            instruction=_value(record["instruction"], str),
            steps=tuple(_step(step) for step in steps),
            processor=_value(record["processor"], str),
            caption=_value(record.get("caption", ""), str),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise IntegrityError(f"the receipt's plan cannot be read: {error!r}") from error


def _step(record: Any) -> EditStep:
    target = _values(record["target"], Target)
    return EditStep(**_values(record, EditStep, leaving="target"), target=Target(**target))


def _values(record: Any, made: type, *, leaving: str = "") -> dict[str, Any]:
    """Return a record's values for a dataclass's fields, each of the type that is declared."""
    hints = typing.get_type_hints(made)
    names = [field.name for field in fields(made) if field.name != leaving]
    return {name: _value(record[name], hints[name]) for name in names}


def _value(value: Any, wanted: Any) -> Any:
    """Return a value of JSON as a type of the plan's.

    Raises:
        TypeError: It is none.
    """
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if origin is tuple and isinstance(value, list | tuple):
        return tuple(_value(item, arguments[0]) for item in value)
    if origin is types.UnionType or origin is typing.Union:
        if value is None and type(None) in arguments:
            return None
        return _value(value, arguments[0])
    if origin is Literal and isinstance(value, str) and value in arguments:
        return value
    if wanted is float and type(value) in (int, float) and math.isfinite(value):
        return float(value)
    if wanted in (str, bool, int) and type(value) is wanted:
        return value
    raise TypeError(f"{value!r} is no {wanted}")
