"""A nerfstudio capture on disk, read and checked before hours are spent on it.

nerfstudio takes many captures that it cannot train on, and says so late or never: a palette picture
is trained on as a picture of indices, a NaN pose as a NaN loss. Here each is an error that names
the files.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Float64, UInt8
from PIL import Image as PillowImage

from image_core.errors import InvalidInput
from image_core.types import Image
from nerf.view_checks import check_views, listed

__all__ = ["Capture", "View", "check_views", "originals", "read_capture", "samples_of", "view_name"]

_DISTORTION = ("k1", "k2", "k3", "k4", "p1", "p2")


@dataclass(frozen=True, kw_only=True)
class View:
    """One picture and its camera.

    Attributes:
        name: The picture's path from the capture's folder, see ``view_name``.
        file: Where the picture lies.
        camera_to_world: OpenGL's convention: x right, y up, looking along -z.
        fx: Focal length in pixels, horizontally.
        fy: The same vertically.
        cx: Principal point in pixels from the left.
        cy: The same from the top.
        distortion: k1, k2, k3, k4, p1, p2 of OpenCV's model.
        width: In pixels, as stored: like nerfstudio, without regard to EXIF's orientation.
        height: The same vertically.
    """

    name: str
    file: Path
    camera_to_world: Float64[np.ndarray, "4 4"]
    fx: float
    fy: float
    cx: float
    cy: float
    distortion: tuple[float, float, float, float, float, float]
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class Capture:
    """The pictures of one scene with their cameras.

    Attributes:
        folder: Holds the json; paths in it are relative to here.
        json_file: ``transforms.json``, or the file that was named instead.
        views: In nerfstudio's order: sorted by path. Its split into training and held-out views
            goes by this order.
        meta: All that the json says.
    """

    folder: Path
    json_file: Path
    views: tuple[View, ...]
    meta: Mapping[str, Any]

    @property
    def width(self) -> int:
        """Of every picture, in pixels."""
        return self.views[0].width

    @property
    def height(self) -> int:
        """Of every picture, in pixels."""
        return self.views[0].height


def view_name(file_path: str | Path, folder: Path) -> str:
    """Return the one form of a picture's path that names its view: from the capture's folder.

    Args:
        file_path: As a frame has it: from the capture's folder, or absolute.
        folder: The capture's.
    """
    return Path(os.path.relpath(folder / file_path, folder)).as_posix()


def name_in_capture(file: Path, folder: Path, reduced: int = 1) -> str:
    """Return the name of a view by the file that nerfstudio reads it from.

    Args:
        file: Of the picture.
        folder: The capture's.
        reduced: By how much nerfstudio's own copies are smaller: they lie in ``images_2`` …
    """
    parent = file.parent
    if reduced > 1 and parent.name.endswith(f"_{reduced}"):
        parent = parent.with_name(parent.name.removesuffix(f"_{reduced}"))
    return view_name((parent / file.name).absolute(), folder.absolute())


def read_capture(path: Path) -> Capture:
    """Read a ``transforms.json`` and check all that it lists.

    Args:
        path: The capture's folder, or the json itself.

    Raises:
        InvalidInput: The json is missing, torn or says nothing usable; a picture is missing,
            unreadable, of another size, transparent or listed twice; there are fewer than three; a
            pose is no pose; or sizes in the json are not the pictures'.
    """
    json_file = path if path.suffix == ".json" else path / "transforms.json"
    meta = _read_json(json_file)
    folder = json_file.parent
    frames = meta.get("frames")
    if not isinstance(frames, list) or not frames:
        raise InvalidInput(f"{json_file} lists no frames", hint="A capture is a list of pictures.")
    for number, frame in enumerate(frames):
        if not isinstance(frame, dict) or not isinstance(frame.get("file_path"), str):
            raise InvalidInput(f"frame {number} of {json_file} has no file_path")
    # as nerfstudio sorts: whole paths, not their texts
    frames = sorted(frames, key=lambda frame: folder / frame["file_path"])
    files = [folder / frame["file_path"] for frame in frames]
    poses = _poses(frames, json_file)
    check_views(files, poses)
    with PillowImage.open(files[0]) as first:
        size = first.size
    views = tuple(
        _view(frame, view_name(frame["file_path"], folder), pose, file=file, meta=meta, size=size)
        for frame, file, pose in zip(frames, files, poses, strict=True)
    )
    odd = [view.name for view in views if (view.width, view.height) != size]
    if odd:
        told = next(view for view in views if view.name == odd[0])
        raise InvalidInput(
            f"{json_file} says {told.width}x{told.height} for {listed(odd)}, the pictures are "
            f"{size[0]}x{size[1]}",
            hint="Scale w, h, fl_x, fl_y, cx and cy to the pictures, or give the pictures that "
            "the cameras were solved for.",
        )
    return Capture(folder=folder, json_file=json_file, views=views, meta=meta)


def samples_of(file: Path) -> UInt8[np.ndarray, "h w 3"]:
    """Read a picture's RGB samples as nerfstudio does: as stored, EXIF's orientation not applied.

    Grey is repeated; an alpha, which ``check_views`` found opaque, is dropped.

    Raises:
        InvalidInput: It cannot be read.
    """
    try:
        with PillowImage.open(file) as picture:
            samples = np.array(picture, np.uint8)
    except (OSError, ValueError, SyntaxError) as error:
        raise InvalidInput(f"the picture {file} cannot be read: {error}") from error
    if samples.ndim == 2:
        samples = samples[..., None]
    return np.ascontiguousarray(
        samples[..., :3] if samples.shape[2] >= 3 else np.repeat(samples[..., :1], 3, axis=2)
    )


def originals(capture: Capture) -> list[Image]:
    """Return the capture's pictures as nerfstudio's training reads them, in its order.

    Raises:
        InvalidInput: One cannot be read.
    """
    return [samples_of(view.file).astype(np.float32) / np.float32(255) for view in capture.views]


def _read_json(json_file: Path) -> dict[str, Any]:
    hint = "A capture is a folder with a transforms.json, as ns-process-data writes it."
    try:
        meta = json.loads(json_file.read_bytes())
    except FileNotFoundError:
        raise InvalidInput(f"there is no {json_file}", hint=hint) from None
    except OSError as error:
        raise InvalidInput(f"{json_file} cannot be read: {error.strerror}", hint=hint) from error
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{json_file} is no JSON: {error}", hint=hint) from error
    if not isinstance(meta, dict):
        raise InvalidInput(f"{json_file} is no capture's JSON", hint=hint)
    return meta


def _poses(frames: Sequence[Mapping[str, Any]], json_file: Path) -> Float64[np.ndarray, "n 4 4"]:
    poses = []
    for frame in frames:
        try:
            pose = np.array(frame["transform_matrix"], np.float64)
        except (KeyError, TypeError, ValueError):
            pose = np.empty(0)
        if pose.shape != (4, 4):
            raise InvalidInput(
                f"the transform_matrix of {frame['file_path']} in {json_file} is no 4x4 matrix",
                hint="It takes the camera's coordinates to the world's.",
            )
        poses.append(pose)
    return np.stack(poses)


def _view(
    frame: Mapping[str, Any],
    name: str,
    pose: Float[np.ndarray, "4 4"],
    *,
    file: Path,
    meta: Mapping[str, Any],
    size: tuple[int, int],
) -> View:
    def number(key: str, default: float | None = None) -> float:
        # nerfstudio: what the head says holds for all frames
        value = meta.get(key, frame.get(key, default))
        if isinstance(value, int | float) and math.isfinite(value):
            return float(value)
        raise InvalidInput(
            f"{key} of {name} is {'missing' if value is None else f'no number: {value!r}'}",
            hint="A capture states fl_x, fl_y, cx and cy in pixels, once or for every frame.",
        )

    fx, fy = number("fl_x"), number("fl_y")
    if fx <= 0 or fy <= 0:
        raise InvalidInput(f"the focal length of {name} is not above 0: {fx:g}, {fy:g}")
    k1, k2, k3, k4, p1, p2 = (number(key, 0.0) for key in _DISTORTION)
    return View(
        name=name,
        file=file,
        camera_to_world=np.asarray(pose, np.float64),
        fx=fx,
        fy=fy,
        cx=number("cx"),
        cy=number("cy"),
        distortion=(k1, k2, k3, k4, p1, p2),
        width=int(number("w", size[0])),
        height=int(number("h", size[1])),
    )
