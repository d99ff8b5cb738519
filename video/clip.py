"""A clip to read: quick RGB frames to search in, and the exact stream to edit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType

from image_core.errors import InvalidInput
from video.clip_info import ClipInfo
from video.colour_planes import to_rgb
from video.colour_tags import ColourModel
from video.frames import Picture
from video.planes import Planes
from video.quick_reader import QuickReader, quick_reader

_MEMORY = 128 << 20  # bytes of pictures kept around the last ones asked for
_FEWEST, _MOST = 4, 64  # how many that may be


@dataclass(frozen=True, kw_only=True, eq=False)
class ExactFrame:
    """A frame as it is stored, and the same frame in RGB.

    Attributes:
        index: Its number.
        planes: Its own samples, upright.
        colour: What the clip's colour tags mean.
    """

    index: int
    planes: Planes
    colour: ColourModel

    @cached_property
    def rgb(self) -> Picture:
        """The frame in 8 bit RGB, made of these very samples: what an edit starts from."""
        return to_rgb(self.planes, self.colour)


class Clip:
    """The frames of a clip.

    ``rgb`` is for searching and measuring: quick random access, and up to a few grey levels off
    where decord's rounding differs. ``planes`` is the truth that edits and outputs are made of.
    """

    def __init__(self, info: ClipInfo) -> None:
        """Take a measured clip; nothing is opened before the first frame is asked for."""
        self.info = info
        width, height = info.size
        self._room = min(max(_FEWEST, _MEMORY // (3 * width * height)), _MOST)
        self._kept: dict[int, Picture] = {}
        self._forward: Iterator[ExactFrame] | None = None
        self._next = 0

    @classmethod
    def open(cls, path: str | Path, *, progress: Callable[[float], None] | None = None) -> Clip:
        """Measure a clip and open it: a video file, a GIF, a folder or a glob of pictures.

        Raises:
            InvalidInput: It can't be read as a whole, or is of a kind that isn't taken.
        """
        from video.probe import probe

        return cls(probe(path, progress=progress))

    def __enter__(self) -> Clip:
        """Return the clip."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Let go of files and memory; the clip can still be read, and opens them again."""
        self._kept.clear()
        self._forward = None
        self.__dict__.pop("_quick", None)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of an upright frame."""
        return self.info.size

    def __len__(self) -> int:
        """Return how many frames there are."""
        return len(self.info)

    def rgb(self, index: int) -> Picture:
        """Return an upright frame in 8 bit RGB.

        Raises:
            IndexError: There is no such frame.
        """
        if not 0 <= index < len(self):
            raise IndexError(f"there is no frame {index}; the clip has {len(self)}")
        if index not in self._kept:
            return self._keep(
                index, self._quick.picture(index) if self._quick else self._exact(index)
            )
        return self._kept[index]

    def _keep(self, index: int, picture: Picture) -> Picture:
        while len(self._kept) >= self._room:
            del self._kept[next(iter(self._kept))]
        self._kept[index] = picture
        return picture

    def planes(self, start: int = 0, stop: int | None = None) -> Iterator[ExactFrame]:
        """Go through frames in order, exactly as stored; only a few are in memory at a time.

        Raises:
            InvalidInput: The file isn't any more what it was when it was measured.
        """
        stop = len(self) if stop is None else stop
        if not 0 <= start <= stop <= len(self):
            raise IndexError(f"no frames {start} to {stop}; the clip has {len(self)}")
        if start == stop:
            return
        if self.info.container == "stream":
            from video.stream_reader import read_planes
        else:
            from video.picture_folder import read_planes
        for index, planes in read_planes(self.info, start, stop):
            yield ExactFrame(index=index, planes=planes, colour=self.info.colour)

    @cached_property
    def _quick(self) -> QuickReader | None:
        if self.info.container != "stream":
            return None
        middle = len(self) // 2
        checks = {index: self._exact(index) for index in sorted({0, middle})}
        return quick_reader(self.info, checks)

    def _exact(self, index: int) -> Picture:
        """Read one frame exactly; going on from the last one is cheap.

        A step back decodes from a key frame on, so several frames before it are read at once.
        """
        if self._forward is None or not self._next <= index < self._next + self._room:
            going_back = self._forward is not None and self._next - self._room <= index
            first = max(0, index - self._room // 2) if going_back else index
            self._forward, self._next = self.planes(first), first
            for frame in self._forward:
                self._next = frame.index + 1
                if frame.index == index:
                    return frame.rgb
                self._keep(frame.index, frame.rgb)
        for frame in self._forward:
            self._next = frame.index + 1
            if frame.index == index:
                return frame.rgb
        raise InvalidInput(f"{self.info.path} has no frame {index} any more")
