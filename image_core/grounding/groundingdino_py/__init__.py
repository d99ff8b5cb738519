"""Grounding DINO by its authors' code, as packaged in ``groundingdino-py``, with their checkpoint.

The package is no part of any other extra: see ``make setup-groundingdino``.
"""

from __future__ import annotations

from dataclasses import dataclass

from image_core.errors import InsituError, InvalidInput
from image_core.grounding.open_vocabulary.grounder import OpenVocabularyGrounder
from image_core.grounding.open_vocabulary.readiness import NEURAL, why_not

MODULES = (*NEURAL, "groundingdino")
EXTRA = "make setup-groundingdino"


@dataclass(frozen=True, kw_only=True)
class GroundingDinoPyConfig:
    """How the authors' Grounding DINO is run.

    Attributes:
        model: A ``.pth`` file, or a hub id or folder that holds it.
        checkpoint: The file's name within a folder.
        settings: The ``.py`` file with the network's settings; the package's own one for the
            checkpoint unless given. It is read, never run.
        text_model: A hub id or folder of the BERT that the network is built on.
        box_threshold: See ``GroundingDinoConfig``.
        text_threshold: See ``GroundingDinoConfig``.
        overlap: See ``GroundingDinoConfig``.
        shortest: The shorter side of the picture as the network sees it.
        longest: Bound of its longer side.
        max_batch: Most pictures of one size in a call.
        device: Of torch; ``auto`` takes the fastest there is.
    """

    model: str = "ShilongLiu/GroundingDINO"
    checkpoint: str = "groundingdino_swint_ogc.pth"
    settings: str = ""
    text_model: str = "bert-base-uncased"
    box_threshold: float = 0.3
    text_threshold: float = 0.25
    overlap: float = 0.7
    shortest: int = 800
    longest: int = 1333
    max_batch: int = 4
    device: str = "auto"

    def __post_init__(self) -> None:
        """Refuse values that make no sense."""
        for name in ("box_threshold", "text_threshold", "overlap"):
            if not 0 < getattr(self, name) < 1:
                raise InvalidInput(f"{name} {getattr(self, name)} is not between 0 and 1")
        if self.max_batch < 1:
            raise InvalidInput(f"max_batch {self.max_batch} is not 1 or more")
        if not 32 <= self.shortest <= self.longest:
            raise InvalidInput(
                f"the sides {self.shortest} and {self.longest} are not in order, or below 32"
            )

    def build(self) -> GroundingDinoPyGrounder:
        """Make the grounder; its weights are loaded when it is first used."""
        return GroundingDinoPyGrounder(self)


class GroundingDinoPyGrounder(OpenVocabularyGrounder):
    """Grounds phrases by the authors' Grounding DINO."""

    def __init__(self, config: GroundingDinoPyConfig = GroundingDinoPyConfig()) -> None:
        """Keep the settings."""
        from image_core.grounding.groundingdino_py.detector import GroundingDinoPyDetector

        self.config = config
        super().__init__(
            GroundingDinoPyDetector(config),
            min_confidence=config.box_threshold,
            overlap=config.overlap,
        )

    def why_not(self) -> str:
        """Return "" when it could run here now, else why not in one sentence."""
        from image_core.grounding.open_vocabulary.checkpoint import file_of

        missing = why_not("groundingdino_py", MODULES, EXTRA, self.config.text_model)
        if missing:
            return missing
        try:
            file_of(self.config.model, self.config.checkpoint)
        except InsituError as error:
            return f"{error}. {error.hint}"
        return ""


__all__ = ["GroundingDinoPyConfig", "GroundingDinoPyGrounder"]
