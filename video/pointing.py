"""What of a clip is meant besides the words: a box, points or a mask, or masks of its frames."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from image_core.errors import InvalidInput
from image_core.mask_file import read_mask
from image_core.region_hints import check_hint
from image_core.types import Mask, RegionHint
from video.clip_info import ClipInfo

_PICTURES = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp"}


@dataclass(frozen=True, kw_only=True)
class Pointing:
    """The region in the user's hand.

    Attributes:
        at: The frame to look at; None leaves it to the route.
        hint: Box, points or mask in that frame; None for a phrase.
        masks: Files of the masks of single frames.
    """

    at: int | None = None
    hint: RegionHint | None = None
    masks: Mapping[int, Path] = field(default_factory=dict)

    def mask(self, index: int, size: tuple[int, int]) -> Mask:
        """Read the mask of a frame.

        Raises:
            InvalidInput: It cannot be read, or is of another size than the frames.
        """
        path = self.masks[index]
        mask = read_mask(path)
        if mask.shape[::-1] != size:
            raise InvalidInput(
                f"the mask {path} is {mask.shape[1]}x{mask.shape[0]}, the frames "
                f"{size[0]}x{size[1]}"
            )
        return mask


def check_pointing(pointing: Pointing, info: ClipInfo) -> None:
    """Refuse a hint that does not fit the clip's frames, before any work.

    Raises:
        InvalidInput: It says which.
    """
    if pointing.hint is not None and pointing.masks:
        raise InvalidInput("--mask-dir and a box, point or mask exclude each other")
    if pointing.hint is not None:
        width, height = info.size
        check_hint(pointing.hint, width=width, height=height)
    for index in sorted(pointing.masks)[:1]:
        pointing.mask(index, info.size)


def masks_in(folder: Path, info: ClipInfo) -> dict[int, Path]:
    """Return the masks of a folder by frame; the last number in a file's name is the frame's.

    Raises:
        InvalidInput: There is no such folder, none of its files is a mask of a frame, or two are of
            the same one.
    """
    if not folder.is_dir():
        raise InvalidInput(f"there is no folder {folder}")
    found: dict[int, Path] = {}
    for path in sorted(folder.iterdir()):
        numbers = re.findall(r"\d+", path.stem)
        if path.suffix.lower() not in _PICTURES or not numbers:
            continue
        index = int(numbers[-1])
        if index >= len(info):
            raise InvalidInput(
                f"{path.name} is a mask of frame {index}; the clip has {len(info)}",
                hint="The last number in a mask's name is its frame's, counted from 0.",
            )
        if index in found:
            raise InvalidInput(f"{found[index].name} and {path.name} are masks of one frame")
        found[index] = path
    if not found:
        raise InvalidInput(
            f"{folder} holds no masks", hint="Name them by frame: 000000.png, 000012.png, …"
        )
    return found
