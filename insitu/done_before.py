"""Telling from an output's receipt whether a request was done already."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from image_core.errors import InsituError
from image_core.photo_result import hint_record
from image_core.receipt import mask_path, read_receipt, receipt_path, sha256, versions
from image_core.types import RegionHint, Strength
from insitu.model_trees import tree_record
from insitu.request import EditRequest, region_hint


class Asked(Protocol):
    """What is asked for, of a photo or a clip."""

    @property
    def instruction(self) -> str:
        """The first turn."""
        ...

    @property
    def then(self) -> tuple[str, ...]:
        """Further turns."""
        ...

    @property
    def seed(self) -> int:
        """Keys every random draw."""
        ...

    @property
    def strength(self) -> Strength | None:
        """In [0, 1]; None for each editor's own measure."""
        ...


class AskedParts(Protocol):
    """By whom it is to be done."""

    @property
    def editor(self) -> str:
        """Its name."""
        ...

    @property
    def editor_options(self) -> tuple[str, ...]:
        """Its options, as they were given."""
        ...

    @property
    def grounder(self) -> str:
        """Its name, or ``auto``."""
        ...

    @property
    def segmenter(self) -> str:
        """Its name, or ``auto``."""
        ...

    @property
    def models(self) -> str | None:
        """The tree of models that is read instead of the hub's."""
        ...


def is_done(request: EditRequest) -> bool:
    """Tell whether the output already holds this very edit of this very source.

    Source, output and mask are compared by content, the request by value; an output of another
    version of insitu counts as not done.
    """
    output = request.output
    if not (output.is_file() and receipt_path(output).is_file()):
        return False
    try:
        receipt = read_receipt(receipt_path(output))
        return same_request(receipt, request, request, region_hint(request)) and all(
            sha256(path.read_bytes()) == receipt[name]["sha256"]
            for name, path in _files(request.source, output)
        )
    except (InsituError, OSError, KeyError, TypeError):
        return False


def same_request(
    receipt: Mapping[str, Any], asked: Asked, by: AskedParts, hint: RegionHint
) -> bool:
    """Tell whether a receipt is of the same request, done by the same versions.

    Raises:
        KeyError: The receipt lacks something.
        TypeError: Something in it is of another kind.
    """
    parts = receipt["parts"]
    return bool(
        receipt["instruction"] == asked.instruction
        and receipt["then"] == list(asked.then)
        and receipt["seed"] == asked.seed
        and receipt["strength"] == asked.strength
        and receipt["hint"] == hint_record(hint)
        and parts["editor"] == by.editor
        and parts["editor_options"] == list(by.editor_options)
        and by.grounder in ("auto", parts["grounder"])
        and by.segmenter in ("auto", parts["segmenter"])
        and parts.get("model_tree", "") == tree_record(by.models)
        and receipt["versions"] == versions(neural=bool(parts["models"]))
    )


def _files(source: Path, output: Path) -> tuple[tuple[str, Path], ...]:
    return ("source", source), ("output", output), ("mask", mask_path(output))
