"""Opening a video file: what is none, or holds no moving pictures, is refused with a reason."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

import av
import av.error
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from image_core.errors import InvalidInput

_CHUNK = 1 << 20
_TEXT = {"tty", "srt", "ass", "webvtt", "microdvd", "aqtitle", "txt"}
"""Formats that ffmpeg takes nearly any text for: subtitles and ANSI art."""
_LISTS = {"hls", "concat", "dash"}
"""Formats that only name other files."""


def file_sha256(path: Path) -> str:
    """Hash a file without holding it.

    Raises:
        InvalidInput: It can't be read, is empty, or is no regular file.
    """
    digest = hashlib.sha256()
    try:
        # without waiting for a writer, should it be a pipe
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise InvalidInput(f"{path} is not a regular file", hint="Name a video file.")
            while block := file.read(_CHUNK):
                digest.update(block)
            if not file.tell():
                raise InvalidInput(f"{path} is empty", hint="Get the file again.")
    except FileNotFoundError as error:
        raise InvalidInput(
            f"cannot read {path}: there is no such file", hint="Check the path."
        ) from error
    except OSError as error:
        raise InvalidInput(
            f"cannot read {path}: {error.strerror or error}", hint="Check the file."
        ) from error
    return digest.hexdigest()


def open_container(path: Path) -> InputContainer:
    """Open a file for reading.

    Raises:
        InvalidInput: It is no video file.
    """
    try:
        # a clip is one file: what it names elsewhere (playlists) isn't fetched
        container = av.open(str(path.absolute()), options={"protocol_whitelist": "file"})
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise InvalidInput(
            f"{path} can't be read as a video: {getattr(error, 'strerror', None) or error}",
            hint="Name a video file (mp4, mov, mkv, webm, avi ...). A file cut off while it was "
            "written may have lost its table of contents: get it again.",
        ) from error
    if _is_text(container):
        container.close()
        raise InvalidInput(f"{path} is not a video file", hint="Name a video file.")
    return container


def _is_text(container: InputContainer) -> bool:
    return bool(set(container.format.name.split(",")) & (_TEXT | _LISTS))


def video_stream(container: InputContainer, path: Path) -> VideoStream:
    """Return the stream that holds the moving pictures.

    Raises:
        InvalidInput: There is none; a cover picture doesn't count.
    """
    if not container.streams:
        raise InvalidInput(
            f"{path} is damaged or cut off: it lists no streams", hint="Get the file again."
        )
    cover = Disposition.attached_pic
    streams = [stream for stream in container.streams.video if not stream.disposition & cover]
    if not streams:
        what = "only sound" if container.streams.audio else "no pictures"
        raise InvalidInput(f"{path} holds {what}", hint="Name a file with a video stream.")
    best = container.streams.best("video")
    return next((stream for stream in streams if stream is best), streams[0])
