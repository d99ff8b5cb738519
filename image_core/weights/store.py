"""From a model's name to the folder that holds its weights."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from image_core.errors import InsituError, InvalidInput, MissingWeights
from image_core.weights.catalogue import entry_of
from image_core.weights.completeness import missing_files, stored_size
from image_core.weights.hub_cache import is_hub_id, snapshot
from image_core.weights.licences import LicenceRecord
from image_core.weights.quiet import without_bars
from image_core.weights.registry import registered

_LOG = logging.getLogger("insitu.weights")
_MOSTLY = 0.95  # of a network's tensors must come from the file; a few are made, not stored


def folder_of(model: str) -> Path:
    """Return the local folder of a model, complete; never downloads.

    Args:
        model: A name of the catalogue, a hub id (``owner/name``) or a folder. A folder registered
            by ``insitu models path`` comes before the hub's cache.

    Raises:
        MissingWeights: It is not on this machine, or files are missing; the hint is the command
            that gets it.
        InvalidInput: The file of registered folders is damaged.
    """
    entry = entry_of(model)
    name = key_of(model)
    folder = registered().get(name)
    again = f"Register it anew: insitu models path {name} DIR, or insitu models pull {name}"
    if folder is None:
        again = _how_to_get(model)
        if entry is None and Path(model).expanduser().is_dir():
            folder = Path(model).expanduser()
            again = "Give a folder that a model was saved to, with all its files."
        else:
            hub_id = entry.hub_id if entry else model
            folder = snapshot(hub_id) if is_hub_id(hub_id) else None
    if folder is None:
        raise MissingWeights(f"the weights of {model} are not on this machine", hint=again)
    lacking = missing_in(folder, model)
    if lacking:
        raise MissingWeights(
            f"the weights of {model} in {folder} are not complete: {_list(lacking)} missing",
            hint=again,
        )
    return folder


def key_of(model: str) -> str:
    """Return the name under which a model is registered: the catalogue's, or its own."""
    entry = entry_of(model)
    return entry.name if entry else model


def missing_in(folder: Path, model: str) -> list[str]:
    """Return the files that a folder lacks to serve as that model."""
    entry = entry_of(model)
    return missing_files(folder, entry.required if entry else ())


def is_present(model: str) -> bool:
    """Tell whether ``folder_of`` would find the model; never raises."""
    return not why_missing(model)


def why_missing(model: str) -> str:
    """Return why a model cannot be loaded here, one sentence with the remedy; empty if it can."""
    try:
        folder_of(model)
    except InsituError as error:
        return f"{error}. {error.hint}".strip()
    return ""


def licence_of(model: str) -> LicenceRecord | None:
    """Return the licence of a catalogued model, by name or hub id; None for any other."""
    entry = entry_of(model)
    return entry.licence_record if entry else None


def memory_needed(model: str) -> int | None:
    """Return the bytes that a model's networks take, activations not counted.

    Returns:
        In 16 bits for a catalogued model; as stored for one that is present; None when unknown.
    """
    entry = entry_of(model)
    if entry:
        return entry.memory
    return stored_size(folder_of(model)) if is_present(model) else None


def loaded(kind: Any, folder: Path, **options: Any) -> Any:
    """Call a library class's ``from_pretrained`` on a local folder, without any network.

    Args:
        kind: The class.
        folder: From ``folder_of``.
        options: Passed on (``subfolder``, ``dtype`` …).

    Raises:
        MissingWeights: A file that the class needs is missing or torn, or a module that it needs
            is not installed.
        InvalidInput: The folder holds something else.
    """
    told = _is_network(kind) and "output_loading_info" not in options
    if told:
        options = {**options, "output_loading_info": True}
    try:
        with without_bars():
            made = kind.from_pretrained(str(folder), local_files_only=True, **options)
    except ImportError as error:
        raise MissingWeights(
            f"{kind.__name__} needs a module that is not installed: {_first_line(error)}",
            hint="Install the extra that brings it: pip install 'insitu[neural]'.",
        ) from error
    except OSError as error:
        raise MissingWeights(
            f"{folder} lacks files of {kind.__name__}: {_first_line(error)}",
            hint="Get them anew: insitu models pull NAME",
        ) from error
    except Exception as error:  # safetensors, torch and the libraries each raise their own
        if type(error).__name__ == "SafetensorError":
            raise MissingWeights(
                f"a weight file in {folder} is damaged: {_first_line(error)}",
                hint="Delete it and get it anew: insitu models pull NAME",
            ) from error
        raise InvalidInput(f"{folder} is no {kind.__name__}: {_first_line(error)}") from error
    if not told:
        return made
    network, report = made
    _check_filled(network, report, folder)
    return network


def _is_network(kind: Any) -> bool:
    return hasattr(kind, "load_state_dict") or kind.__name__.startswith("AutoModel")


def _check_filled(network: Any, report: Any, folder: Path) -> None:
    """Refuse a network whose weights did not come from the folder: it would be random."""
    missing = list(report.get("missing_keys", ()))
    if not missing:
        return
    total = len(network.state_dict())
    if len(missing) > (1 - _MOSTLY) * total:
        raise InvalidInput(
            f"{folder} is no {type(network).__name__}: {len(missing)} of {total} tensors are not "
            f"in it, {sorted(missing)[0]} among them"
        )
    _LOG.warning("%s lacks %s of %s", folder, _list(sorted(missing)), type(network).__name__)


def _how_to_get(model: str) -> str:
    entry = entry_of(model)
    if Path(model).is_absolute():
        return "There is no such folder. With --models DIR, models are taken from DIR alone."
    if entry and not entry.hub_id:
        return f"Get it from {entry.files_at}, then: insitu models path {entry.name} DIR"
    return f"Get them: insitu models pull {key_of(model)}"


def _list(names: list[str]) -> str:
    shown = ", ".join(names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or repr(error)).splitlines()[0]
