"""A cache on disk, addressed by content and bounded in size.

It lies in ``INSITU_CACHE``, else ``XDG_CACHE_HOME/insitu``, else ``~/.cache/insitu``. An entry is
written to a temporary name and renamed, so that a torn one is never read; what cannot be written
(a full disk, a folder of someone else) is left out, since everything here can be made again.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

_LOG = logging.getLogger("insitu.cache")
_NEW = ".new-"  # how the names of files begin that are being written
_TORN = 3600  # seconds after which such a file is taken for left behind


def cache_root() -> Path:
    """Return the folder under which all caches lie; it need not exist."""
    own = os.environ.get("INSITU_CACHE")
    shared = os.environ.get("XDG_CACHE_HOME")
    try:
        if own:
            return Path(own).expanduser()
        return Path(shared or Path.home() / ".cache") / "insitu"
    except RuntimeError:  # a user without a home: nothing can lie under this, so nothing is kept
        return Path(os.devnull) / "insitu"


def content_key(*parts: str | bytes) -> str:
    """Return a hash of the parts, each with its length, so that no two lists collide."""
    digest = hashlib.sha256()
    for part in parts:
        # names of files may hold bytes that are no text
        data = part.encode(errors="surrogatepass") if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.hexdigest()


def folder_size(folder: Path) -> int:
    """Return the bytes of all files below a folder."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.stat(os.path.join(place, name)).st_size
    return total


@dataclass(frozen=True, kw_only=True)
class DiskCache:
    """Entries of one kind.

    Attributes:
        name: The folder under the root.
        limit: Most bytes kept; the entries used longest ago go first.
        suffix: Of its files.
        root: Where it lies; ``cache_root()`` unless given.
    """

    name: str
    limit: int = 2 * 2**30
    suffix: str = ".bin"
    root: Path = field(default_factory=cache_root)

    @property
    def folder(self) -> Path:
        """Its own folder."""
        return self.root / self.name

    def get(self, key: str) -> bytes | None:
        """Return an entry, or None."""
        path = self.folder / (key + self.suffix)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        with contextlib.suppress(OSError):
            os.utime(path)  # used just now
        return data

    def put(self, key: str, data: bytes) -> bool:
        """Keep an entry, and tell whether it could be kept."""
        if len(data) > self.limit:
            _LOG.info("not cached: %d bytes are over the limit of %s", len(data), self.name)
            return False
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=self.folder, prefix=_NEW)
        except OSError as error:
            _LOG.info("not cached: %s", error)
            return False
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            os.replace(temporary, self.folder / (key + self.suffix))
        except OSError as error:
            _LOG.info("not cached: %s", error)
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            return False
        self._prune(keep=key)
        return True

    def _prune(self, keep: str) -> None:
        entries = []
        with contextlib.suppress(OSError):
            for path in self.folder.iterdir():
                with contextlib.suppress(OSError):
                    status = path.stat()
                    if path.name.startswith(_NEW):
                        if status.st_mtime < time.time() - _TORN:
                            path.unlink()  # its writer was killed
                    elif path.name.endswith(self.suffix):
                        may_go = path.name != keep + self.suffix
                        entries.append((may_go, status.st_mtime_ns, status.st_size, path))
        for path in _oldest_over(entries, self.limit):
            with contextlib.suppress(OSError):
                path.unlink()


def _oldest_over(entries: Sequence[tuple[bool, int, int, Path]], limit: int) -> list[Path]:
    """Return the entries that must go, oldest first, for the rest to fit the limit."""
    total = sum(size for _, _, size, _ in entries)
    leaving = []
    for may_go, _, size, path in sorted(entries, key=lambda entry: entry[1]):
        if total <= limit:
            break
        if may_go:
            leaving.append(path)
            total -= size
    return leaving
