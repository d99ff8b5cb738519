"""Photos to edit from the command line, and running it in this process."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from skimage import data, io

from insitu.__main__ import main


@dataclass(frozen=True)
class Ran:
    """What a command ended with and printed."""

    code: int
    out: str
    err: str

    @property
    def outcome(self):
        return json.loads(self.out)


@pytest.fixture
def insitu(capsys, tmp_path, monkeypatch):
    """Run ``insitu`` in this process, in a fresh folder, and hold it to its promises on failure."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        before = {path: path.lstat().st_mtime_ns for path in tmp_path.rglob("*")}
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        if code not in (0, 10):
            # nothing new, nothing half written, and the reason in one line
            assert {path: path.lstat().st_mtime_ns for path in tmp_path.rglob("*")} == before
            if code != 2:
                assert captured.err.startswith("insitu: ")
                assert captured.err.count("\n") == 1
                assert "Traceback" not in captured.err
        return Ran(code, captured.out, captured.err)

    return run


@pytest.fixture(scope="session")
def _photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for name in ("astronaut", "rocket", "coffee", "chelsea"):
        io.imsave(folder / f"{name}.png", getattr(data, name)(), check_contrast=False)
    return folder


@pytest.fixture
def photo(_photos, tmp_path):
    """Copy one of scikit-image's photos into the test's folder and return its path."""

    def copy(name="astronaut") -> Path:
        return Path(shutil.copy(_photos / f"{name}.png", tmp_path / f"{name}.png"))

    return copy
