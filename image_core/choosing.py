"""What ``auto`` takes: for each seam the strongest part that is present and fits the work.

The order among the generative editors is a judgement from their publishers' figures, not a
measurement of ours (docs/editors.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from image_core import discovery
from image_core.discovery import Seam
from image_core.errors import (
    InsituError,
    InstructionNotUnderstood,
    MissingWeights,
    UnsupportedEdit,
)
from image_core.seams import LanguageProcessor
from image_core.types import EditPlan, EditStep, Kind

GENERATIVE = (
    "klein",
    "qwen-image-edit",
    "kontext",
    "instructedit",
    "instruct-pix2pix",
    "magicbrush",
)
_BY_KIND: Mapping[Kind, tuple[str, ...]] = {
    "remove": ("inpainting", "sdxl-inpainting", "classic"),
    "recolor": ("classic", *GENERATIVE),
    "tone": ("classic",),
    "filter": ("classic",),
    "texture": ("classic", *GENERATIVE),
}
_GROUNDERS = ("grounding_dino", "sam3", "classic")
_SEGMENTERS = ("sam", "grabcut")


def editor_order(kind: Kind) -> tuple[str, ...]:
    """Return the editors that ``auto`` tries for a kind, strongest first."""
    return _BY_KIND.get(kind, GENERATIVE)


def all_editors() -> tuple[str, ...]:
    """Return every editor that ``auto`` may take."""
    found = [name for kind in ("remove", "recolor", "replace") for name in editor_order(kind)]
    return tuple(dict.fromkeys(found))


def why_not(part: Any) -> str:
    """Return why a part cannot run here now; empty when it can, or has nothing to say."""
    ask = getattr(part, "why_not", None)
    return str(ask()) if ask is not None else ""


def why_too_large(part: Any) -> str:
    """Return why a present part does not fit this machine's memory; empty when it does."""
    ask = getattr(part, "why_too_large", None)
    return str(ask()) if ask is not None else ""


def chosen_editor(editors: Mapping[str, Any], step: EditStep, *, auto: bool) -> str | None:
    """Return the name of the editor that does a step; None when none of them can.

    Args:
        editors: By name; they may be made when they are asked for.
        step: What is to be done.
        auto: Take the first in ``editor_order`` that is present, fits the memory and does not
            refuse the step; otherwise the first that has its kind, present or not.
    """
    if not auto:
        fitting = (name for name, e in editors.items() if step.kind in e.capabilities.kinds)
        return next(fitting, None)
    refusing = None
    for name in (name for name in editor_order(step.kind) if name in editors):
        editor = _made(editors, name)
        if editor is None or step.kind not in editor.capabilities.kinds:
            continue
        if why_not(editor) or why_too_large(editor):
            continue
        try:
            editor.prepare(step, ())
        except (UnsupportedEdit, MissingWeights):
            refusing = refusing or name
            continue
        except Exception:  # what it cannot prepare on nothing shows when it is prepared for real
            return name
        return name
    return refusing


def _made(editors: Mapping[str, Any], name: str) -> Any:
    """Return an editor, or None where its extra is missing."""
    try:
        return editors[name]
    except InsituError:
        return None


def readiness(kind: Kind) -> list[tuple[str, str]]:
    """Return the editors that ``auto`` tries for a kind, each with why it cannot run here now."""
    found = []
    for name in editor_order(kind):
        try:
            editor = discovery.build("editors", name)
        except InsituError as error:
            found.append((name, str(error)))
            continue
        if kind in editor.capabilities.kinds:
            found.append((name, why_not(editor) or why_too_large(editor)))
    return found


def refusal(step: EditStep, editors: Mapping[str, Any], *, auto: bool) -> UnsupportedEdit:
    """Return the error for a step that no chosen editor can do, naming those that could."""
    kind = f"{step.instruction!r} is an edit of the kind {step.kind!r}"
    able = who_could(step)
    if not auto:
        others = [name for name in able if name not in editors]
        return UnsupportedEdit(
            f"{kind}, which {' or '.join(editors)} cannot do",
            hint=f"These could: {', '.join(others)}." if others else "No built-in editor can.",
        )
    first = able[0] if able else "NAME"
    return UnsupportedEdit(
        f"{kind}, and no editor that could do it is ready on this machine",
        hint=f"These could, with weights and memory: {', '.join(able)}. `insitu models pull "
        f"{first}` gets weights; `insitu doctor` tells what is missing.",
    )


def who_could(step: EditStep) -> list[str]:
    """Return the names of the editors that have a step's kind, present or not."""
    names = []
    for name in editor_order(step.kind):
        try:
            editor = discovery.build("editors", name)
        except InsituError:
            continue
        if step.kind in editor.capabilities.kinds:
            names.append(name)
    return names


def name_of(part: Any, seam: Seam, configured: str) -> str:
    """Return what a part is called, also where ``auto`` chose it."""
    if configured != "auto":
        return configured
    for name in discovery.names(seam):
        try:
            made = discovery.build(seam, name)
        except InsituError:
            continue
        if type(made) is type(part):
            return name
    return type(part).__name__


def models_of(parts: Sequence[Any]) -> tuple[str, ...]:
    """Return the models that parts run, each once."""
    found: list[str] = []
    for part in parts:
        own = getattr(part, "models", None)
        if own is None:
            model = getattr(getattr(part, "config", None), "model", None)
            own = () if model is None else (model,)
        found += [str(model) for model in own]
    return tuple(dict.fromkeys(found))


def first_ready(seam: Seam, names: Sequence[str], models: Path | None = None) -> str:
    """Return the first of some parts that can run here now; the last where none can.

    Args:
        seam: Where they plug in.
        names: Strongest first.
        models: The tree that they load from, if not from all that is on this machine.
    """
    for name in names:
        try:
            part = discovery.build(seam, name, models=models)
        except InsituError:
            continue
        if not why_not(part):
            return name
    return names[-1]


def grounder_name(name: str, models: Path | None = None) -> str:
    """Resolve ``auto`` to the strongest grounder that is present, in a tree if one is given."""
    return first_ready("grounding", _GROUNDERS, models) if name == "auto" else name


def segmenter_name(name: str, models: Path | None = None) -> str:
    """Resolve ``auto`` to the strongest segmenter that is present, in a tree if one is given."""
    return first_ready("segmentation", _SEGMENTERS, models) if name == "auto" else name


@dataclass(frozen=True, kw_only=True)
class RulesThenModel:
    """The language processor of ``auto``: the rules, and a language model where they give up.

    The rules understand the common forms at once and always the same way; a model, where one is
    present, takes the rest.

    Attributes:
        rules: Read every instruction first.
        model: Asked when the rules do not understand; None where none is present.
    """

    rules: LanguageProcessor
    model: LanguageProcessor | None = None

    @property
    def models(self) -> tuple[str, ...]:
        """The models that it may ask."""
        return models_of([self.model])

    @classmethod
    def present(cls, options: Mapping[str, Any], models: Path | None = None) -> RulesThenModel:
        """Make it of what is on this machine.

        Args:
            options: Values for the model's configuration, such as its device.
            models: The tree that it is loaded from, if not from all that is on this machine.
        """
        model = None
        try:
            found = discovery.build("instructions", "language_model", given=options, models=models)
            model = None if why_not(found) else found
        except InsituError:
            model = None
        return cls(rules=discovery.build("instructions", "rules"), model=model)

    def parse(self, instruction: str, *, caption: str | None = None) -> EditPlan:
        """Read an instruction.

        Raises:
            InstructionNotUnderstood: Neither understands it.
        """
        try:
            plan = self.rules.parse(instruction, caption=caption)
        except InstructionNotUnderstood:
            if self.model is None:
                raise
            return self.model.parse(instruction, caption=caption)
        if caption and self.model is not None and self._leaves_open(instruction):
            return self.model.parse(instruction, caption=caption)  # what "it" is
        return plan

    def _leaves_open(self, instruction: str) -> bool:
        """Tell whether "it" stands in the words; with the caption the rules would guess at it."""
        return any(step.target.pronoun for step in self.rules.parse(instruction).steps)
