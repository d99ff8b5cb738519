"""The README and the docs say what really happens: their commands and examples are run.

A ``console`` block holds commands after ``$`` and what they print; ``...`` stands for what differs
from run to run (seconds). A ``python`` block is run; with ``file=NAME`` it is written there
instead. All blocks of a page run in one folder, in order; ``make demo`` has left its pictures
there.
"""

from __future__ import annotations

import doctest
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
BLOCK = re.compile(r"^```(console|python)([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def demo_output(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "demo_output"
    subprocess.run([sys.executable, "-m", "insitu", "demo", "-o", folder], check=True)
    return folder


def _environment():
    scripts = str(Path(sys.executable).parent)
    return {**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"}


def _run_console(text, folder):
    commands = re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]
    for entry in commands:
        command, _, expected = entry.partition("\n")
        while command.endswith("\\"):
            more, _, expected = expected.partition("\n")
            command = command[:-1] + more
        done = subprocess.run(
            command, shell=True, cwd=folder, env=_environment(), capture_output=True, text=True
        )
        printed = done.stdout + done.stderr
        same = doctest.OutputChecker().check_output(expected, printed, doctest.ELLIPSIS)
        assert same, f"$ {command}\nexpected:\n{expected}\nprinted:\n{printed}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_examples_on_this_page_do_what_it_says(page, demo_output, tmp_path):
    shutil.copytree(demo_output, tmp_path / "demo_output")
    for language, info, text in BLOCK.findall(page.read_text()):
        if language == "console":
            _run_console(text, tmp_path)
        elif "file=" in info:
            (tmp_path / info.split("file=")[1].strip()).write_text(text)
        else:
            subprocess.run(
                [sys.executable, "-c", text], cwd=tmp_path, env=_environment(), check=True
            )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_on_this_page_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)#]+)", page.read_text()):
        if not link.startswith("http"):
            assert (page.parent / link).exists(), f"{page.name}: {link}"
