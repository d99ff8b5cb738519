"""Which parts a ``LocalEditor`` is made of, and making it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from image_core import discovery
from image_core.choosing import RulesThenModel, all_editors, grounder_name, segmenter_name
from image_core.errors import InvalidInput
from image_core.instructions.captioner import CaptionerConfig
from image_core.seams import Captioner
from image_core.weights.tree import checked_tree, fields_from_tree

if TYPE_CHECKING:
    from image_core.local_editor import LocalEditor


@dataclass(frozen=True, kw_only=True)
class LocalEditorConfig:
    """Parts by name; ``auto`` takes the strongest that is present on this machine.

    Attributes:
        language: The language processor; ``auto`` is the rules, and a language model for what they
            do not understand.
        captioner: Looks at the picture when the instruction says "it" or names nothing; ``none``
            for never.
        grounder: Finds what a phrase names.
        segmenter: Cuts it out.
        editor: ``auto`` takes, for each step, the first editor that can do it.
        editor_options: ``key=value`` texts for a named editor.
        min_confidence: Regions found by phrase below this are refused; the grounder's own bound
            unless given.
        device: Where networks run: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.
        models: A tree of models (``image_core.weights.tree``): every part loads from it, and what
            it has not got is missing; None for what is on this machine.
    """

    language: str = "auto"
    captioner: str = "auto"
    grounder: str = "auto"
    segmenter: str = "auto"
    editor: str = "auto"
    editor_options: tuple[str, ...] = ()
    min_confidence: float | None = None
    device: str = "auto"
    models: Path | None = None

    def build(self) -> LocalEditor:
        """Make the parts and the editor that chains them.

        Raises:
            InvalidInput: A name or value is wrong, or the tree holds no models.
            UnsupportedEdit: An editor option does not exist.
            MissingWeights: A part's extra is missing.
        """
        from image_core.local_editor import LocalEditor

        given = {"device": self.device}
        models = None if self.models is None else checked_tree(self.models)
        grounder = grounder_name(self.grounder, models)
        segmenter = segmenter_name(self.segmenter, models)
        auto = self.editor == "auto"
        editors = discovery.Lazy(
            "editors",
            all_editors() if auto else [self.editor],
            () if auto else self.editor_options,
            given=given,
            models=models,
        )
        language = (
            RulesThenModel.present(given, models)
            if self.language == "auto"
            else discovery.build("instructions", self.language, given=given, models=models)
        )
        return LocalEditor(
            language=language,
            captioner=_captioner(self.captioner, self.device, models),
            grounder=discovery.build("grounding", grounder, given=given, models=models),
            segmenter=discovery.build("segmentation", segmenter, given=given, models=models),
            editors=editors,
            config=self,
        )


def _captioner(name: str, device: str, models: Path | None) -> Captioner | None:
    """Return the captioner where one is wanted and present."""
    if name == "none":
        return None
    if name != "auto":
        raise InvalidInput(f"there is no captioner {name!r}", hint="auto or none.")
    values: dict[str, Any] = {"device": device}
    if models is not None:
        values |= fields_from_tree(CaptionerConfig, models)
    found = CaptionerConfig(**values).build()
    return None if found.why_not() else found
