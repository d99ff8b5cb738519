"""Alphas on disk, one 8-bit picture a frame, written as they are made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from image_core.compositing import on_8_bit_grid
from image_core.photo import write_atomically
from image_core.types import Mask


@dataclass(frozen=True)
class MaskStore(Mapping[int, Mask]):
    """The alphas of a region in a clip's frames; an empty alpha says that it is not seen there.

    What is read back is what was kept, rounded to 1/255 and never to 0.
    """

    folder: Path

    def keep(self, index: int, alpha: Mask) -> None:
        """Write the alpha of a frame."""
        self.folder.mkdir(parents=True, exist_ok=True)
        levels = np.rint(on_8_bit_grid(alpha) * 255).astype(np.uint8)
        done, data = cv2.imencode(".png", levels, [cv2.IMWRITE_PNG_COMPRESSION, 1])
        assert done
        write_atomically(self._path(index), data.tobytes())

    def __getitem__(self, index: int) -> Mask:
        """Return the alpha of a frame.

        Raises:
            KeyError: There is none, or it cannot be read.
        """
        levels = cv2.imread(str(self._path(index)), cv2.IMREAD_UNCHANGED)
        if levels is None or levels.ndim != 2 or levels.dtype != np.uint8:
            raise KeyError(index)
        return np.asarray(levels / np.float32(255), np.float32)

    def __iter__(self) -> Iterator[int]:
        """Go through the numbers of the frames that are kept."""
        return iter(sorted(int(path.stem) for path in self.folder.glob("[0-9]*.png")))

    def __len__(self) -> int:
        """Return how many frames are kept."""
        return sum(1 for _ in self)

    def __contains__(self, index: object) -> bool:
        """Tell whether a frame's alpha is kept."""
        return isinstance(index, int) and self._path(index).is_file()

    def _path(self, index: int) -> Path:
        return self.folder / f"{index:06d}.png"
