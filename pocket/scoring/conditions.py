"""What is compared: an editor with its options, its strength and the region that it is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal, get_args

from image_core.errors import InvalidInput
from image_core.types import Strength

Regions = Literal["found", "true", "whole"]
"""``found``: by the phrase, as for a user. ``true``: the truth's. ``whole``: all of the picture, so
that an editor that finds a region of its own relies on that, and another changes what it likes."""

_STRENGTH, _REGIONS = "strength", "regions"  # no options of an editor, but named like them


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One line of the comparison.

    Attributes:
        editor: Its name, or ``FILE.py:Class``.
        options: ``key=value`` texts for it.
        strength: How much of the edit; None for the editor's own measure.
        regions: What region it is given.
    """

    editor: str
    options: tuple[str, ...] = ()
    strength: Strength | None = None
    regions: Regions = "found"

    @property
    def label(self) -> str:
        """The editor and all that was chosen for it, but the regions."""
        strength = () if self.strength is None else (f"{_STRENGTH}={self.strength}",)
        return " ".join((self.editor, *strength, *self.options))


def conditions_of(
    editors: Sequence[str],
    *,
    options: Sequence[str] = (),
    sweeps: Sequence[str] = (),
    regions: Sequence[str] = ("found",),
) -> tuple[Condition, ...]:
    """Return what is to be compared: each editor with each value of its sweeps and each regions.

    ``strength`` and ``regions`` may be named like options: "instructedit:strength=0.5".

    Args:
        editors: Names.
        options: ``name:key=value``.
        sweeps: ``name:key=v1,v2``; several of one editor are combined.
        regions: For every editor that names none of its own.

    Raises:
        InvalidInput: A text has another form, or names an editor that is not compared.
    """
    if not editors:
        raise InvalidInput("no editor is named", hint="Name one: --editors classic.")
    if "auto" in editors:
        raise InvalidInput(
            "auto is no editor to compare", hint="Name editors: --editors classic instructedit."
        )
    chosen: dict[str, dict[str, tuple[str, ...]]] = {name: {} for name in editors}
    for text in options:
        name, key, value = _parted(text, chosen)
        chosen[name][key] = (value,)
    for text in sweeps:
        name, key, value = _parted(text, chosen)
        chosen[name][key] = tuple(part for part in value.split(",") if part)
        if not chosen[name][key]:
            raise InvalidInput(f"the sweep {text!r} has no values", hint="name:key=v1,v2")
    return tuple(
        _condition(name, dict(zip(own, values, strict=True)))
        for name, given in chosen.items()
        for own in [{_REGIONS: tuple(dict.fromkeys(regions))} | given]
        for values in product(*own.values())
    )


def _condition(name: str, values: Mapping[str, str]) -> Condition:
    options = (f"{k}={v}" for k, v in values.items() if k not in (_STRENGTH, _REGIONS))
    return Condition(
        editor=name,
        options=tuple(options),
        strength=_strength(values.get(_STRENGTH)),
        regions=_regions(values[_REGIONS]),
    )


def _parted(text: str, editors: Mapping[str, object]) -> tuple[str, str, str]:
    before, equals, value = text.partition("=")
    name, colon, key = before.rpartition(":")
    if not (equals and colon and name and key.strip()):
        raise InvalidInput(
            f"{text!r} is not of the form name:key=value", hint="Such as instructedit:steps=20."
        )
    if name not in editors:
        raise InvalidInput(
            f"{text!r} is for {name}, which is not compared",
            hint=f"--editors names {', '.join(editors)}.",
        )
    return name, key.strip().replace("-", "_"), value


def _strength(text: str | None) -> Strength | None:
    if text is None or text == "auto":
        return "auto" if text else None
    try:
        value = float(text)
    except ValueError as error:
        raise InvalidInput(
            f"the strength {text!r} is no number", hint="0 to 1, or auto."
        ) from error
    if not 0 <= value <= 1:
        raise InvalidInput(f"the strength {text} is not between 0 and 1")
    return value


def _regions(text: str) -> Regions:
    for known in get_args(Regions):
        if text == known:
            return known  # type: ignore[no-any-return]
    raise InvalidInput(
        f"{text!r} is no choice of regions", hint=f"Take {', '.join(get_args(Regions))}."
    )
