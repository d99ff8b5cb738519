"""Clips that are a folder or a glob of pictures, in and out, every sample kept."""

from __future__ import annotations

import contextlib
import glob
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from image_core.errors import InvalidInput
from image_core.photo import Photo, to_upright, with_channels, write_atomically
from image_core.photo.atomic import not_writable, sync_folder
from video.clip_info import ClipInfo
from video.colour_planes import to_rgb
from video.colour_tags import FULL, RGB_MATRIX, ColourModel, ColourTags
from video.plane_formats import PlaneFormat
from video.planes import Plane, Planes

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp")
"""Of the files in a folder that count as pictures."""

_WRITTEN = re.compile(r"frame_\d{5,}\.png")


def _natural(path: Path) -> list[tuple[int, str]]:
    """Order frame_2 before frame_10."""
    parts = re.split(r"(\d+)", path.name.lower())
    return [(int(part), part) if part.isdecimal() else (0, part) for part in parts]


def listed_pictures(path: Path) -> tuple[Path, ...] | None:
    """List the pictures that a folder or a glob names, in natural order; None for a file.

    Raises:
        InvalidInput: It names none.
    """
    if path.is_dir():
        with os.scandir(path) as entries:
            found = [
                Path(entry.path)
                for entry in entries
                if entry.is_file() and Path(entry.name).suffix.lower() in SUFFIXES
            ]
        if not found:
            raise InvalidInput(
                f"{path} holds no pictures", hint="Name a folder of PNG, JPEG, TIFF or WebP files."
            )
    elif glob.has_magic(str(path)) and not path.exists():
        found = [Path(name) for name in glob.glob(str(path)) if Path(name).is_file()]
        if not found:
            raise InvalidInput(f"{path} matches no file", hint="Check the pattern.")
    else:
        return None
    return tuple(sorted(found, key=lambda file: (_natural(file), file.name)))


def probe_pictures(
    path: Path,
    pictures: tuple[Path, ...],
    *,
    rate: Fraction,
    progress: Callable[[float], None],
) -> ClipInfo:
    """Measure a folder of pictures; each is read once.

    Raises:
        InvalidInput: One of them can't be read, or they differ in size or depth.
    """
    if rate <= 0:
        raise InvalidInput(f"{float(rate):g} frames a second can't be shown")
    digest = hashlib.sha256()
    sizes: dict[tuple[int, int], Path] = {}
    depths: dict[int, Path] = {}
    channels: set[int] = set()
    warnings: dict[str, None] = {}
    for number, file in enumerate(pictures, start=1):
        photo = Photo.open(file)
        digest.update(f"{file.name}\0{photo.sha256}\0".encode(errors="surrogatepass"))
        sizes.setdefault(photo.size, file)
        depths.setdefault(8 * photo.samples.itemsize, file)
        channels.add(photo.samples.shape[2])
        warnings |= dict.fromkeys(photo.warnings)
        progress(number / len(pictures))
    _refuse_mixture(path, "size", {f"{w} x {h}": file for (w, h), file in sizes.items()})
    _refuse_mixture(path, "depth", {f"{bits} bits": file for bits, file in depths.items()})
    colours = channels & {3, 4}
    format = PlaneFormat(
        kind="rgb" if colours else "gray", bits=next(iter(depths)), alpha=bool(channels & {2, 4})
    )
    tags = ColourTags(matrix=RGB_MATRIX, range=FULL) if colours else ColourTags(range=FULL)
    (size,) = sizes
    return ClipInfo(
        path=path,
        container="pictures",
        pictures=pictures,
        codec="pictures",
        stored_size=size,
        stored_format=format.name,
        format=format,
        tags=tags,
        colour=tags.model(format, size[1]),
        time_base=1 / rate,
        times=tuple(range(len(pictures))),
        last_duration=1,
        sha256=digest.hexdigest(),
        warnings=tuple(warnings),
    )


def _refuse_mixture(path: Path, what: str, found: dict[str, Path]) -> None:
    if len(found) > 1:
        said = ", ".join(f"{file.name} has {value}" for value, file in found.items())
        raise InvalidInput(
            f"the pictures of {path} differ in {what}: {said}",
            hint="Name pictures of one clip only.",
        )


def read_planes(info: ClipInfo, start: int, stop: int) -> Iterator[tuple[int, Planes]]:
    """Go through the pictures of a stretch, in order.

    Raises:
        InvalidInput: One of them isn't any more what it was when it was measured.
    """
    for index in range(start, stop):
        photo = Photo.open(info.pictures[index])
        samples = to_upright(photo.samples, photo.orientation)
        wanted = info.format.colours + info.format.alpha
        depth = 8 * samples.itemsize
        if photo.size != info.size or depth != info.format.bits or samples.shape[2] > wanted:
            raise InvalidInput(
                f"{photo.path} isn't any more what it was", hint="Start again with the new files."
            )
        samples = with_channels(samples, wanted)
        yield (
            index,
            Planes(
                format=info.format,
                arrays=tuple(
                    np.ascontiguousarray(samples[..., channel]) for channel in range(wanted)
                ),
            ),
        )


def picture_samples(planes: Planes, colour: ColourModel) -> np.ndarray:
    """Return a frame as the samples of a picture, grey or RGB, with its opacity if it has one.

    Depths between 8 and 16 bits are spread over 16. Luma and chroma become 8 bit RGB.
    """
    format = planes.format
    if format.kind == "yuv":
        return to_rgb(planes, colour)
    arrays: list[Plane] = list(planes.arrays)
    if format.bits not in (8, 16):
        spread = np.iinfo(np.uint16).max / format.peak
        arrays = [np.rint(array * spread).astype(np.uint16) for array in arrays]
    return np.stack(arrays, axis=-1)


def write_pictures(
    folder: str | Path,
    frames: Iterable[Planes],
    colour: ColourModel,
) -> int:
    """Write frames as frame_00000.png and so on; the folder appears when all of them are there.

    Args:
        folder: Where to. A folder that holds only frames of an earlier run is replaced.
        frames: In order; one is held at a time.
        colour: What luma and chroma mean, where the frames have them.

    Returns:
        How many were written.

    Raises:
        InvalidInput: The folder holds something else, can't be written, or the disk is full.
    """
    target = Path(os.path.realpath(folder))
    try:
        if target.exists() and not target.is_dir():
            raise InvalidInput(f"cannot write {folder}: it is a file", hint="Name a folder.")
        foreign = (
            [name for name in os.listdir(target) if not _WRITTEN.fullmatch(name)]
            if target.is_dir()
            else []
        )
    except OSError as error:
        raise not_writable(Path(folder), error) from error
    if foreign:
        raise InvalidInput(
            f"cannot write {folder}: it holds {foreign[0]}", hint="Name a new or empty folder."
        )
    mark = secrets.token_hex(8)
    partial, old = (target.parent / f".insitu-{mark}.{end}" for end in ("new", "old"))
    count = 0
    try:
        partial.mkdir()
        for count, planes in enumerate(frames, start=1):
            write_atomically(
                partial / f"frame_{count - 1:05d}.png", _png(picture_samples(planes, colour))
            )
        if target.exists():
            os.rename(target, old)
        os.rename(partial, target)
        sync_folder(target.parent)
    except BaseException as error:
        shutil.rmtree(partial, ignore_errors=True)
        if old.exists() and not target.exists():
            with contextlib.suppress(OSError):
                os.rename(old, target)
        if isinstance(error, OSError):
            raise not_writable(Path(folder), error) from error
        raise
    shutil.rmtree(old, ignore_errors=True)
    return count


def _png(samples: np.ndarray) -> bytes:
    order = {1: [0], 2: [0, 0, 0, 1], 3: [2, 1, 0], 4: [2, 1, 0, 3]}[samples.shape[2]]
    return cv2.imencode(".png", np.ascontiguousarray(samples[..., order]))[1].tobytes()
