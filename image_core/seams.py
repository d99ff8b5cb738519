"""The seams that parts plug into: small protocols, any object with the methods will do.

Any part may have a method ``why_not() -> str``: why it cannot run here now (an extra or weights
missing), empty when it can; ``auto`` passes over those that cannot.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from image_core.types import (
    Capabilities,
    Detection,
    Edit,
    EditBatch,
    EditPlan,
    EditStep,
    Image,
    Region,
)


@runtime_checkable
class LanguageProcessor(Protocol):
    """Turns an instruction into a plan."""

    def parse(self, instruction: str, *, caption: str | None = None) -> EditPlan:
        """Read an instruction.

        Args:
            instruction: The user's words; several steps may stand in it.
            caption: What the picture shows, when known.

        Raises:
            InstructionNotUnderstood: The words are in no form that it knows.
        """
        ...


@runtime_checkable
class Captioner(Protocol):
    """Says what pictures show, for instructions that leave it open."""

    def caption(self, images: Sequence[Image]) -> list[str]:
        """Return one caption per image; empty where there is nothing to say."""
        ...


@runtime_checkable
class Grounder(Protocol):
    """Finds what a phrase names.

    A grounder may have an attribute ``min_confidence``: detections that score below it are
    refused (0.5 unless it has one).
    """

    def ground(self, images: Sequence[Image], step: EditStep) -> list[list[Detection]]:
        """Return each image's detections, best first; an empty list where there is none."""
        ...


@runtime_checkable
class Segmenter(Protocol):
    """Turns detections into exact regions."""

    def segment(
        self, images: Sequence[Image], detections: Sequence[Sequence[Detection]]
    ) -> list[list[Region]]:
        """Return a region per detection that could be cut; one that could not is left out."""
        ...


@runtime_checkable
class PreparedEdit(Protocol):
    """One step with all frozen that must be the same over its views and frames."""

    pointwise: bool

    def edit(self, work: EditBatch) -> Edit:
        """Change the images; what lies outside their regions is ignored by the caller."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return what was frozen, as JSON-able values."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what ``state_dict`` gave."""
        ...


@runtime_checkable
class Editor(Protocol):
    """Changes what is inside a region."""

    capabilities: Capabilities

    def prepare(self, step: EditStep, reference: Iterable[EditBatch]) -> PreparedEdit:
        """Measure on the reference what the edit must keep the same.

        Args:
            step: What to do.
            reference: Batches with the images and regions to measure on.

        Raises:
            UnsupportedEdit: The step's kind, operation or value is not its own.
        """
        ...
