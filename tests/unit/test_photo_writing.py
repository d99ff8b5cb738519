"""Where and how a file is written, and what is left when it cannot be."""

from __future__ import annotations

import contextlib
import os
import resource
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from photo_files import RGB, SOURCES, edited
from PIL import Image

from image_core.errors import InvalidInput
from image_core.photo import Photo, write_atomically


def _photo(folder: Path, name: str = "rgb8.png") -> Photo:
    path = folder / name
    path.write_bytes(SOURCES[name]())
    return edited(Photo.open(path))[0]


@pytest.fixture(autouse=True)
def no_bytecode(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under the limit Python would leave torn bytecode in the environment."""
    monkeypatch.setattr("sys.dont_write_bytecode", True)


def _names(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()}


@contextlib.contextmanager
def _files_end_at(size: int) -> Iterator[None]:
    """No file may grow beyond ``size`` bytes, as on a full disk; only around the call itself.

    pytest's own output may be a file too.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("suffix", ["png", "tif", "webp", "jpg"])
def test_a_full_disk_leaves_nothing_behind(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    photo = _photo(tmp_path, "photo.jpg")
    before = _names(tmp_path)
    with pytest.raises(InvalidInput) as caught, _files_end_at(2000):
        photo.save(tmp_path / f"out.{suffix}")
    assert caught.value.hint
    assert _names(tmp_path) == before
    assert _names(temporary) == set()


def test_what_was_there_stays_when_writing_fails(tmp_path: Path) -> None:
    photo = _photo(tmp_path)
    output = tmp_path / "out.png"
    output.write_bytes(b"precious")
    with pytest.raises(InvalidInput), _files_end_at(1000):
        photo.save(output)
    assert output.read_bytes() == b"precious"
    assert _names(tmp_path) == {"rgb8.png", "out.png"}


def test_an_interruption_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "out.bin", b"x" * 1000)
    assert _names(tmp_path) == set()


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="folder"):
        _photo(tmp_path).save(tmp_path / "no" / "out.png")


def test_a_folder_or_a_special_file_in_the_way_is_refused(tmp_path: Path) -> None:
    photo = _photo(tmp_path)
    (tmp_path / "folder.png").mkdir()
    os.mkfifo(tmp_path / "pipe.png")
    for name in ("folder.png", "pipe.png"):
        with pytest.raises(InvalidInput):
            photo.save(tmp_path / name)
    assert stat.S_ISFIFO(os.stat(tmp_path / "pipe.png").st_mode)
    with pytest.raises(InvalidInput):
        write_atomically("/dev/null", b"x")


def test_odd_names_are_refused(tmp_path: Path) -> None:
    photo = _photo(tmp_path)
    before = _names(tmp_path)
    for name in ("out", "out.gif", "out.bmp", "out.png.", "nul\0.png", "x" * 300 + ".png"):
        with pytest.raises(InvalidInput):
            photo.save(tmp_path / name)
    assert _names(tmp_path) == before


def test_a_long_name_that_the_disk_takes_is_taken(tmp_path: Path) -> None:
    name = "x" * 251 + ".png"
    _photo(tmp_path).save(tmp_path / name)
    assert name in _names(tmp_path)


def test_the_source_is_never_written_over_by_any_name(tmp_path: Path) -> None:
    photo = _photo(tmp_path)
    source = tmp_path / "rgb8.png"
    before = source.read_bytes()
    (tmp_path / "symbolic.png").symlink_to(source)
    os.link(source, tmp_path / "hard.png")
    (tmp_path / "sub").mkdir()
    for name in ("rgb8.png", "symbolic.png", "hard.png", "sub/../rgb8.png"):
        with pytest.raises(InvalidInput, match="source"):
            photo.save(tmp_path / name)
    assert source.read_bytes() == before


def test_an_existing_file_is_replaced_and_keeps_its_permissions(tmp_path: Path) -> None:
    output = tmp_path / "out.png"
    output.write_bytes(b"old")
    output.chmod(0o640)
    _photo(tmp_path).save(output)
    assert stat.S_IMODE(output.stat().st_mode) == 0o640
    assert Image.open(output).size == RGB.shape[1::-1]


def test_a_new_file_gets_what_the_umask_gives(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "new.bin", b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new.bin").stat().st_mode) == 0o640


def test_a_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "real.png").write_bytes(b"old")
    (tmp_path / "link.png").symlink_to(tmp_path / "real.png")
    _photo(tmp_path).save(tmp_path / "link.png")
    assert (tmp_path / "link.png").is_symlink()
    assert Image.open(tmp_path / "real.png").size == RGB.shape[1::-1]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_refused(tmp_path: Path) -> None:
    photo = _photo(tmp_path)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    with pytest.raises(InvalidInput, match="permission"):
        photo.save(closed / "out.png")


def test_a_side_too_long_for_webp_is_refused(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((2, 16384, 3), np.uint8)).save(tmp_path / "wide.png")
    with pytest.raises(InvalidInput, match="16383"):
        Photo.open(tmp_path / "wide.png").save(tmp_path / "out.webp")


def test_importing_photo_loads_no_codec() -> None:
    code = (
        "import sys, image_core.photo;"
        "print([m for m in ('imagecodecs', 'tifffile', 'jpeglib', 'PIL') if m in sys.modules])"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True
    )
    assert done.stdout.strip() == "[]"
