"""``insitu image`` for one photo, and the repetition of an edit from its receipt."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from image_core.errors import IntegrityError, InvalidInput
from image_core.photo import SUFFIXES
from image_core.plan_record import plan_of_record
from image_core.receipt import mask_path, read_receipt, sha256
from insitu.reporting import print_json
from insitu.request import EditRequest, perform
from insitu.waiting import stage_shown

if TYPE_CHECKING:
    from insitu.image import ImageCommand


def request_of(command: ImageCommand, source: Path, output: Path) -> EditRequest:
    """Return what the command asks for, for one source and output."""
    return EditRequest(
        source=source,
        instruction=command.instruction,
        output=output,
        then=command.then,
        mask=Path(command.mask) if command.mask is not None else None,
        boxes=command.box,
        points=command.point,
        not_points=command.not_point,
        refine=command.refine,
        dry_run=command.dry_run,
        mask_out=Path(command.mask_out) if command.mask_out is not None else None,
        candidates_out=Path(command.candidates_out) if command.candidates_out is not None else None,
        editor=command.editor,
        editor_options=command.editor_options,
        language=command.language,
        grounder=command.grounder,
        segmenter=command.segmenter,
        models=command.models,
        seed=command.seed,
        strength=command.strength,
        lossy=command.lossy,
        device=command.device,
    )


def default_output(source: Path, *, dry_run: bool) -> Path:
    """Return the output beside a source when ``-o`` is not given."""
    if dry_run:
        return source.with_name(f"{source.stem}.overlay.png")
    lossless = SUFFIXES.keys() - {".jpg", ".jpeg"}
    suffix = source.suffix if source.suffix.lower() in lossless else ".png"
    return source.with_name(f"{source.stem}.edited{suffix}")


def run_single(command: ImageCommand) -> int:
    """Edit one photo and tell what was done."""
    source = command.source
    output = (
        Path(command.output)
        if command.output is not None
        else default_output(source, dry_run=command.dry_run)
    )
    return _perform_and_report(request_of(command, source, output), command.format)


def run_replay(command: ImageCommand) -> int:
    """Repeat the edit that a receipt tells of.

    Raises:
        InvalidInput: Receipt, mask or source is missing.
        IntegrityError: One of them is not what it was.
    """
    assert command.replay is not None
    receipt_file = Path(command.replay)
    receipt = read_receipt(receipt_file)
    recorded = receipt_file.with_name(receipt["output"]["path"])
    request = _recorded_request(receipt, recorded)
    if command.device != "auto":
        request = replace(request, device=command.device)
    if command.models is not None:
        request = replace(request, models=command.models)  # the tree lies elsewhere now
    if command.output is not None:
        request = replace(request, output=Path(command.output))
    code = _perform_and_report(request, command.format)
    if sha256(request.output.read_bytes()) != receipt["output"]["sha256"]:
        print(
            "insitu: the same edit gave other bits than the receipt's; its versions tell why",
            file=sys.stderr,
        )
    return code


def _recorded_request(receipt: dict[str, Any], output: Path) -> EditRequest:
    source = Path(receipt["source"]["path"])
    parts = receipt["parts"]
    editor = parts["editor"]
    if editor == "auto" and len(set(parts["editors"])) == 1:
        editor = parts["editors"][0]  # what it took then, whatever it would take now
    _unchanged(source, receipt["source"]["sha256"], "source")
    hint = receipt["hint"]
    mask = None
    if hint["mask"]:
        # the mask beside the output is the alpha that was used, so it is taken without feather
        mask = mask_path(output)
        _unchanged(mask, receipt["mask"]["sha256"], "mask")
        hint = {"boxes": [], "points": [], "not_points": []}
    return EditRequest(
        source=source,
        instruction=receipt["instruction"],
        output=output,
        then=tuple(receipt["then"]),
        mask=mask,
        mask_is_alpha=mask is not None,
        boxes=tuple(tuple(box) for box in hint["boxes"]),
        points=tuple(tuple(point) for point in hint["points"]),
        not_points=tuple(tuple(point) for point in hint["not_points"]),
        editor=editor,
        editor_options=tuple(parts["editor_options"]),
        grounder=parts["grounder"],
        segmenter=parts["segmenter"],
        models=parts.get("model_tree") or None,
        plan=plan_of_record(receipt["plan"]),
        seed=receipt["seed"],
        strength=receipt["strength"],
        lossy=receipt["output"]["how"] == "lossy",
    )


def _unchanged(path: Path, stated: str, name: str) -> None:
    if not path.is_file():
        raise InvalidInput(f"the {name} {path} of the receipt is missing")
    if sha256(path.read_bytes()) != stated:
        raise IntegrityError(f"the {name} {path} is not the one that the receipt was written for")


def _perform_and_report(request: EditRequest, form: str) -> int:
    with stage_shown() as progress:
        outcome = perform(request, progress)
    for warning in outcome["warnings"]:
        print(f"insitu: warning: {warning}", file=sys.stderr)
    if form == "json":
        print_json(outcome)
    else:
        print("\n".join(_lines(outcome)))
    return 0


def _lines(outcome: dict[str, Any]) -> list[str]:
    region = outcome["region"]
    box = " ".join(map(str, region["box"])) if region["box"] else "none"
    lines = [
        f"region: box {box}, {region['area']:,} pixels, confidence {region['confidence']:.2f} "
        f"({region['evidence']})"
    ]
    if outcome["status"] == "dry_run":
        return [*lines, f"editor: {outcome['editor']}", f"overlay: {outcome['output']}"]
    return [
        *lines,
        f"editor: {outcome['editor']}, {outcome['seconds']:.1f} s",
        f"receipt: {outcome['receipt']}",
        f"output: {outcome['output']}",
    ]
