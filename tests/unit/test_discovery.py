"""Names lead to parts; what is wrong with a name or an option is said in a typed error."""

from __future__ import annotations

import pytest

from image_core import discovery
from image_core.errors import InvalidInput, UnsupportedEdit

PLUGIN = """
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from image_core import Capabilities

@dataclass(frozen=True, kw_only=True)
class Mine:
    size: int = 3
    share: float | None = None
    soft: bool = False
    mode: Literal["a", "b"] = "a"
    file: Path | None = None
    capabilities = Capabilities(kinds=frozenset({"filter"}))

    def prepare(self, step, reference):
        raise AssertionError("not prepared here")

class NoEditor:
    pass
"""


@pytest.fixture
def plugin(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(PLUGIN)
    return path


@pytest.mark.parametrize("seam", ["instructions", "grounding", "segmentation", "editors"])
def test_every_built_in_name_builds_a_part(seam):
    for name in discovery.names(seam):
        assert discovery.build(seam, name) is not None


def test_options_become_the_fields_types(plugin):
    options = ["size=7", "share=0.5", "soft=yes", "mode=b", "file=x/y.png"]
    made = discovery.build("editors", f"{plugin}:Mine", options)
    assert (made.size, made.share, made.soft, made.mode) == (7, 0.5, True, "b")
    assert made.file.name == "y.png"
    assert discovery.build("editors", f"{plugin}:Mine", ["share=none"]).share is None


@pytest.mark.parametrize(
    "option", ["size=big", "soft=perhaps", "mode=c", "share=x", "nonsense", "=3"]
)
def test_a_value_of_the_wrong_type_is_invalid_input(plugin, option):
    with pytest.raises(InvalidInput):
        discovery.build("editors", f"{plugin}:Mine", [option])


def test_an_option_it_has_not_got_names_those_that_it_has(plugin):
    with pytest.raises(UnsupportedEdit) as caught:
        discovery.build("editors", f"{plugin}:Mine", ["sise=3"])
    assert "size" in caught.value.hint


def test_loading_a_file_leaves_nothing_beside_it(plugin, monkeypatch):
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    discovery.build("editors", f"{plugin}:Mine")
    assert list(plugin.parent.iterdir()) == [plugin]


@pytest.mark.parametrize("name", ["nobody", "missing.py:Mine", "", "classic.py"])
def test_unknown_names_are_invalid_input(name):
    with pytest.raises(InvalidInput):
        discovery.build("editors", name)


def test_a_file_without_the_class_or_that_breaks_is_invalid_input(plugin, tmp_path):
    broken = tmp_path / "broken.py"
    broken.write_text("raise RuntimeError('boom')")
    for name in (f"{plugin}:Yours", f"{broken}:Mine", f"{plugin}:NoEditor"):
        with pytest.raises(InvalidInput):
            discovery.build("editors", name)


def test_lazy_parts_are_made_once_and_only_when_asked_for(plugin):
    parts = discovery.Lazy("editors", [f"{plugin}:Mine", "missing.py:Mine"])
    first, second = list(parts)
    assert parts[first] is parts[first]
    with pytest.raises(InvalidInput):
        parts[second]
    with pytest.raises(KeyError):
        parts["classic"]
