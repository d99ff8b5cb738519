"""Telling from an output's receipt whether a request was done already."""

from __future__ import annotations

from pathlib import Path

from image_core.errors import InsituError
from image_core.photo_result import hint_record
from image_core.receipt import mask_path, read_receipt, receipt_path, sha256, versions
from insitu.model_trees import tree_record
from insitu.request import EditRequest, region_hint


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
        same_request = (
            receipt["instruction"] == request.instruction
            and receipt["then"] == list(request.then)
            and receipt["seed"] == request.seed
            and receipt["strength"] == request.strength
            and receipt["hint"] == hint_record(region_hint(request))
            and receipt["parts"]["editor"] == request.editor
            and receipt["parts"]["editor_options"] == list(request.editor_options)
            and request.grounder in ("auto", receipt["parts"]["grounder"])
            and request.segmenter in ("auto", receipt["parts"]["segmenter"])
            and receipt["parts"].get("model_tree", "") == tree_record(request.models)
            and receipt["versions"] == versions(neural=bool(receipt["parts"]["models"]))
        )
        return same_request and all(
            sha256(path.read_bytes()) == receipt[name]["sha256"]
            for name, path in _files(request.source, output)
        )
    except (InsituError, OSError, KeyError, TypeError):
        return False


def _files(source: Path, output: Path) -> tuple[tuple[str, Path], ...]:
    return ("source", source), ("output", output), ("mask", mask_path(output))
