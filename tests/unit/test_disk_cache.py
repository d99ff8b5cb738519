"""The cache keeps what it can, loses what it must, and never stops an edit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_core.disk_cache import DiskCache, cache_root, content_key


@pytest.fixture
def cache(tmp_path: Path) -> DiskCache:
    return DiskCache(name="things", root=tmp_path)


def names(cache: DiskCache) -> list[str]:
    return sorted(path.name for path in cache.folder.iterdir())


def aged(cache: DiskCache, key: str, seconds: int) -> None:
    path = cache.folder / (key + cache.suffix)
    then = path.stat().st_mtime - seconds
    os.utime(path, (then, then))


def test_what_was_put_is_got_and_nothing_else_is(cache: DiskCache) -> None:
    assert cache.get("a") is None
    assert cache.put("a", b"\0one")
    assert cache.put("empty", b"")
    assert (cache.get("a"), cache.get("empty"), cache.get("b")) == (b"\0one", b"", None)


def test_putting_again_replaces_and_leaves_no_temporary_file(cache: DiskCache) -> None:
    cache.put("a", b"one")
    cache.put("a", b"two")
    assert cache.get("a") == b"two"
    assert names(cache) == ["a.bin"]


def test_the_entry_used_longest_ago_goes_first(tmp_path: Path) -> None:
    cache = DiskCache(name="things", root=tmp_path, limit=10)
    for age, key in enumerate(["c", "b", "a"]):
        cache.put(key, b"123")
        aged(cache, key, 100 + age)
    assert cache.get("a") == b"123"  # the oldest, but used just now
    cache.put("d", b"123")
    assert names(cache) == ["a.bin", "c.bin", "d.bin"]


@pytest.mark.parametrize("suffix", [".bin", ".tar.gz", ".npy"])
def test_the_entry_that_was_just_put_is_never_the_one_that_goes(
    tmp_path: Path, suffix: str
) -> None:
    cache = DiskCache(name="things", root=tmp_path, limit=5, suffix=suffix)
    cache.put("old", b"12345")
    aged(cache, "old", -100)  # a clock that was set back
    cache.put("new", b"12345")
    assert names(cache) == ["new" + suffix]


def test_an_entry_over_the_limit_is_not_kept_and_drives_nothing_out(tmp_path: Path) -> None:
    cache = DiskCache(name="things", root=tmp_path, limit=5)
    cache.put("small", b"1234")
    assert not cache.put("huge", b"123456")
    assert names(cache) == ["small.bin"]


def test_caches_of_other_names_and_files_of_others_are_left_alone(tmp_path: Path) -> None:
    one, other = (DiskCache(name=name, root=tmp_path, limit=4) for name in ("one", "other"))
    other.put("a", b"1234")
    one.folder.mkdir()
    (one.folder / "readme.txt").write_text("mine, and long")
    one.put("a", b"1234")
    one.put("b", b"1234")
    assert other.get("a") == b"1234"
    assert names(one) == ["b.bin", "readme.txt"]


def test_what_a_killed_writer_left_is_swept_and_what_is_being_written_is_not(
    cache: DiskCache,
) -> None:
    cache.put("a", b"1")
    for name, age in ((".new-old", 7200), (".new-young", 0)):
        path = cache.folder / name
        path.write_bytes(b"half")
        os.utime(path, (path.stat().st_mtime - age,) * 2)
    cache.put("b", b"2")
    assert names(cache) == [".new-young", "a.bin", "b.bin"]


def test_a_root_that_is_a_file_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    cache = DiskCache(name="things", root=tmp_path / "file")
    assert not cache.put("a", b"1")
    assert cache.get("a") is None


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become an unprivileged user")
def test_a_folder_of_someone_else_is_no_error(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        folder.chmod(0o755)
    DiskCache(name="things", root=tmp_path).put("a", b"1")
    code = (
        "import os; from image_core.disk_cache import DiskCache; os.setuid(65534); "
        f"cache = DiskCache(name='things', root=__import__('pathlib').Path({str(tmp_path)!r})); "
        "print(cache.put('b', b'2'), cache.get('b'))"
    )
    ran = in_child(code)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split() == ["False", "None"]


def in_child(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    # -B: a child that may not write whole files must not leave torn bytecode in the environment
    return subprocess.run(
        [sys.executable, "-B", "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **environment},
    )


def test_a_full_disk_is_no_error_and_keeps_the_entry_that_was_there(tmp_path: Path) -> None:
    ran = in_child(
        "import resource; from image_core.disk_cache import DiskCache; "
        "cache = DiskCache(name='things'); cache.put('a', b'old'); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY)); "
        "print(cache.put('a', bytes(5000)), cache.get('a'))",
        INSITU_CACHE=str(tmp_path),
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == "False b'old'"
    assert names(DiskCache(name="things", root=tmp_path)) == ["a.bin"]


def test_two_processes_may_write_read_and_evict_at_once(tmp_path: Path) -> None:
    code = (
        "import sys; from image_core.disk_cache import DiskCache\n"
        "cache = DiskCache(name='things', limit=30_000)\n"
        "torn = 0\n"
        "for turn in range(150):\n"
        "    key = str(turn % 7)\n"
        "    cache.put(key, bytes([turn % 7]) * 5000)\n"
        "    found = cache.get(str((turn + 3) % 7))\n"
        "    torn += found not in (None, bytes([(turn + 3) % 7]) * 5000)\n"
        "print(torn)"
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-B", "-c", code],
            env={**os.environ, "INSITU_CACHE": str(tmp_path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for child in running:
        out, err = child.communicate(timeout=60)
        assert child.returncode == 0, err
        assert out.strip() == "0"
    left = list((tmp_path / "things").iterdir())
    assert all(path.suffix == ".bin" for path in left)
    assert sum(path.stat().st_size for path in left) <= 30_000


def test_it_lies_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("INSITU_CACHE", raising=False)
    assert cache_root() == Path("/home/someone/.cache/insitu")
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert cache_root() == Path("/caches/insitu")
    monkeypatch.setenv("INSITU_CACHE", "~/mine")
    assert cache_root() == Path("/home/someone/mine")
    assert DiskCache(name="things").folder == Path("/home/someone/mine/things")


def test_a_user_without_a_home_has_no_cache_and_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("INSITU_CACHE", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    cache = DiskCache(name="things")
    assert not cache.put("a", b"1")
    assert cache.get("a") is None


def test_keys_tell_lists_apart_that_join_to_the_same_text() -> None:
    lists = [("ab", "c"), ("a", "bc"), ("abc",), ("abc", ""), ("", "abc"), ("a", "b", "c"), ()]
    assert len({content_key(*parts) for parts in lists}) == len(lists)


@given(st.lists(st.binary(max_size=4), max_size=4), st.lists(st.binary(max_size=4), max_size=4))
def test_keys_are_equal_only_for_equal_lists(first: list[bytes], second: list[bytes]) -> None:
    assert (content_key(*first) == content_key(*second)) == (first == second)


def test_names_of_files_that_are_no_text_can_be_part_of_a_key() -> None:
    odd = os.fsdecode(b"/models/\xff\xfe")
    assert content_key(odd) != content_key(os.fsdecode(b"/models/\xff\xfd"))


def test_a_key_is_the_same_in_every_process() -> None:
    ran = in_child("from image_core.disk_cache import content_key; print(content_key('a', b'b'))")
    assert ran.stdout.strip() == content_key("a", b"b")
