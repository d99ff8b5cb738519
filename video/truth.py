"""Reading the truth that lies beside a clip of our own making: what a perfect edit would give."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64

from image_core.errors import InvalidInput
from image_core.types import Mask
from video.frames import Picture, Span

_RECORD = "truth/truth.json"


@dataclass(frozen=True, kw_only=True)
class ClipTruth:
    """What is known about a clip of our own.

    Attributes:
        folder: The clip's folder.
        clip: The H.264 file.
        lossless: The very pictures, in FFV1.
        instruction: The edit whose truth this is.
        target: The thing that it changes.
        frames: How many.
        times: Of the frames, in seconds.
        shots: The stretches between the cuts.
        key: Number of the key frame.
        key_time: Its time in seconds.
        box: Around the target there: left, top, right, bottom, half-open.
        hidden: For each frame the share of the target that something stands before; 1 where the
            target isn't there.
    """

    folder: Path
    clip: Path
    lossless: Path
    instruction: str
    target: str
    frames: int
    times: tuple[float, ...]
    shots: tuple[Span, ...]
    key: int
    key_time: float
    box: tuple[int, int, int, int]
    hidden: tuple[float, ...]
    _motion: _Motion = field(repr=False)
    _files: dict[str, str] = field(repr=False)

    def mask(self, index: int) -> Mask:
        """Return the share of each pixel of a frame that shows the target, in [0, 1]."""
        read = _png(self._frame_file("masks", index), cv2.IMREAD_GRAYSCALE)
        return read.astype(np.float32) / np.float32(255)

    def edited(self, index: int) -> Picture:
        """Return a frame as it looks once the instruction has been carried out."""
        return _rgb(self._frame_file("edited", index))

    def painted(self, index: int) -> Picture:
        """Return a frame as it looks with the pattern painted on the target."""
        return _rgb(self._frame_file("painted", index))

    def painted_key(self) -> Picture:
        """Return the key frame with the pattern painted on the target."""
        return _rgb(self.folder / "truth" / self._files["painted_key"])

    def key_points(self) -> Float32[np.ndarray, "n 2"]:
        """Return the middles of the key frame's pixels that show the target, (x, y)."""
        rows, columns = np.nonzero(np.isfinite(self._motion.points[..., 0]))
        places = np.stack([columns, rows], axis=1) + self._motion.corner
        return np.asarray(places, np.float32)

    def track(
        self, points: Float32[np.ndarray, "n 2"], index: int
    ) -> tuple[Float32[np.ndarray, "n 2"], Bool[np.ndarray, " n"]]:
        """Follow points of the target from the key frame to another frame.

        Args:
            points: Places in the key frame, (x, y), pixel centres at whole numbers.
            index: Of the other frame.

        Returns:
            Where they lie there, also where something hides them, NaN for points beside the
            target and in frames without it; and which of them are seen.
        """
        return self._motion.track(points, index)

    def _frame_file(self, kind: str, index: int) -> Path:
        if not 0 <= index < self.frames:
            raise InvalidInput(
                f"frame {index}", hint=f"The clip has frames 0 to {self.frames - 1}."
            )
        return self.folder / "truth" / self._files[kind] / f"{index:05d}.png"


@dataclass(frozen=True, kw_only=True)
class _Motion:
    """The target's surface in the key frame, and where the target is in each frame.

    Attributes:
        corner: Column and row of the first pixel of ``points``.
        points: What each pixel shows, in the target's own frame; NaN beside the target.
        poses: From the target's own frame to the camera's (x right, y down, z away); NaN in frames
            without the target.
        seen: Which pixels' points each frame shows.
        focal: In pixels; the optical axis meets the middle of the picture.
        size: Width and height of the picture.
    """

    corner: np.ndarray
    points: Float32[np.ndarray, "h w 3"]
    poses: Float64[np.ndarray, "f 3 4"]
    seen: Bool[np.ndarray, "f h w"]
    focal: float
    size: tuple[int, int]

    def track(
        self, points: Float32[np.ndarray, "n 2"], index: int
    ) -> tuple[Float32[np.ndarray, "n 2"], Bool[np.ndarray, " n"]]:
        """Look the points up on the surface, move them, and project them."""
        places = points.astype(np.float64) - self.corner
        surface = self._surface(places)
        turned = surface @ self.poses[index, :, :3].T + self.poses[index, :, 3]
        away = turned[:, 2:]
        middle = np.array(self.size) / 2 - 0.5
        moved = (turned[:, :2] / away * self.focal + middle).astype(np.float32)
        height, width = self.points.shape[:2]
        column, row = np.rint(places).astype(int).T
        row, column = row.clip(0, height - 1), column.clip(0, width - 1)
        return moved, self.seen[index, row, column] & np.isfinite(moved[:, 0])

    def _surface(self, places: Float64[np.ndarray, "n 2"]) -> Float64[np.ndarray, "n 3"]:
        """Read the surface between pixels, linearly; at its rim from the pixels that show it."""
        height, width = self.points.shape[:2]
        low = np.floor(places)
        share = places - low
        total, weight = np.zeros((len(places), 3)), np.zeros(len(places))
        for right in (0, 1):
            for down in (0, 1):
                column, row = (low + np.array([right, down])).astype(int).T
                within = (column >= 0) & (row >= 0) & (column < width) & (row < height)
                near = self.points[row.clip(0, height - 1), column.clip(0, width - 1)]
                part = np.abs(1 - right - share[:, 0]) * np.abs(1 - down - share[:, 1])
                part = part * (within & np.isfinite(near[:, 0]))
                total += part[:, None] * np.nan_to_num(near)
                weight += part
        known = weight > 0.5  # less than half of what is around it shows the target: it is beside
        return np.where(known[:, None], total / np.maximum(weight, 0.5)[:, None], np.nan)


def read_truth(folder: str | Path) -> ClipTruth:
    """Read the truth beside a clip that ``insitu pocket clip`` wrote.

    Raises:
        InvalidInput: There is none, or it can't be read.
    """
    place = Path(folder)
    try:
        found = json.loads((place / _RECORD).read_bytes())
        files = dict(found["files"])
        key = found["key"]
        left, top, right, bottom = key["box"]
        return ClipTruth(
            folder=place,
            clip=place / "truth" / files["clip"],
            lossless=place / "truth" / files["lossless"],
            instruction=found["instruction"],
            target=found["target"],
            frames=found["frames"],
            times=tuple(found["times"]),
            shots=tuple(Span(start, stop) for start, stop in found["cuts"]),
            key=key["frame"],
            key_time=key["time"],
            box=(left, top, right, bottom),
            hidden=tuple(found["hidden"]),
            _motion=_read_motion(place / "truth" / files["motion"]),
            _files=files,
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidInput(
            f"{place} holds no readable truth about a clip",
            hint=f"Write one: insitu pocket clip -o {place}",
        ) from error


def _read_motion(path: Path) -> _Motion:
    with np.load(path) as stored:
        content: dict[str, Any] = {name: stored[name] for name in stored.files}
    points = content["points"]
    count = points.shape[0] * points.shape[1]
    seen = np.unpackbits(content["seen"], axis=1, count=count).astype(bool)
    width, height = content["size"].tolist()
    return _Motion(
        corner=content["corner"],
        points=points,
        poses=content["poses"],
        seen=seen.reshape(-1, *points.shape[:2]),
        focal=float(content["focal"]),
        size=(width, height),
    )


def _png(path: Path, way: int) -> np.ndarray:
    try:
        read = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), way)
    except (OSError, cv2.error) as error:
        raise InvalidInput(f"{path} cannot be read", hint="Write the clip anew.") from error
    if read is None:
        raise InvalidInput(f"{path} is no picture", hint="Write the clip anew.")
    return read


def _rgb(path: Path) -> Picture:
    return np.ascontiguousarray(_png(path, cv2.IMREAD_COLOR)[..., ::-1])
