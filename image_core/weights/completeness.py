"""Which files a model's folder lacks; looks at names, sizes and headers, loads nothing."""

from __future__ import annotations

import json
import os
import re
import struct
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

OPTIONAL_COMPONENTS = frozenset({"safety_checker", "feature_extractor"})
"""Components of a pipeline that it also works without; they are not pulled."""

WEIGHT_FILE = re.compile(
    r"^(?P<stem>model|pytorch_model|diffusion_pytorch_model)"
    r"(?:\.(?P<variant>[a-z]\w*))?(?:-\d+-of-\d+)?(?:\.(?P<late_variant>[a-z]\w*))?"
    r"\.(?P<form>safetensors|bin)(?P<index>\.index(?:\.(?P<index_variant>\w+))?\.json)?$"
)
"""A weight file of transformers or diffusers, a shard of it, or the index of its shards."""

_SINGLE_FILES = (".safetensors", ".bin", ".pth", ".pt", ".ckpt")
_TOKENIZER = ("tokenizer_config.json", "tokenizer.json", "vocab.json", "vocab.txt", "*.model")
_PROCESSOR = ("preprocessor_config.json", "processor_config.json")


def missing_files(folder: Path, needs: Sequence[str] = ()) -> list[str]:
    """Return what a model's folder lacks; an empty list when it is complete.

    Args:
        folder: A pipeline of diffusers (``model_index.json``), a model of transformers or
            diffusers (``config.json``), a tokenizer, or a folder with a checkpoint file.
        needs: Further files; alternatives separated by ``|``, ``*`` is a wildcard.

    Returns:
        Relative names; of alternatives, all of them joined by ``or``. A file that was cut off
        counts as missing.
    """
    if not folder.is_dir():
        return ["the folder itself"]
    if (folder / "model_index.json").exists():
        lacking = _of_pipeline(folder)
    elif (folder / "config.json").exists():
        lacking = _of_model(folder)
    elif needs:
        lacking = []
    else:
        lacking = _of_something(folder)
    lacking += [" or ".join(names) for names in _split(needs) if not _one_of(folder, names)]
    return lacking


def stored_size(folder: Path) -> int:
    """Return the bytes of the weight files in a model's folder and its components."""
    return sum(
        path.stat().st_size
        for path in [*folder.glob("*"), *folder.glob("*/*")]
        if path.suffix in _SINGLE_FILES and path.is_file()
    )


def components(index: Any) -> dict[str, str]:
    """Return the components that a ``model_index.json`` names, each with its class.

    Args:
        index: The parsed file; components are pairs of library and class, others are settings.
    """
    if not isinstance(index, dict):
        return {}
    return {
        name: value[1]
        for name, value in index.items()
        if isinstance(value, list)
        and len(value) == 2
        and all(isinstance(text, str) for text in value)
        and not name.startswith("_")
    }


def _of_pipeline(folder: Path) -> list[str]:
    index = _json(folder / "model_index.json")
    if not isinstance(index, dict):
        return ["model_index.json"]
    lacking = []
    for name, kind in components(index).items():
        inner = folder / name
        if name in OPTIONAL_COMPONENTS and not inner.exists():
            continue
        lacking += [f"{name}/{file}" for file in _of_component(inner, kind)]
    return lacking


def _of_component(folder: Path, kind: str) -> list[str]:
    if kind.endswith("Scheduler"):
        return _unless(folder, ("scheduler_config.json",))
    if "Tokenizer" in kind:
        return _unless(folder, _TOKENIZER)
    if kind.endswith(("Processor", "FeatureExtractor")):
        return _unless(folder, (*_PROCESSOR, *_TOKENIZER))
    return _of_model(folder)


def _of_model(folder: Path) -> list[str]:
    config = _json(folder / "config.json")
    return ([] if isinstance(config, dict) else ["config.json"]) + _of_weights(folder)


def _of_weights(folder: Path) -> list[str]:
    found = [name for name in _names(folder) if WEIGHT_FILE.match(name)]
    torn = [name for name in found if not name.endswith(".json") and _is_torn(folder / name)]
    shards = {name: _shards(folder / name) for name in found if name.endswith(".json")}
    if not found:
        return ["model.safetensors or diffusion_pytorch_model.safetensors"]
    unreadable = [name for name, files in shards.items() if files is None]
    absent = {file for files in shards.values() for file in files or () if file not in found}
    unindexed = [name for name in found if re.search(r"-\d+-of-\d+", name)]
    if unindexed and not shards:
        absent.add(WEIGHT_FILE.sub(r"\g<stem>.\g<form>.index.json", unindexed[0]))
    return sorted({*torn, *unreadable, *absent})


def _of_something(folder: Path) -> list[str]:
    if _one_of(folder, _TOKENIZER) or _one_of(folder, _PROCESSOR):
        return []
    files = [name for name in _names(folder) if name.endswith(_SINGLE_FILES)]
    if not files:
        return ["model_index.json or config.json"]
    return [name for name in files if _is_torn(folder / name)]


def _shards(index: Path) -> set[str] | None:
    content = _json(index)
    listed = content.get("weight_map") if isinstance(content, dict) else None
    if not isinstance(listed, dict):
        return None
    return {str(file) for file in listed.values()}


def _is_torn(path: Path) -> bool:
    """Tell whether a weight file is empty, gone, or shorter than its own header says."""
    try:
        size = path.stat().st_size
        if path.suffix != ".safetensors":
            return size == 0
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > size - 8:
                return True
            header = json.loads(file.read(length))
        ends = [value["data_offsets"][1] for key, value in header.items() if key != "__metadata__"]
        return bool(size != 8 + length + max(ends, default=0))
    except (OSError, struct.error, ValueError, KeyError, TypeError, IndexError, AttributeError):
        return True


def _unless(folder: Path, alternatives: Sequence[str]) -> list[str]:
    return [] if _one_of(folder, alternatives) else [alternatives[0]]


def _split(needs: Iterable[str]) -> list[list[str]]:
    return [need.split("|") for need in needs]


def _one_of(folder: Path, patterns: Iterable[str]) -> bool:
    return any(
        path.is_file() and path.stat().st_size > 0
        for pattern in patterns
        for path in folder.glob(pattern)
    )


def _names(folder: Path) -> list[str]:
    """Return the files' names, links to nowhere among them."""
    try:
        return sorted(entry.name for entry in os.scandir(folder))
    except OSError:
        return []


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return None
