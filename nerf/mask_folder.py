"""The user's own masks, one file per view: which belongs to which, and what they say."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from image_core.errors import InsituError, InvalidInput
from image_core.local_editor import LocalEditor
from image_core.mask_file import read_mask
from image_core.types import EditPlan, Image, Location, Mask, RegionHint


def find_by_masks(
    editor: LocalEditor,
    plan: EditPlan,
    images: Sequence[Image],
    names: Sequence[str],
    mask_dir: Path,
) -> list[Location | None]:
    """Take each step's region in each view from the user's masks, feathered inwards only.

    Args:
        editor: Gives a mask the form that each step needs, as it does for a photo.
        plan: What is to be edited; all its steps share the masks.
        images: The original views.
        names: One per view, see ``read_masks``.
        mask_dir: The folder.

    Returns:
        One location per view; None where there is no mask or an empty one.

    Raises:
        InvalidInput: See ``read_masks``.
    """
    masks = read_masks(mask_dir, names, [(image.shape[0], image.shape[1]) for image in images])
    given = [index for index, mask in enumerate(masks) if mask is not None]
    outcomes = editor.locate(
        [images[index] for index in given],
        plan,
        [RegionHint(mask=masks[index]) for index in given],
    )
    locations: list[Location | None] = [None] * len(images)
    for index, outcome in zip(given, outcomes, strict=True):
        if isinstance(outcome, InsituError):
            raise type(outcome)(f"view {names[index]}: {outcome}", hint=outcome.hint) from outcome
        locations[index] = outcome
    return locations


def read_masks(
    mask_dir: Path, names: Sequence[str], shapes: Sequence[tuple[int, int]]
) -> list[Mask | None]:
    """Read the mask of each view from a folder.

    Args:
        mask_dir: Holds ``0001.jpg.png`` or ``0001.png`` for a view ``0001.jpg``; a view in a folder
            (``left/0001.jpg``) may have its mask in a folder of that name.
        names: The views' file names.
        shapes: Their heights and widths in pixels.

    Returns:
        One mask per view; None where there is no file, or no pixel of it is above 0.

    Raises:
        InvalidInput: The folder is missing, no file in it belongs to a view, one belongs to two, is
            unreadable or of another size than its view, or every mask is empty.
    """
    if not mask_dir.is_dir():
        raise InvalidInput(f"there is no folder of masks {mask_dir}")
    owners: dict[Path, str] = {}
    masks: list[Mask | None] = []
    for name, (height, width) in zip(names, shapes, strict=True):
        path = _mask_of(mask_dir, Path(name))
        if path is None:
            masks.append(None)
            continue
        if path in owners:
            raise InvalidInput(
                f"the mask {path} fits both {owners[path]} and {name}",
                hint=f"Name it after the whole file name: {Path(name).name}.png.",
            )
        owners[path] = name
        mask = read_mask(path)
        if mask.shape != (height, width):
            raise InvalidInput(
                f"the mask {path} is {mask.shape[1]}x{mask.shape[0]}, its view {width}x{height}",
                hint="A mask has the size of its upright picture.",
            )
        masks.append(mask if bool(np.any(mask > 0)) else None)
    if not owners:
        raise InvalidInput(
            f"no mask in {mask_dir} belongs to a view",
            hint=f"The mask of {names[0]} is {Path(names[0]).stem}.png." if names else "",
        )
    if all(mask is None for mask in masks):
        raise InvalidInput(f"every mask in {mask_dir} is empty: no pixel is above 0")
    return masks


def _mask_of(mask_dir: Path, name: Path) -> Path | None:
    relative = Path(*name.parts[1:]) if name.is_absolute() else name
    places = (
        relative.with_name(relative.name + ".png"),
        relative.with_suffix(".png"),
        Path(name.name + ".png"),
        Path(name.stem + ".png"),
    )
    return next((mask_dir / place for place in places if (mask_dir / place).is_file()), None)
