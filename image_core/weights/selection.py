"""Which files of a hub repository are worth downloading."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import PurePosixPath

from image_core.weights.completeness import OPTIONAL_COMPONENTS, WEIGHT_FILE

_SMALL = (".json", ".txt", ".model", ".jinja")
_HALF = "fp16"


def needed_files(
    listing: Iterable[str],
    components: Collection[str] = (),
    *,
    exactly: Collection[str] = (),
    whole: bool = False,
) -> list[str]:
    """Choose what a part loads out of everything that a repository holds.

    One copy of the weights: safetensors rather than pickles, half precision where every component
    has it; no single-file checkpoints beside a diffusers layout, no Flax, ONNX or training files.

    Args:
        listing: The repository's files.
        components: Of its ``model_index.json``; empty for a model of transformers.
        exactly: Patterns of the files, where the repository has no usual layout.
        whole: Also the safety checker.

    Returns:
        The chosen files, in the listing's order.
    """
    paths = [PurePosixPath(name) for name in listing]
    if exactly:
        return [str(path) for path in paths if any(path.match(pattern) for pattern in exactly)]
    folders = [name for name in components if whole or name not in OPTIONAL_COMPONENTS] or [""]
    inside = {folder: [path for path in paths if _lies_in(path, folder)] for folder in folders}
    kept = {"model_index.json", "README.md"}
    weights = {folder: _weights(files) for folder, files in inside.items()}
    half = bool(components) and all(
        any(variant == _HALF for _, variant in forms) for forms in weights.values() if forms
    )
    for folder, files in inside.items():
        kept |= {str(path) for path in files if path.suffix in _SMALL and not _is_weight(path)}
        kept |= set(_preferred(weights[folder], half))
    return [str(path) for path in paths if str(path) in kept]


def _lies_in(path: PurePosixPath, folder: str) -> bool:
    return str(path.parent) == (folder or ".")


def _is_weight(path: PurePosixPath) -> bool:
    return WEIGHT_FILE.match(path.name) is not None


def _weights(files: Iterable[PurePosixPath]) -> dict[tuple[str, str], list[str]]:
    """Group weight files by form (safetensors, bin) and variant."""
    groups: dict[tuple[str, str], list[str]] = {}
    for path in files:
        found = WEIGHT_FILE.match(path.name)
        if found:
            variant = found["variant"] or found["late_variant"] or found["index_variant"] or ""
            groups.setdefault((found["form"], variant), []).append(str(path))
    return groups


def _preferred(groups: dict[tuple[str, str], list[str]], half: bool) -> list[str]:
    order = [("safetensors", ""), ("bin", ""), ("safetensors", _HALF), ("bin", _HALF)]
    if half:
        order.insert(0, ("safetensors", _HALF))
    for wanted in order:
        if wanted in groups:
            return groups[wanted]
    return []
