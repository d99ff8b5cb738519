"""The edited data set on disk, in the capture's own layout, for any other trainer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import UInt8
from PIL import Image as PillowImage

from image_core.errors import IntegrityError, InvalidInput
from image_core.photo import png
from image_core.photo.decoded import Metadata
from image_core.receipt import seal, sha256, versions
from image_core.types import no_progress
from nerf.capture import Capture, View, read_capture, samples_of
from nerf.export_layout import RECEIPT, Layout, exported_meta, layout_of
from nerf.picture_store import PictureStore
from nerf.run_record import RunRecord, ViewRecord, read_record
from nerf.view_checks import listed
from nerf.whole_folder import whole_folder, write_file

_DAMAGED = (
    "Go on with the run from its last checkpoint, or start the edit anew; nothing was exported."
)


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What an export wrote.

    Attributes:
        output: The folder.
        edited: Names of the views with an edited picture.
        kept: Names of the trained views that have none: the target is not seen there, or its turn
            has not come.
        held_out: Names of the views that were not trained on; their pictures are the originals.
        width: Of the pictures, in pixels.
        height: The same vertically.
        changed_outside: Samples of edited views that differ from the original where the region
            is 0.
        warnings: What the user should know, each one sentence.
    """

    output: Path
    edited: tuple[str, ...]
    kept: tuple[str, ...]
    held_out: tuple[str, ...]
    width: int
    height: int
    changed_outside: int
    warnings: tuple[str, ...]


def export_capture(
    run: Path,
    output: Path,
    *,
    data: Path | None = None,
    progress: Callable[[str, float], None] = no_progress,
) -> Exported:
    """Write a run's edited data set as a capture.

    Edited views hold the pictures that were trained on, all others the original's samples, every
    one as PNG at the size of the training. Beside them lie the regions, which the json does not
    name (nerfstudio would train on nothing else), and a receipt.

    Args:
        run: The run's ``config.yml`` or folder.
        output: A folder that is new or empty; it appears whole or not at all.
        data: Where the capture lies now, if it was moved.
        progress: Told "export" and the done share.

    Raises:
        InvalidInput: Nothing is edited yet, the capture is not there or another, or the output
            cannot be written or holds something.
        IntegrityError: The run's record or one of its pictures is damaged.
    """
    record = read_record(run)
    if all(view.edited is None for view in record.views):
        raise InvalidInput(
            f"the run {record.folder} has edited no view yet (phase {record.phase}, step "
            f"{record.step})",
            hint="Go on with it, ns-train insitu --load-dir …, and export after a checkpoint of "
            "the edit phase.",
        )
    capture = _capture_of(record, data)
    if output.resolve() == capture.folder.resolve():
        raise InvalidInput(f"{output} is the capture itself", hint="Name a new folder.")
    with whole_folder(output) as work:
        export = _Export(record=record, capture=capture, layout=layout_of(capture), folder=work)
        return export.write(output, progress)


def _capture_of(record: RunRecord, data: Path | None) -> Capture:
    try:
        capture = read_capture(data or record.data)
    except InvalidInput as error:
        if data is not None:
            raise
        raise InvalidInput(
            f"the capture of the run: {error}", hint=f"{error.hint} If it was moved: --data DIR."
        ) from error
    names = {view.name for view in capture.views}
    unknown = [view.name for view in record.views if view.name not in names]
    if unknown:
        raise InvalidInput(
            f"{len(unknown)} of the run's views are not in {capture.json_file}: {listed(unknown)}",
            hint="It is another capture, or was changed since: --data DIR names the right one.",
        )
    return capture


@dataclass(frozen=True, kw_only=True)
class _Export:
    """One export under way, in a folder that nobody sees yet."""

    record: RunRecord
    capture: Capture
    layout: Layout
    folder: Path

    def write(self, output: Path, progress: Callable[[str, float], None]) -> Exported:
        records = {view.name: view for view in self.record.views}
        rows = []
        for number, view in enumerate(self.capture.views):
            progress("export", number / len(self.capture.views))
            rows.append(self._write_view(view, records.get(view.name)))
        self._write_companions()
        size = (self.record.width, self.record.height)
        meta = exported_meta(self.capture, self.layout, *size)
        self._write("transforms.json", json.dumps(meta, indent=2).encode())
        result = Exported(
            output=output,
            edited=tuple(row["name"] for row in rows if row["edit"]),
            kept=tuple(row["name"] for row in rows if row["trained"] and not row["edit"]),
            held_out=tuple(row["name"] for row in rows if not row["trained"]),
            width=size[0],
            height=size[1],
            changed_outside=sum(row["changed_outside"] or 0 for row in rows),
            warnings=_warnings(self.record),
        )
        self._write(RECEIPT, seal(self._receipt(rows, result)))
        progress("export", 1.0)
        return result

    def _write_view(self, view: View, record: ViewRecord | None) -> dict[str, Any]:
        original, icc = self._original(view)
        region = self._region(record)
        edit = record.edited if record else None
        picture = original if edit is None else self._stored(self.record.pictures, edit, 3)
        data = png.encode(picture, Metadata(icc=icc))
        self._write(self.layout.pictures[view.name], data)
        if region is not None:
            self._write(self.layout.regions[view.name], png.encode(region[..., None], Metadata()))
        outside = None
        if edit is not None and region is not None:
            outside = int(np.count_nonzero((picture != original)[region == 0]))
        return {
            "name": view.name,
            "output": self.layout.pictures[view.name],
            "sha256": sha256(data),
            "trained": record is not None,
            "edit": edit,
            "region": self.layout.regions[view.name] if region is not None else None,
            "changed_outside": outside,
        }

    def _original(self, view: View) -> tuple[UInt8[np.ndarray, "h w 3"], bytes | None]:
        """Return a view's samples at the trained size, and the profile they are meant in."""
        size = (self.record.width, self.record.height)
        with PillowImage.open(view.file) as opened:
            icc = opened.info.get("icc_profile")
        if size == (view.width, view.height):
            return samples_of(view.file), icc
        factor = round(view.width / size[0])
        smaller = self.capture.folder / f"images_{factor}" / view.file.name
        if smaller.is_file():  # what nerfstudio's downscale_factor reads
            samples = samples_of(smaller)
            if samples.shape[1::-1] == size:
                return samples, icc
        full = PillowImage.fromarray(samples_of(view.file))
        return np.asarray(full.resize(size, PillowImage.Resampling.BILINEAR)), icc

    def _region(self, record: ViewRecord | None) -> UInt8[np.ndarray, "h w"] | None:
        """Return the union of a view's regions; all 0 where the target is not seen."""
        if record is None:
            return None
        if not record.region:
            return np.zeros((self.record.height, self.record.width), np.uint8)
        alphas = [self._stored(self.record.regions, name, 1) for name in record.region]
        return np.asarray(np.maximum.reduce(alphas))

    def _stored(self, store: PictureStore, name: str, channels: int) -> Any:
        picture = store.get(name, hint=_DAMAGED)
        wanted = (self.record.height, self.record.width, *((channels,) if channels > 1 else ()))
        if picture.shape != wanted:
            raise IntegrityError(
                f"{store.folder / name}.png has shape {picture.shape}, the run's pictures {wanted}",
                hint=_DAMAGED,
            )
        return picture

    def _write_companions(self) -> None:
        for source, target in self.layout.companions.items():
            file = self.capture.folder / source
            if not file.is_file():
                raise InvalidInput(
                    f"{file}, which {self.capture.json_file} names, is missing",
                    hint="Put it there, or take its entry out.",
                )
            self._write(target, self._resized(file))

    def _resized(self, file: Path) -> bytes:
        """Return a mask's or depth's file; only one with the size of the pictures is scaled."""
        data = file.read_bytes()
        size = (self.record.width, self.record.height)
        full = (self.capture.height, self.capture.width)
        if size == full[::-1] or file.suffix.lower() != ".png":
            return data
        samples: Any = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        if samples is None:
            raise InvalidInput(f"{file} cannot be read", hint="Replace it.")
        if samples.shape[:2] != full:
            return data
        nearest = cv2.resize(samples, size, interpolation=cv2.INTER_NEAREST)
        return bytes(cv2.imencode(".png", nearest)[1].tobytes())

    def _write(self, name: str, data: bytes) -> None:
        write_file(self.folder / name, data)

    def _receipt(self, rows: list[dict[str, Any]], result: Exported) -> Mapping[str, Any]:
        record = self.record
        return {
            "kind": "capture",
            "versions": versions(),
            "instruction": record.instruction,
            "plan": record.plan,
            "editor": record.editor,
            "seed": record.seed,
            "run": {"phase": record.phase, "round": record.round, "step": record.step},
            "source": {
                "path": str(self.capture.json_file.resolve()),
                "sha256": sha256(self.capture.json_file.read_bytes()),
                "width": self.capture.width,
                "height": self.capture.height,
            },
            "output": {"width": result.width, "height": result.height},
            "edited": list(result.edited),
            "kept": list(result.kept),
            "held_out": list(result.held_out),
            "views": rows,
            "warnings": list(result.warnings),
        }


def _warnings(record: RunRecord) -> tuple[str, ...]:
    if record.phase == "done":
        return ()
    return (
        f"the edit is not finished: this is the state at step {record.step}, round {record.round}",
    )
