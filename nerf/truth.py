"""What an edit should look like, where that is known: the truth beside a capture of ``pocket``."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import cv2
import numpy as np

from image_core.errors import InvalidInput
from image_core.mask_file import read_mask
from image_core.types import Image, Mask
from nerf.capture import samples_of


@dataclass(frozen=True, kw_only=True)
class Truth:
    """The exact region of an edit, and the exactly edited views where there are any.

    Attributes:
        masks: Folder with a mask a view.
        edited: Folder with an edited picture a view; None where only the region is known.
        instruction: What the true edit is of; empty where only the region is known.
    """

    masks: Path
    edited: Path | None = None
    instruction: str = ""

    def region(self, name: str, width: int, height: int) -> Mask | None:
        """Return a view's exact region at a size; None where it is not told."""
        path = self.masks / f"{PurePosixPath(name).stem}.png"
        return fitted(read_mask(path), width, height) if path.is_file() else None

    def picture(self, name: str, width: int, height: int) -> Image | None:
        """Return the exactly edited view at a size; None where it is not told."""
        if self.edited is None:
            return None
        path = self.edited / f"{PurePosixPath(name).stem}.png"
        if not path.is_file():
            return None
        return fitted(samples_of(path).astype(np.float32) / np.float32(255), width, height)


def fitted(picture: np.ndarray, width: int, height: int) -> np.ndarray:
    """Scale a picture or mask to the size of a training; of its own size it is left alone."""
    if picture.shape[:2] == (height, width):
        return picture
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)


def read_truth(folder: Path) -> Truth:
    """Read ``truth.json``.

    Raises:
        InvalidInput: It is missing, torn, or names folders that are not there.
    """
    path = folder / "truth.json"
    hint = "`insitu pocket capture -o DIR` writes a capture with its truth."
    try:
        content = json.loads(path.read_bytes())
        truth = Truth(
            masks=folder / content["things"][content["target"]],
            edited=folder / content["edited"],
            instruction=str(content["instruction"]),
        )
    except FileNotFoundError:
        raise InvalidInput(f"there is no {path}", hint=hint) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidInput(f"{path} cannot be read: {error!r}", hint=hint) from error
    if truth.edited is None or not truth.masks.is_dir() or not truth.edited.is_dir():
        raise InvalidInput(f"folders that {path} names are missing", hint=hint)
    return truth


def truth_of(
    given: Path | None, masks: Path | None, capture: Path | None, instruction: str | None
) -> tuple[Truth | None, tuple[str, ...]]:
    """Choose what is known of the truth for a run.

    Args:
        given: The folder that the user named.
        masks: A folder of masks that the user named.
        capture: Where the run's capture lies, whose own truth serves where no other is named.
        instruction: The run's; None for a run without an edit.

    Returns:
        The truth, None where nothing is known, and what to note of it.

    Raises:
        InvalidInput: What the user named cannot be used.
    """
    if masks is not None:
        if not masks.is_dir():
            raise InvalidInput(f"there is no folder of masks {masks}")
        if given is None:
            return Truth(masks=masks), ()
    notes: tuple[str, ...] = ()
    if given is not None:
        truth = read_truth(given)
        if instruction is not None and not _same(truth.instruction, instruction):
            notes = (f"the truth is of {truth.instruction!r}, the run edits by {instruction!r}",)
        return (replace(truth, masks=masks) if masks is not None else truth), notes
    if capture is None:
        return None, ()
    folder = (capture.parent if capture.suffix == ".json" else capture) / "truth"
    if not (folder / "truth.json").is_file():
        return None, ()
    truth = read_truth(folder)
    if instruction is None or _same(truth.instruction, instruction):
        return truth, ()
    return None, (f"the capture's truth is of {truth.instruction!r} and was not used",)


def _same(one: str, other: str) -> bool:
    return " ".join(one.lower().split()).rstrip(".") == " ".join(other.lower().split()).rstrip(".")
