"""Flows of a clip, each measured once and kept in a file of its own."""

from __future__ import annotations

import hashlib
import zlib
from pathlib import Path

import numpy as np
from jaxtyping import Int16

from image_core.disk_cache import content_key
from image_core.errors import InvalidInput
from image_core.photo.atomic import write_atomically
from video.flow import FlowEstimator, check_sizes, paired
from video.flow_types import PairFlow
from video.frames import Frames, Picture, Span
from video.warping import Field

STEPS = 64
"""Steps to a pixel in which flows are kept: they are off by 1/128 px at most, and reach 511 px."""

_FORMAT = b"insitu flow 1\n"
_DIGEST = 32  # bytes
_EFFORT = 1  # of zlib: next to measuring it is free, and more saves next to nothing
_LARGEST = np.iinfo(np.int16).max


class FlowStore:
    """The flows between neighbouring frames, measured when first asked for.

    What is given back is always what the file holds: a run that goes on from stored flows sees the
    same bits as the one that measured them. A torn or foreign file is measured anew.
    """

    def __init__(
        self, folder: Path, frames: Frames, estimator: FlowEstimator, *, kept: int = 4
    ) -> None:
        """Take where the files lie and what is measured.

        Args:
            folder: One per clip; it is made when it is first written to.
            frames: At the size at which flow is measured.
            estimator: Its name and the frames' size are part of what a file must agree with.
            kept: How many pairs stay in memory.
        """
        self._folder, self._frames, self._estimator, self._kept = folder, frames, estimator, kept
        self._pairs: dict[int, PairFlow] = {}

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the pictures that the flows are measured on."""
        return self._frames.size

    def pair(self, index: int) -> PairFlow:
        """Return the flow between a frame and the next one.

        Raises:
            InvalidInput: There is no such frame, or no next one; or the file can't be written.
        """
        if not 0 <= index < len(self._frames) - 1:
            raise InvalidInput(f"a clip of {len(self._frames)} frames has no flow from {index}")
        if index in self._pairs:
            self._pairs[index] = self._pairs.pop(index)  # used last
            return self._pairs[index]
        found = self._read(index) or self._measured(index)
        while len(self._pairs) >= self._kept:
            del self._pairs[next(iter(self._pairs))]
        self._pairs[index] = paired(*found)
        return self._pairs[index]

    def missing(self, span: Span) -> list[int]:
        """Return the frames of a stretch whose flow to the next one is still to be measured."""
        return [i for i in range(span.start, span.stop - 1) if not self._is_kept(i)]

    def path(self, index: int) -> Path:
        """Return the file of the flow between a frame and the next one."""
        return self._folder / f"{index:06d}.flow"

    def _key(self, index: int) -> bytes:
        width, height = self.size
        return bytes.fromhex(content_key(self._estimator.name, f"{width}x{height}", str(index)))

    def _is_kept(self, index: int) -> bool:
        wanted = _FORMAT + self._key(index)
        try:
            with self.path(index).open("rb") as file:
                return file.read(len(wanted)) == wanted
        except OSError:
            return False

    def _read(self, index: int) -> tuple[Field, Field] | None:
        try:
            data = self.path(index).read_bytes()
        except OSError:
            return None
        return unpacked(data, self._key(index), self.size)

    def _measured(self, index: int) -> tuple[Field, Field]:
        first, second = self._picture(index), self._picture(index + 1)
        check_sizes(first, second)
        flows = self._estimator.flow(first, second), self._estimator.flow(second, first)
        data = packed(*flows, self._key(index))
        self._folder.mkdir(parents=True, exist_ok=True)
        write_atomically(self.path(index), data)
        return in_steps(flows[0]), in_steps(flows[1])

    def _picture(self, index: int) -> Picture:
        return self._frames.rgb(index)


def _fixed(flow: Field) -> Int16[np.ndarray, "_ _ 2"]:
    """Return a flow in whole steps; what is not finite becomes no motion."""
    steps = np.rint(np.nan_to_num(flow, posinf=0, neginf=0) * STEPS)
    return np.asarray(np.clip(steps, -_LARGEST, _LARGEST), "<i2")


def in_steps(flow: Field) -> Field:
    """Round a flow as keeping it does."""
    return np.asarray(_fixed(flow) / np.float32(STEPS), np.float32)


def packed(forward: Field, backward: Field, key: bytes) -> bytes:
    """Return what a file holds: the format, its key, a digest of the rest, the flows."""
    steps = np.stack((_fixed(forward), _fixed(backward)))
    # neighbours move alike: differences along a row are small, and so is their file
    steps[:, :, 1:] -= steps[:, :, :-1].copy()
    body = zlib.compress(steps.tobytes(), _EFFORT)
    return _FORMAT + key + hashlib.sha256(body).digest() + body


def unpacked(data: bytes, key: bytes, size: tuple[int, int]) -> tuple[Field, Field] | None:
    """Read what ``packed`` made; None where it is torn, or holds something else."""
    start = _FORMAT + key
    body = data[len(start) + _DIGEST :]
    whole = data[: len(start) + _DIGEST] == start + hashlib.sha256(body).digest()
    if not whole:
        return None
    width, height = size
    steps = np.frombuffer(zlib.decompress(body), "<i2").reshape(2, height, width, 2)
    flows = np.cumsum(steps, axis=2, dtype=np.int16).astype(np.float32) / STEPS
    return np.ascontiguousarray(flows[0]), np.ascontiguousarray(flows[1])
