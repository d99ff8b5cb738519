"""What all tests share: shape checks at run time, and where the real pictures lie."""

from __future__ import annotations

import os

# networks of miniature size gain nothing from threads, which wait for each other busily
os.environ.setdefault("OMP_NUM_THREADS", "1")

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from jaxtyping import install_import_hook

_HOOK = install_import_hook(["image_core", "nerf", "pocket", "video"], "shape_checks.check")

# how fast a loaded machine draws examples says nothing about the code
settings.register_profile(
    "any machine", suppress_health_check=[HealthCheck.too_slow], deadline=None
)
settings.load_profile("any machine")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real test pictures; a test that asks for it is skipped where it is missing."""
    root = Path(__file__).resolve().parents[1]
    folder = Path(os.environ.get("INSITU_DATA", root.parent / "shared" / "data"))
    if not (folder / "instructions.json").is_file():
        pytest.skip("the shared test pictures are not here; set INSITU_DATA to their folder")
    return folder
