"""What any capture must fulfil, whatever parser it came through: its pictures and its poses."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float
from PIL import Image as PillowImage

from image_core.errors import InvalidInput

FEWEST_VIEWS = 3
"""Fewer pictures tell no depth."""

_SHOWN = 3
_AS_TRAINED = ("L", "RGB")
_WITH_ALPHA = ("RGBA",)
_TOLERANCE = 1e-3
# what PIL raises on torn or hostile files (a bomb is an Exception of its own)
_UNREADABLE = (OSError, ValueError, SyntaxError, EOFError, PillowImage.DecompressionBombError)


def listed(names: Iterable[object]) -> str:
    """Name up to three things, and how many more there are."""
    known = [str(name) for name in names]
    more = len(known) - _SHOWN
    return ", ".join(known[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def check_views(files: Sequence[Path], poses: Float[np.ndarray, "n rows 4"]) -> None:
    """Refuse pictures and poses that nerfstudio cannot train on.

    Args:
        files: One picture a view.
        poses: Camera to world, ``rows`` 3 or 4.

    Raises:
        InvalidInput: Names the first few files at fault, their number, and the next step.
    """
    _check_files(files)
    _check_pictures(files)
    check_poses(poses, files)


def _check_files(files: Sequence[Path]) -> None:
    if len(files) < FEWEST_VIEWS:
        raise InvalidInput(
            f"the capture has {len(files)} picture{'s' * (len(files) != 1)}, at least "
            f"{FEWEST_VIEWS} are needed",
            hint="Take some dozens all around the scene; for one photo there is `insitu image`.",
        )
    seen: set[str] = set()
    twice = []
    for file in files:
        path = os.path.normpath(file)
        twice += [file] if path in seen else []
        seen.add(path)
    if twice:
        raise InvalidInput(
            f"{len(twice)} of {len(files)} frames name a picture that another names too: "
            f"{listed(twice)}",
            hint="Leave one frame for each picture.",
        )
    missing = [file for file in files if not file.is_file()]
    if missing:
        raise InvalidInput(
            f"{len(missing)} of {len(files)} pictures are missing: {listed(missing)}",
            hint="Put them there, or take their frames out of the transforms.json.",
        )


def _check_pictures(files: Sequence[Path]) -> None:
    sizes: dict[tuple[int, int], list[Path]] = {}
    unreadable, unlike, transparent = [], [], []
    for file in files:
        try:
            with PillowImage.open(file) as picture:
                sizes.setdefault(picture.size, []).append(file)
                if picture.mode not in _AS_TRAINED + _WITH_ALPHA:
                    unlike.append(f"{file} ({picture.mode})")
                elif picture.mode in _WITH_ALPHA:
                    opaque = np.asarray(picture)[..., 3].min() == 255
                    transparent += [] if opaque else [file]
                else:
                    _read_through(picture)
        except _UNREADABLE:
            unreadable.append(file)
    if unreadable:
        raise InvalidInput(
            f"{len(unreadable)} of {len(files)} pictures cannot be read: {listed(unreadable)}",
            hint="Replace them, or take their frames out of the transforms.json.",
        )
    if unlike:
        raise InvalidInput(
            f"{len(unlike)} of {len(files)} pictures are neither grey nor RGB with 8 bits: "
            f"{listed(unlike)}",
            hint="Save them as RGB, without transparency.",
        )
    if transparent:
        raise InvalidInput(
            f"{len(transparent)} of {len(files)} pictures are transparent in places: "
            f"{listed(transparent)}",
            hint="Flatten them onto a background: what lies behind them is unknown in 3D.",
        )
    if len(sizes) > 1:
        common = max(sizes, key=lambda size: len(sizes[size]))
        odd = [file for size, group in sizes.items() if size != common for file in group]
        found = ", ".join(f"{w}x{h} ({len(group)})" for (w, h), group in sizes.items())
        raise InvalidInput(
            f"the pictures have different sizes, {found}: {listed(odd)}",
            hint="Keep those of one size, or scale them with their intrinsics.",
        )


def _read_through(picture: PillowImage.Image) -> None:
    """Find a torn file at a fraction of what decoding it costs."""
    if picture.format == "PNG":
        picture.verify()  # every chunk's checksum
        return
    picture.draft("L", (picture.width // 8, picture.height // 8))  # JPEG: all of it, but small
    picture.load()


def check_poses(poses: Float[np.ndarray, "n rows 4"], names: Sequence[object]) -> None:
    """Refuse poses that are none.

    Args:
        poses: Camera to world, ``rows`` 3 or 4.
        names: One each, for the message.

    Raises:
        InvalidInput: One is not finite, its rotation is none, its last row is not 0 0 0 1, or all
            cameras stand in one point.
    """
    if poses.ndim != 3 or poses.shape[1] not in (3, 4) or len(poses) != len(names):
        raise InvalidInput(f"{len(names)} views need {len(names)} 3x4 or 4x4 poses")

    def refuse(bad: np.ndarray, what: str, hint: str) -> None:
        if bad.any():
            found = [name for name, is_bad in zip(names, bad, strict=True) if is_bad]
            raise InvalidInput(
                f"the pose of {len(found)} of {len(names)} views {what}: {listed(found)}", hint=hint
            )

    solve = "Solve the cameras again, or take these frames out of the transforms.json."
    refuse(~np.isfinite(poses).all(axis=(1, 2)), "has NaN or infinity in it", solve)
    stretch = np.linalg.svd(poses[:, :3, :3], compute_uv=False)
    flat = stretch[:, 2] < _TOLERANCE * np.maximum(stretch[:, 0], 1e-12)
    refuse(flat | (stretch[:, 0] < 1e-9), "has no rotation in it (a singular matrix)", solve)
    if poses.shape[1] == 4:
        odd = np.abs(poses[:, 3] - [0, 0, 0, 1]).max(axis=1) > _TOLERANCE
        refuse(odd, "does not end in 0 0 0 1", "Transpose the matrices if they are column-major.")
    places = poses[:, :3, 3]
    if np.abs(places - places[0]).max() <= 1e-9 * max(1.0, float(np.abs(places).max())):
        raise InvalidInput(
            f"all {len(poses)} cameras stand in one point",
            hint="Depth shows only between pictures from several places.",
        )
