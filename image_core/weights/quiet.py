"""Keeping libraries from drawing progress bars while they load from a local folder."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_bars() -> Iterator[None]:
    """Switch the bars of transformers and diffusers off, where they are imported, and on again."""
    modules = [
        module
        for name in ("transformers.utils.logging", "diffusers.utils.logging")
        if (module := sys.modules.get(name)) is not None and module.is_progress_bar_enabled()
    ]
    for module in modules:
        module.disable_progress_bar()
    try:
        yield
    finally:
        for module in modules:
            module.enable_progress_bar()
