"""Which optional parts of the installation a command needs."""

from __future__ import annotations

import importlib.util

from image_core.errors import MissingWeights


def need_extra(extra: str, *modules: str) -> None:
    """Refuse to go on when an extra's modules are not installed.

    Raises:
        MissingWeights: It names the extra.
    """
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingWeights(
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed",
            hint=f"Install the extra: pip install 'insitu[{extra}]', or make setup.",
        )
