"""A kept picture comes back as it was, or not at all."""

from __future__ import annotations

import contextlib
import os
import resource
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from image_core.errors import IntegrityError, InvalidInput
from nerf.picture_store import PictureStore, name_of


def _picture(seed: int = 0, shape: tuple[int, ...] = (24, 31, 3)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def _file(store: PictureStore, name: str) -> Path:
    return store.folder / f"{name}.png"


@contextlib.contextmanager
def _files_end_at(size: int) -> Iterator[None]:
    """No file may grow beyond ``size`` bytes, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("shape", [(24, 31, 3), (24, 31), (1, 1), (1, 1, 3), (3, 3)])
def test_a_picture_comes_back_with_the_same_shape_and_samples(
    tmp_path: Path, shape: tuple[int, ...]
) -> None:
    store = PictureStore(tmp_path / "edits")
    picture = _picture(1, shape)
    name = store.put(picture)
    again = PictureStore(tmp_path / "edits").get(name)
    assert again.shape == shape
    assert again.dtype == np.uint8
    np.testing.assert_array_equal(again, picture)
    assert name in store


def test_the_same_content_has_the_same_name_and_is_written_once(tmp_path: Path) -> None:
    store = PictureStore(tmp_path)
    picture = _picture()
    name = store.put(picture)
    before = _file(store, name).stat()
    # another layout in memory, the same samples
    assert store.put(np.asfortranarray(picture)) == name
    after = _file(store, name).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert [path.name for path in tmp_path.iterdir()] == [f"{name}.png"]


def test_another_shape_with_the_same_samples_has_another_name() -> None:
    flat = _picture(2, (6, 12))
    names = {name_of(flat), name_of(flat.reshape(12, 6)), name_of(flat.reshape(6, 4, 3))}
    assert len(names) == 3


@pytest.mark.parametrize("shape", [(4, 4, 4), (4, 4, 1), (0, 4, 3), (2, 4, 4, 3)])
def test_arrays_that_are_no_grey_or_rgb_picture_are_refused(
    tmp_path: Path, shape: tuple[int, ...]
) -> None:
    with pytest.raises(InvalidInput, match="shape"):
        PictureStore(tmp_path).put(np.zeros(shape, np.uint8))
    assert not list(tmp_path.iterdir())


def test_every_flipped_byte_is_noticed(tmp_path: Path) -> None:
    store = PictureStore(tmp_path)
    name = store.put(_picture(3, (5, 6, 3)))
    whole = _file(store, name).read_bytes()
    for place in range(len(whole)):
        broken = bytearray(whole)
        broken[place] ^= 0x41
        _file(store, name).write_bytes(bytes(broken))
        with pytest.raises(IntegrityError, match=name) as caught:
            store.get(name)
        assert caught.value.hint


def test_a_cut_off_file_is_noticed_at_every_length(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    store = PictureStore(tmp_path)
    name = store.put(_picture(4, (5, 6, 3)))
    whole = _file(store, name).read_bytes()
    for length in range(len(whole)):
        _file(store, name).write_bytes(whole[:length])
        with pytest.raises(IntegrityError, match=name) as caught:
            store.get(name, hint="Go back a step.")
        assert caught.value.hint == "Go back a step."
    assert capfd.readouterr() == ("", "")


def test_swapped_files_are_noticed(tmp_path: Path) -> None:
    store = PictureStore(tmp_path)
    one, two = store.put(_picture(5)), store.put(_picture(6))
    _file(store, one).rename(tmp_path / "aside")
    _file(store, two).rename(_file(store, one))
    (tmp_path / "aside").rename(_file(store, two))
    for name in (one, two):
        with pytest.raises(IntegrityError, match="does not hold"):
            store.get(name)


def test_a_damaged_file_is_replaced_when_its_picture_is_put_again(tmp_path: Path) -> None:
    store = PictureStore(tmp_path)
    name = store.put(_picture(7))
    _file(store, name).write_bytes(b"torn")
    assert store.put(_picture(7)) == name
    np.testing.assert_array_equal(store.get(name), _picture(7))


def test_a_missing_picture_says_which_and_what_to_do(tmp_path: Path) -> None:
    store = PictureStore(tmp_path)
    with pytest.raises(InvalidInput, match="0" * 32) as caught:
        store.get("0" * 32)
    assert caught.value.hint
    assert "0" * 32 not in store


@pytest.mark.parametrize("name", ["", "../secret", "A" * 32, "0" * 31, "0" * 32 + "\n"])
def test_a_name_leads_to_no_file_outside(tmp_path: Path, name: str) -> None:
    store = PictureStore(tmp_path / "edits")
    assert name not in store
    with pytest.raises(InvalidInput, match="not the name"):
        store.get(name)


def test_adopted_pictures_share_their_space_and_outlive_their_source(tmp_path: Path) -> None:
    source, store = PictureStore(tmp_path / "a"), PictureStore(tmp_path / "b")
    names = [source.put(_picture(seed)) for seed in range(3)]
    store.adopt(source, names[:2])
    assert _file(store, names[0]).samefile(_file(source, names[0]))
    assert names[2] not in store
    store.adopt(source, names[:2])  # they are there by now
    source.keep_only([])
    np.testing.assert_array_equal(store.get(names[1]), _picture(1))


def test_adoption_refuses_what_is_damaged_and_mends_its_own(tmp_path: Path) -> None:
    source, store = PictureStore(tmp_path / "a"), PictureStore(tmp_path / "b")
    name = source.put(_picture())
    store.put(_picture())
    _file(store, name).write_bytes(b"torn")
    store.adopt(source, [name])
    np.testing.assert_array_equal(store.get(name), _picture())
    _file(source, name).write_bytes(b"torn")
    with pytest.raises(IntegrityError):
        PictureStore(tmp_path / "c").adopt(source, [name])
    assert name not in PictureStore(tmp_path / "c")


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="needs a second file system")
def test_adoption_copies_where_no_link_can_be_made(tmp_path: Path) -> None:
    import tempfile

    with tempfile.TemporaryDirectory(dir="/dev/shm") as elsewhere:
        if os.stat(elsewhere).st_dev == os.stat(tmp_path).st_dev:
            pytest.skip("it is the same file system")
        source, store = PictureStore(Path(elsewhere)), PictureStore(tmp_path)
        name = source.put(_picture())
        store.adopt(source, [name])
    np.testing.assert_array_equal(store.get(name), _picture())


def test_only_pictures_of_the_store_are_cleared_away(tmp_path: Path) -> None:
    store = PictureStore(tmp_path)
    kept, gone = store.put(_picture(1)), store.put(_picture(2))
    foreign = {"notes.txt", "preview.png", f"{gone}.json"}
    for name in foreign:
        (tmp_path / name).write_bytes(b"mine")
    store.keep_only([kept])
    assert {path.name for path in tmp_path.iterdir()} == foreign | {f"{kept}.png"}
    PictureStore(tmp_path / "none").keep_only([])  # nothing there, nothing to do


def test_a_full_disk_leaves_nothing_torn(tmp_path: Path) -> None:
    store = PictureStore(tmp_path / "edits")
    name = store.put(_picture(1, (8, 8)))
    with pytest.raises(InvalidInput, match=str(tmp_path / "edits")) as caught, _files_end_at(2000):
        store.put(_picture(2, (64, 64, 3)))
    assert caught.value.hint
    assert [path.name for path in store.folder.iterdir()] == [f"{name}.png"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InvalidInput, match="file"):
        PictureStore(tmp_path / "file" / "edits").put(_picture())
