"""Folders that the user registered for models: a small JSON file in the configuration folder.

It lies in ``INSITU_CONFIG``, else ``XDG_CONFIG_HOME/insitu``, else ``~/.config/insitu``.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from pathlib import Path

from image_core.errors import InvalidInput


def config_file() -> Path:
    """Return the file; it need not exist."""
    own = os.environ.get("INSITU_CONFIG")
    if own:
        return Path(own).expanduser() / "models.json"
    shared = os.environ.get("XDG_CONFIG_HOME")
    return Path(shared or Path.home() / ".config") / "insitu" / "models.json"


def registered() -> dict[str, Path]:
    """Return the registered folders by model.

    Raises:
        InvalidInput: The file is there but cannot be read, or is not what we wrote.
    """
    path = config_file()
    try:
        content = json.loads(path.read_text())
        return {str(model): Path(folder) for model, folder in content["models"].items()}
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidInput(
            f"{path} is damaged: it should map models to folders",
            hint="Delete it and register your folders again with insitu models path NAME DIR.",
        ) from error


def register(model: str, folder: Path | None) -> None:
    """Keep a model's folder, or forget it.

    Args:
        model: As ``registered`` returns it.
        folder: None forgets it.

    Raises:
        InvalidInput: The file is damaged or cannot be written.
    """
    entries = registered()
    if folder is None and model not in entries:
        return
    if folder is None:
        del entries[model]
    else:
        entries[model] = folder.resolve()
    _write({"models": {name: str(path) for name, path in sorted(entries.items())}})


def _write(content: object) -> None:
    path = config_file()
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
        with os.fdopen(handle, "w") as file:
            json.dump(content, file, indent=2)
        os.replace(temporary, path)
    except OSError as error:
        if temporary:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
        raise InvalidInput(
            f"{path} cannot be written: {error.strerror}",
            hint="INSITU_CONFIG names another folder for it.",
        ) from error
