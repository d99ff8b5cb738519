"""The editor contract, held over InstructEdit and its presets with miniature networks."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")

from configs.image import InstructEditFast
from image_core import discovery
from image_core.editors.masked_ddim import InstructEditConfig
from image_core.testing import check_editor
from image_core.testing.miniature.stable_diffusion import write_stable_diffusion


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_stable_diffusion(tmp_path_factory.mktemp("sd") / "sd")


def test_instructedit_keeps_the_contract(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INSITU_CACHE", str(tmp_path))
    editor = InstructEditConfig(model=str(folder), steps=4, resolution=32, device="cpu").build()
    check_editor(editor, kinds=["replace"], tolerance=1e-4)


def test_the_presets_are_registered_and_bounded() -> None:
    assert {"instructedit-fast", "instructedit-xl"} <= set(discovery.names("editors"))
    fast = InstructEditFast()
    used = round(fast.steps * fast.build().capabilities.default_strength)
    assert 3 * used <= 25


@pytest.mark.parametrize("name", sorted(discovery.names("editors")))
def test_every_editor_by_name_is_made_without_loading_anything(name: str) -> None:
    editor = discovery.build("editors", name)
    assert editor.capabilities.kinds
    why_not = getattr(editor, "why_not", lambda: "")()
    assert isinstance(why_not, str)
