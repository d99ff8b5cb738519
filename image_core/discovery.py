"""From a name to a part: built in, registered by another package, or in a file of the user's.

A name leads to a class that is imported only when it is asked for: a configuration dataclass with
``build()``, or a part's own class. Other packages register theirs under the entry-point groups
``insitu.instructions``, ``insitu.grounding``, ``insitu.segmentation`` and ``insitu.editors``.
"""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import sys
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from importlib.machinery import SourceFileLoader
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Literal

from image_core.errors import InsituError, InvalidInput, MissingWeights, UnsupportedEdit
from image_core.weights.tree import fields_from_tree

Seam = Literal["instructions", "grounding", "segmentation", "editors"]

_BUILT_IN: Mapping[Seam, Mapping[str, str]] = {
    "instructions": {
        "rules": "image_core.instructions:RulesConfig",
        "language_model": "image_core.instructions.language_model:LanguageModelConfig",
    },
    "grounding": {
        "classic": "image_core.grounding:ClassicGrounderConfig",
        "grounding_dino": "image_core.grounding.grounding_dino:GroundingDinoConfig",
        "groundingdino_py": "image_core.grounding.groundingdino_py:GroundingDinoPyConfig",
        "sam3": "image_core.grounding.sam3:Sam3Config",
    },
    "segmentation": {
        "grabcut": "image_core.segmentation:GrabCutConfig",
        "sam": "image_core.segmentation.sam:SamConfig",
        "segment_anything": "image_core.segmentation.segment_anything:SegmentAnythingConfig",
    },
    "editors": {
        "classic": "image_core.editors:ClassicConfig",
        "instructedit": "image_core.editors.masked_ddim:InstructEditConfig",
        "diffedit": "image_core.editors.diffedit:DiffEditConfig",
        "instruct-pix2pix": "image_core.editors.instruct_pix2pix:InstructPix2PixConfig",
        "magicbrush": "image_core.editors.instruct_pix2pix:MagicBrushConfig",
        "zone": "image_core.editors.zone:ZoneConfig",
        "inpainting": "image_core.editors.inpainting:InpaintingConfig",
        "sdxl-inpainting": "image_core.editors.inpainting:SdxlInpaintingConfig",
        "sd3-inpainting": "image_core.editors.modern:Sd3InpaintingConfig",
        "mdp": "image_core.editors.mdp:MdpConfig",
        "klein": "image_core.editors.modern:KleinConfig",
        "qwen-image-edit": "image_core.editors.modern:QwenImageEditConfig",
        "kontext": "image_core.editors.modern:KontextConfig",
    },
}
_METHODS: Mapping[Seam, tuple[str, ...]] = {
    "instructions": ("parse",),
    "grounding": ("ground",),
    "segmentation": ("segment",),
    "editors": ("prepare", "capabilities"),
}
_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}


def names(seam: Seam) -> list[str]:
    """Return the names that ``build`` takes at a seam, built-in ones first."""
    registered = [point.name for point in entry_points(group=f"insitu.{seam}")]
    return list(dict.fromkeys([*_BUILT_IN[seam], *registered]))


def build(
    seam: Seam,
    name: str,
    options: Sequence[str] = (),
    *,
    given: Mapping[str, Any] | None = None,
    models: Path | None = None,
) -> Any:
    """Make the part of that name.

    Args:
        seam: Which seam it plugs into.
        name: A built-in or registered name, or ``FILE.py:Class``.
        options: ``key=value`` texts for its configuration's fields.
        given: Values for fields that it may have or not, such as ``device``; options outweigh them.
        models: A tree of models (``image_core.weights.tree``), from which alone the part loads the
            models of its defaults; options outweigh it too.

    Returns:
        An object with the seam's methods.

    Raises:
        InvalidInput: No such name, file or class; a value of the wrong type; or it lacks a method.
        UnsupportedEdit: It has no option of that name.
        MissingWeights: It needs an extra that is not installed.
    """
    found = _load(seam, name)
    from_tree = {} if models is None else fields_from_tree(found, models)
    config = _configured(found, name, option_values(options), {**from_tree, **(given or {})})
    part = config.build() if hasattr(config, "build") else config
    missing = [method for method in _METHODS[seam] if not hasattr(part, method)]
    if missing:
        raise InvalidInput(
            f"{name} cannot serve under {seam}: it has no {' and no '.join(missing)}",
            hint="docs/plugin.md shows what a part must have.",
        )
    return part


class Lazy(Mapping[str, Any]):
    """Parts by name, each made when it is first asked for."""

    def __init__(
        self,
        seam: Seam,
        names: Sequence[str],
        options: Sequence[str] = (),
        *,
        given: Mapping[str, Any] | None = None,
        models: Path | None = None,
    ) -> None:
        """Remember what to make, with what; nothing is imported yet."""
        self._seam, self._names, self._options = seam, tuple(names), options
        self._given, self._models = given, models
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        """Make the part, or return the one made before."""
        if name not in self._names:
            raise KeyError(name)
        if name not in self._made:
            self._made[name] = build(
                self._seam, name, self._options, given=self._given, models=self._models
            )
        return self._made[name]

    def __contains__(self, name: object) -> bool:
        """Tell whether it has a name, without making the part."""
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        """Give the names in their order."""
        return iter(self._names)

    def __len__(self) -> int:
        """Count the names."""
        return len(self._names)


def _load(seam: Seam, name: str) -> Any:
    if ".py:" in name:
        return _from_file(name)
    point = _entry_point(seam, name)
    try:
        return point.load()
    except ImportError as error:
        if error.name and error.name.split(".")[0] in {"image_core", "insitu"}:
            raise
        raise MissingWeights(
            f"{name} needs the module {error.name}, which is not installed",
            hint="Install the extra that brings it: pip install 'insitu[neural]'.",
        ) from error


def _entry_point(seam: Seam, name: str) -> EntryPoint:
    if name in _BUILT_IN[seam]:
        return EntryPoint(name=name, value=_BUILT_IN[seam][name], group=f"insitu.{seam}")
    for point in entry_points(group=f"insitu.{seam}"):
        if point.name == name:
            return point
    raise InvalidInput(
        f"there is nothing named {name!r} under {seam}",
        hint=f"Known: {', '.join(names(seam))}, or FILE.py:Class for your own.",
    )


class _LeavesNothing(SourceFileLoader):
    """Loads a source file without writing bytecode beside it."""

    def set_data(self, path: str, data: Any, *, _mode: int = 0o666) -> None:
        """Write nothing."""
        del path, data, _mode


def _from_file(name: str) -> Any:
    file, _, attribute = name.rpartition(":")
    path = Path(file)
    if not path.is_file():
        raise InvalidInput(f"the plug-in file {file} does not exist")
    module_name = f"insitu_plugin_{path.stem}"
    loader = _LeavesNothing(module_name, str(path))
    spec = importlib.util.spec_from_loader(module_name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module  # dataclasses look their module up there
    try:
        loader.exec_module(module)
    except Exception as error:  # whatever the user's file raises is about that file
        del sys.modules[module_name]
        raise InvalidInput(f"the plug-in {file} cannot be imported: {error!r}") from error
    found = getattr(module, attribute, None)
    if not isinstance(found, type):
        raise InvalidInput(f"the plug-in {file} has no class {attribute!r}")
    return found


def option_values(options: Sequence[str]) -> dict[str, str]:
    """Return ``key=value`` texts as a mapping.

    Raises:
        InvalidInput: One has another form.
    """
    split = {}
    for option in options:
        key, equals, value = option.partition("=")
        if not equals or not key:
            raise InvalidInput(f"the editor option {option!r} is not of the form key=value")
        split[key.strip().replace("-", "_")] = value
    return split


def _configured(found: Any, name: str, options: Mapping[str, str], given: Mapping[str, Any]) -> Any:
    fields = (
        {f.name for f in dataclasses.fields(found)} if dataclasses.is_dataclass(found) else set()
    )
    unknown = sorted(set(options) - fields)
    if unknown:
        raise UnsupportedEdit(
            f"{name} has no option {', '.join(map(repr, unknown))}",
            hint=f"It takes {', '.join(sorted(fields))}." if fields else "It takes none.",
        )
    hints = typing.get_type_hints(found) if options else {}
    values = {key: value for key, value in given.items() if key in fields}
    values |= {key: _converted(name, key, text, hints[key]) for key, text in options.items()}
    try:
        return found(**values)
    except InsituError:
        raise
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"{name} cannot be made: {error}") from error


def _converted(name: str, key: str, text: str, wanted: Any) -> Any:
    for kind in _alternatives(wanted):
        if kind is type(None) and text.lower() in {"none", ""}:
            return None
        if kind is bool and text.lower() in _TRUE | _FALSE:
            return text.lower() in _TRUE
        if typing.get_origin(kind) is Literal and text in typing.get_args(kind):
            return text
        if kind in (int, float, str, Path):
            try:
                return kind(text)
            except ValueError:
                continue
    raise InvalidInput(f"the option {key}={text} of {name} is not {_described(wanted)}")


def _alternatives(wanted: Any) -> tuple[Any, ...]:
    if isinstance(wanted, types.UnionType) or typing.get_origin(wanted) is typing.Union:
        # text fits everything, so it is tried last
        return tuple(sorted(typing.get_args(wanted), key=lambda kind: kind in (str, Path)))
    return (wanted,)


def _described(wanted: Any) -> str:
    if typing.get_origin(wanted) is Literal:
        return "one of " + ", ".join(map(str, typing.get_args(wanted)))
    return " or ".join(getattr(kind, "__name__", str(kind)) for kind in _alternatives(wanted))
