"""The parts of a scoring: who reads, who finds, who edits; from miniature models where they are."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from image_core import discovery
from image_core.choosing import grounder_name, segmenter_name, why_not
from image_core.discovery import Lazy
from image_core.errors import MissingWeights
from image_core.local_editor import LocalEditor
from image_core.local_editor_config import LocalEditorConfig
from image_core.seams import Grounder, LanguageProcessor, Segmenter
from image_core.strengths import strength_for
from image_core.weights import folder_of
from pocket.flat.render import SIZE
from pocket.scoring.conditions import Condition
from pocket.scoring.setting import Setting

_TRAIN = "`insitu pocket train -o DIR` makes miniature weights; then --models DIR."
_JUDGE = "clip_model"  # an editor's option: who chooses where the strength is ``auto``


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Parts that are there.

    Attributes:
        setting: What they were made for.
        language: Reads instructions.
        grounder: Finds what a phrase names.
        segmenter: Cuts it out.
        names: Who they are, by these three words.
    """

    setting: Setting
    language: LanguageProcessor
    grounder: Grounder
    segmenter: Segmenter
    names: Mapping[str, str]

    def editor(self, condition: Condition) -> LocalEditor:
        """Chain the parts with the editor of a condition, whose networks are not loaded yet.

        Raises:
            InvalidInput: There is no such editor, or an option has no such value.
            UnsupportedEdit: It has no such option.
            MissingWeights: Its extra is missing.
        """
        editors = Lazy(
            "editors",
            [condition.editor],
            condition.options,
            given=_given(self.setting),
            models=self.setting.models,
        )
        return LocalEditor(
            language=self.language,
            grounder=self.grounder,
            segmenter=self.segmenter,
            editors=editors,
            config=LocalEditorConfig(
                captioner="none",
                editor=condition.editor,
                editor_options=condition.options,
                device=self.setting.device,
                models=self.setting.models,
                language=self.names["language"],
                grounder=self.names["grounder"],
                segmenter=self.names["segmenter"],
            ),
        )

    def identity(self, condition: Condition) -> str:
        """Return what tells the parts of a condition from others: names, options and weights."""
        editor = self.editor(condition).editors[condition.editor]
        parts = {"language": self.language, "editor": editor}
        if condition.regions == "found":
            parts |= {"grounder": self.grounder, "segmenter": self.segmenter}
        judged = condition.strength == "auto"
        told = [f"{seam} {self.names.get(seam, condition.editor)}" for seam in parts]
        for part in parts.values():
            models = _models(part)
            told += [_identity(models[name]) for name in models if judged or name != _JUDGE]
            told += [f"{name}={value!r}" for name, value in _options(part).items()]
        return "\n".join(told)


def parts_of(setting: Setting, conditions: Sequence[Condition]) -> Parts:
    """Make the parts of a setting, once all that they and the editors need is found there.

    Raises:
        InvalidInput: There is no part of a name, or an option has no such value.
        UnsupportedEdit: An editor has no such option or strength.
        MissingWeights: Weights or an extra of a part are missing.
    """
    names = {
        "language": setting.language,
        "grounder": grounder_name(setting.grounder, setting.models),
        "segmenter": segmenter_name(setting.segmenter, setting.models),
    }

    def made(seam: discovery.Seam, name: str) -> Any:
        given = {"device": setting.device}
        return discovery.build(seam, name, given=given, models=setting.models)

    parts = Parts(
        setting=setting,
        language=made("instructions", names["language"]),
        grounder=made("grounding", names["grounder"]),
        segmenter=made("segmentation", names["segmenter"]),
        names=names,
    )
    for condition in conditions:
        editor = parts.editor(condition).editors[condition.editor]
        _check_present(condition.editor, editor)
        strength_for(condition.editor, editor, condition.strength)
        judge = _models(editor).get(_JUDGE)
        if condition.strength == "auto" and judge is not None:
            folder_of(judge)
    _check_present(names["language"], parts.language)
    if any(condition.regions == "found" for condition in conditions):
        _check_present(names["grounder"], parts.grounder)
        _check_present(names["segmenter"], parts.segmenter)
    return parts


def _given(setting: Setting) -> dict[str, Any]:
    """Return what editors are told beside their options.

    Miniature models know whole scenes of one size; a crop of one is none. What one condition has
    inverted another shall not find on disk: each is to run all of its own evaluations.
    """
    given: dict[str, Any] = {"device": setting.device, "cache": False}
    return given if setting.models is None else given | {"resolution": SIZE, "crop": "none"}


def _check_present(name: str, part: Any) -> None:
    """Refuse a part that cannot run here.

    Raises:
        MissingWeights: It says what is missing, and how to get it.
    """
    why = why_not(part)
    if why:
        hint = _TRAIN if "weights" in why else "`insitu doctor` tells how to get it."
        raise MissingWeights(f"{name} cannot run here: {why}", hint=hint)


def _models(part: Any) -> dict[str, str]:
    """Return the models that a part's configuration names, by field."""
    config = getattr(part, "config", None)
    if not dataclasses.is_dataclass(config):
        return {}
    fields = (field.name for field in dataclasses.fields(config) if field.name.endswith("model"))
    return {name: value for name in fields if isinstance(value := getattr(config, name), str)}


def _options(part: Any) -> dict[str, Any]:
    """Return all else that a part's configuration says, by field."""
    config = getattr(part, "config", None)
    if not dataclasses.is_dataclass(config):
        return {}
    names = {field.name for field in dataclasses.fields(config)} - _models(part).keys()
    return {name: getattr(config, name) for name in sorted(names)}


def _identity(model: str) -> str:
    """Return what tells a model from others: a folder's content, else its name."""
    return digest_of(Path(model)) if Path(model).is_dir() else model


def digest_of(folder: Path) -> str:
    """Return a short digest of the names and bytes of all files in a folder."""
    total = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        total.update(path.relative_to(folder).as_posix().encode() + b"\0")
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()[:16]
