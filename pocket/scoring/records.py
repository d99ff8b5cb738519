"""What is kept of each attempt: a line of JSON and the picture, so that a scoring can go on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from image_core.errors import InvalidInput
from image_core.photo.atomic import not_writable, write_atomically
from image_core.types import Image
from pocket.flat.instructions import Task
from pocket.flat.render import to_bytes
from pocket.flat.settings import Pairs
from pocket.folders import check_folder
from pocket.scoring.measures import Measures

LINES, PICTURES = "results.jsonl", "pictures"


@dataclass(frozen=True, kw_only=True)
class Record:
    """One attempt at one case, measured.

    Attributes:
        key: Of all that decides it; the same key is the same attempt.
        label: The editor with what was chosen for it, or a reference's name.
        regions: What region it was given; empty for a reference.
        case: The case's name.
        pairs: Whether its edit makes what training showed.
        task: What was asked for.
        instruction: In words.
        measures: What it is worth.
        rows: What went through networks, by network.
        seconds: From the instruction to the picture.
        refusal: The error's type; empty where a picture was made.
        message: What the error said.
        commit: Of the code that made it; empty where it is not known.
    """

    key: str
    label: str
    regions: str
    case: str
    pairs: Pairs
    task: Task
    instruction: str
    measures: Measures
    rows: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    refusal: str = ""
    message: str = ""
    commit: str = ""


class Ledger:
    """The records and pictures that lie in a folder."""

    def __init__(self, folder: str | Path, *, commit: str = "") -> None:
        """Read what is there; the folder is made where it is not.

        Args:
            folder: Where.
            commit: Of the code, written to what is kept from now on.

        Raises:
            InvalidInput: It cannot be made, read or written.
        """
        self.folder = check_folder(folder)
        self._commit = commit
        try:
            (self.folder / PICTURES).mkdir(parents=True, exist_ok=True)
            lines = self.folder / LINES
            text = lines.read_text(encoding="utf-8", errors="replace") if lines.exists() else ""
        except OSError as error:
            raise not_writable(self.folder, error) from error
        self._known = _parsed(text)
        self._torn = bool(text) and not text.endswith("\n")

    def get(self, key: str) -> Record | None:
        """Return the record of an attempt that was made before, its picture with it; else None."""
        record = self._known.get(key)
        if record is None or (not record.refusal and not self._place(key).is_file()):
            return None
        return record

    def put(self, record: Record, picture: Image | None) -> Record:
        """Keep an attempt; the picture first, so that a record has one.

        Returns:
            The record as it is kept.

        Raises:
            InvalidInput: It cannot be written.
        """
        record = replace(record, commit=self._commit)
        if picture is not None:
            _, data = cv2.imencode(".png", to_bytes(picture)[..., ::-1])
            write_atomically(self._place(record.key), data.tobytes())
        try:
            with (self.folder / LINES).open("a", encoding="utf-8") as lines:
                # what an interruption tore stays alone on its line
                lines.write(("\n" if self._torn else "") + json.dumps(asdict(record)) + "\n")
        except OSError as error:
            raise not_writable(self.folder / LINES, error) from error
        self._torn = False
        self._known[record.key] = record
        return record

    def picture(self, record: Record) -> Image | None:
        """Return the picture of an attempt; None where it was refused."""
        if record.refusal:
            return None
        found = cv2.imread(str(self._place(record.key)), cv2.IMREAD_COLOR)
        if found is None:
            raise InvalidInput(
                f"the picture {self._place(record.key)} cannot be read",
                hint="Remove it and run the same command again.",
            )
        return np.asarray(found[..., ::-1], dtype=np.float32) / 255

    def _place(self, key: str) -> Path:
        return self.folder / PICTURES / f"{key}.png"


def _parsed(text: str) -> dict[str, Record]:
    """Return the records of lines, by key; lines that are torn or of another form are passed."""
    known = {}
    for line in text.splitlines():
        try:
            values: dict[str, Any] = json.loads(line)
            record = Record(**{**values, "measures": Measures(**values["measures"])})
        except (ValueError, TypeError, KeyError):
            continue
        known[record.key] = record
    return known
