"""Where the parts of a capture lie in its export, and what the exported json says of them."""

from __future__ import annotations

import copy
import itertools
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from nerf.capture import Capture, view_name

RECEIPT = "receipt.json"
REGIONS = "masks_insitu"

_ACROSS, _DOWN = ("fl_x", "cx", "fisheye_crop_radius"), ("fl_y", "cy")
_SPLITS = ("train_filenames", "val_filenames", "test_filenames")
_COMPANIONS = {"mask_path": "masks", "depth_file_path": "depths"}


@dataclass(frozen=True, kw_only=True)
class Layout:
    """New places of files, relative to the exported folder.

    Attributes:
        pictures: By view name.
        regions: By view name.
        companions: Of masks, depths and the point cloud, by their path in the json.
    """

    pictures: Mapping[str, str]
    regions: Mapping[str, str]
    companions: Mapping[str, str]


def layout_of(capture: Capture) -> Layout:
    """Choose the new places: the same as in the capture, pictures as .png.

    What lies outside the capture's folder goes into a folder of its own kind, and of two files that
    would fall on one name the later keeps its whole old name before the suffix.
    """
    taken = {"transforms.json", RECEIPT}
    names = [view.name for view in capture.views]
    pictures = {name: _place(name, "images", taken, suffix=".png") for name in names}
    stems = Counter(PurePosixPath(place).stem for place in pictures.values())
    regions = {}
    for name, place in pictures.items():
        path = PurePosixPath(place)
        # left/0001 and right/0001 would share a file
        short = path.name if stems[path.stem] == 1 else "_".join(path.parts)
        regions[name] = f"{REGIONS}/{short}"
    taken |= set(regions.values())
    companions: dict[str, str] = {}
    for key, folder in (*_COMPANIONS.items(), ("ply_file_path", "")):
        holders = [capture.meta, *capture.meta["frames"]]
        for path_text in (holder[key] for holder in holders if isinstance(holder.get(key), str)):
            if path_text not in companions:
                companions[path_text] = _place(view_name(path_text, capture.folder), folder, taken)
    return Layout(pictures=pictures, regions=regions, companions=companions)


def exported_meta(capture: Capture, layout: Layout, width: int, height: int) -> dict[str, Any]:
    """Return the exported ``transforms.json``: all that the capture's says, moved and scaled.

    Args:
        capture: The source.
        layout: Where its files went.
        width: Of the exported pictures, in pixels.
        height: The same vertically.
    """
    meta = copy.deepcopy(dict(capture.meta))
    for frame in meta["frames"]:
        frame["file_path"] = layout.pictures[view_name(frame["file_path"], capture.folder)]
    for holder in (meta, *meta["frames"]):
        for key in (*_COMPANIONS, "ply_file_path"):
            if holder.get(key) in layout.companions:
                holder[key] = layout.companions[holder[key]]
        _scale(holder, capture, width, height)
    for key in _SPLITS:
        if isinstance(meta.get(key), list):
            old = [(name, view_name(str(name), capture.folder)) for name in meta[key]]
            meta[key] = [layout.pictures.get(known, name) for name, known in old]
    return meta


def _scale(holder: dict[str, Any], capture: Capture, width: int, height: int) -> None:
    if (width, height) == (capture.width, capture.height):
        return  # not even a rounding
    for keys, ratio in ((_ACROSS, width / capture.width), (_DOWN, height / capture.height)):
        for key in keys:
            if key in holder:
                holder[key] = holder[key] * ratio
    for key, size in (("w", width), ("h", height)):
        if key in holder:
            holder[key] = size


def _place(name: str, folder: str, taken: set[str], suffix: str = "") -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        path = PurePosixPath(folder) / path.name
    place = next(str(choice) for choice in _choices(path, suffix) if str(choice) not in taken)
    taken.add(place)
    return place


def _choices(path: PurePosixPath, suffix: str) -> Iterator[PurePosixPath]:
    yield path.with_suffix(suffix) if suffix else path
    if suffix:
        yield PurePosixPath(f"{path}{suffix}")
    for number in itertools.count(2):
        yield path.with_name(f"{path.stem}_{number}{suffix or path.suffix}")
