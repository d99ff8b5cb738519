"""Under which terms a model's weights may be used, and which page says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

LicenceClass = Literal["permissive", "open-rail", "non-commercial", "custom", "unverified"]

UNVERIFIED: Final = "unverified"


@dataclass(frozen=True, kw_only=True)
class LicenceRecord:
    """A model's licence as the receipt keeps it.

    Attributes:
        model: Its hub id, or its catalogue name where it has none.
        licence: Its name.
        licence_class: ``permissive`` (MIT, Apache), ``open-rail`` (use restrictions),
            ``non-commercial``, ``custom`` (read it), or ``unverified``.
        source: The page that states it, or ``unverified``.
    """

    model: str
    licence: str
    licence_class: LicenceClass
    source: str
