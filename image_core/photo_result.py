"""What ``LocalEditor.edit`` gives back: the edited photo, and all that its receipt says."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from image_core.compositing import bounding_box, support
from image_core.errors import InvalidInput
from image_core.evaluations import counting
from image_core.mask_file import encode_mask
from image_core.photo import Photo, refuse_source, write_atomically
from image_core.receipt import mask_path, receipt_path, seal, sha256, versions
from image_core.types import EditPlan, EditResult, Location, Region, RegionHint, Strength
from image_core.weights import licence_of


class StageClock:
    """Wall seconds and network rows by stage."""

    def __init__(self, progress: Callable[[str, float], None] | None = None) -> None:
        """Start with no stage."""
        self.seconds: dict[str, float] = {}
        self.rows: dict[str, dict[str, int]] = {}
        self._progress = progress

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time what runs inside, and tell the progress callback when it begins and ends."""
        if self._progress:
            self._progress(name, 0.0)
        start = time.perf_counter()
        with counting() as rows:
            yield
        if rows:
            self.rows[name] = dict(rows)
        self.seconds[name] = round(time.perf_counter() - start, 4)
        if self._progress:
            self._progress(name, 1.0)


@dataclass(frozen=True, kw_only=True)
class PartRecord:
    """Which parts made an edit, by name.

    Attributes:
        language: The language processor that spoke.
        grounder: It found the region.
        segmenter: It cut it out.
        editors: One per step.
        editor: The editor that was asked for, or ``auto``.
        editor_options: ``key=value`` texts.
        min_confidence: Regions found by phrase below this were refused.
        strengths: One per step.
        models: Hub ids or folders of the networks.
        model_tree: The folder from which every part was to load its model; empty for none.
    """

    language: str
    grounder: str
    segmenter: str
    editors: tuple[str, ...]
    editor: str
    editor_options: tuple[str, ...]
    min_confidence: float
    strengths: tuple[Strength, ...] = ()
    models: tuple[str, ...] = ()
    model_tree: str = ""


@dataclass(frozen=True, kw_only=True)
class SavedPhoto:
    """What ``PhotoResult.save`` wrote.

    Attributes:
        output: The photo.
        receipt: What was done, as JSON.
        mask: The 8-bit alpha that was used.
        how: ``samples``, ``coefficients`` or ``lossy``.
        warnings: All that the user should know, from reading to writing.
    """

    output: Path
    receipt: Path
    mask: Path
    how: str
    warnings: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class PhotoResult:
    """An edited photo.

    Attributes:
        source: The photo as it was read.
        photo: The edited one, in the source's depth and layout.
        plan: The instruction as it was understood.
        result: The edited picture and its alpha.
        location: The regions, and what else was considered.
        prepared: The frozen state of each step's edit.
        then: The further turns.
        hint: The region in the user's hand.
        seed: The seed.
        strength: As it was asked for; None for each editor's own.
        parts: Who did it.
        seconds: Wall seconds by stage.
        rows: Network rows by stage and network.
    """

    source: Photo
    photo: Photo
    plan: EditPlan
    result: EditResult
    location: Location
    prepared: dict[str, Any]
    then: tuple[str, ...]
    hint: RegionHint | None
    seed: int
    strength: Strength | None
    parts: PartRecord
    seconds: dict[str, float] = field(default_factory=dict)
    rows: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know, from reading and editing."""
        return tuple(dict.fromkeys((*self.photo.warnings, *self.result.warnings)))

    def save(self, path: str | Path, *, lossy: bool = False) -> SavedPhoto:
        """Write the photo, its mask and its receipt, all or none of them.

        Args:
            path: The output; its suffix chooses the container.
            lossy: Allow a container that changes every pixel a little.

        Raises:
            InvalidInput: The output is the source, cannot be written, or its container cannot hold
                the picture.
        """
        output = Path(path)
        check_output(output, self.source.path)
        start = time.perf_counter()
        mask, receipt = mask_path(output), receipt_path(output)
        with staging(output.parent) as room:
            report = self.photo.save(room / output.name, lossy=lossy)
            mask_data = encode_mask(self.result.alpha, self.source.orientation)
            write_atomically(room / mask.name, mask_data)
            warnings = tuple(dict.fromkeys((*self.warnings, *report.warnings)))
            content = {
                **self._receipt(),
                "mask": {"path": mask.name, "sha256": sha256(mask_data)},
                "output": {"path": output.name, "sha256": report.sha256, "how": report.how},
                "seconds": {**self.seconds, "write": round(time.perf_counter() - start, 4)},
                "warnings": list(warnings),
            }
            write_atomically(room / receipt.name, seal(content))
            for path in (mask, receipt, output):
                os.replace(room / path.name, path)
        return SavedPhoto(
            output=output, receipt=receipt, mask=mask, how=report.how, warnings=warnings
        )

    def _receipt(self) -> dict[str, Any]:
        """Return what is known before anything is written."""
        return {
            "versions": versions(neural=bool(self.parts.models)),
            "instruction": self.plan.instruction,
            "then": list(self.then),
            "seed": self.seed,
            "strength": self.strength,
            "hint": hint_record(self.hint or RegionHint()),
            "plan": asdict(self.plan),
            "parts": asdict(self.parts),
            "prepared": self.prepared,
            "regions": [region_record(region) for region in self.result.regions],
            "source": {
                "path": str(self.source.path.resolve()),
                "sha256": self.source.sha256,
                "format": self.source.format,
            },
            "evaluations": sum(sum(networks.values()) for networks in self.rows.values()),
            "evaluations_by_stage": self.rows,
            "notes": list(self.result.notes),
            "model_licences": licences_of(self.parts.models),
        }


def licences_of(models: Sequence[str]) -> list[dict[str, Any]]:
    """Return what is known of the licences of models, JSON-able; one entry a model."""
    found = []
    for model in models:
        record = licence_of(model)
        known = (
            {"licence": "unverified", "source": "unverified"} if record is None else asdict(record)
        )
        found.append({**known, "model": model})
    return found


def check_output(output: Path, source: Path) -> None:
    """Refuse an output that is the source, or that cannot be written.

    Raises:
        InvalidInput: It says which.
    """
    refuse_source(output, source)
    if os.path.isdir(output):
        raise InvalidInput(f"the output {output} is a folder", hint="Give a file's name.")
    if not os.path.isdir(output.parent):
        raise InvalidInput(f"the folder {output.parent} does not exist", hint="Make it first.")


def region_record(region: Region) -> dict[str, Any]:
    """Return a region as JSON-able values: box, area in pixels, confidence, evidence."""
    inside = support(region.alpha)
    box = bounding_box(inside)
    return {
        "box": list(box) if box else None,
        "area": int(np.count_nonzero(inside)),
        "confidence": round(region.confidence, 4),
        "evidence": region.evidence,
    }


def hint_record(hint: RegionHint) -> dict[str, Any]:
    """Return a region hint as JSON-able values, a mask by the hash of its values."""
    return {
        "mask": None if hint.mask is None else sha256(hint.mask.tobytes()),
        "boxes": [list(box) for box in hint.boxes],
        "points": [list(point) for point in hint.points],
        "not_points": [list(point) for point in hint.not_points],
        "refine": hint.refine,
    }


@contextmanager
def staging(folder: Path) -> Iterator[Path]:
    """Give a folder in which files are made before they take their places together.

    Raises:
        InvalidInput: The folder cannot be written, or what is written into it does not fit.
    """
    try:
        room = Path(tempfile.mkdtemp(prefix=".insitu-", dir=folder))
    except OSError as error:
        raise InvalidInput(f"{folder} cannot be written: {error.strerror}") from error
    try:
        yield room
    except OSError as error:
        raise InvalidInput(
            f"the output cannot be written: {error.strerror or error}",
            hint="Make room or choose another folder with -o; nothing was left behind.",
        ) from error
    finally:
        shutil.rmtree(room, ignore_errors=True)
