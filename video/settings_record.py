"""Settings as they stand in a receipt, made settings again."""

from __future__ import annotations

import math
import types
import typing
from dataclasses import fields, is_dataclass
from typing import Any, Literal

from image_core.errors import InvalidInput
from video.settings import VideoSettings


def settings_of_record(record: Any) -> VideoSettings:
    """Make the settings that ``dataclasses.asdict`` and JSON turned into a record.

    Args:
        record: As it was read; anything may stand in it.

    Raises:
        InvalidInput: This version has other settings.
    """
    try:
        made = _value(record, VideoSettings)
    except TypeError as error:
        raise InvalidInput(
            f"the receipt's settings are not those of this version: {error}",
            hint="Repeat it with the version that the receipt names, or edit the clip anew.",
        ) from error
    assert isinstance(made, VideoSettings)
    return made


def _value(value: Any, wanted: Any) -> Any:
    """Return a value of JSON as the type that a field declares.

    Raises:
        TypeError: It is none.
    """
    origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
    if origin in (types.UnionType, typing.Union):
        if value is None and type(None) in arguments:
            return None
        return _value(value, arguments[0])
    if isinstance(wanted, type) and is_dataclass(wanted):
        return _dataclass(value, wanted)
    if origin is tuple and isinstance(value, list):
        return tuple(_value(item, arguments[0]) for item in value)
    if origin is Literal and isinstance(value, str) and value in arguments:
        return value
    if wanted is float and type(value) in (int, float) and math.isfinite(value):
        return float(value)
    if wanted in (str, bool, int) and type(value) is wanted:
        return value
    raise TypeError(f"{value!r} is no {wanted}")


def _dataclass(value: Any, wanted: type) -> Any:
    hints = typing.get_type_hints(wanted)
    names = {field.name for field in fields(wanted)}
    if not isinstance(value, dict) or value.keys() != names:
        raise TypeError(f"no {wanted.__name__}")
    return wanted(**{name: _value(value[name], hints[name]) for name in names})
