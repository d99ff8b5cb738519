"""What is the same for all editors of a scoring: scenes, what editors are told, who finds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from image_core.errors import InvalidInput
from pocket.flat.edits import EditCase
from pocket.flat.instructions import TASKS, Task
from pocket.flat.settings import Split, check_split

Captions = Literal["plan", "true"]
MAKING: tuple[Task, ...] = ("recolor", "replace", "add")
"""Tasks that make an object, so that it may be one that training never showed."""

_MOST = 10_000  # scenes of a scoring


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What decides a scoring beside the conditions.

    Attributes:
        models: Folder of miniature models as ``insitu pocket train`` writes it; None for none.
        split: The stream of scenes. The test stream is for one run.
        count: How many of its scenes, the tasks in turn.
        held_out: How many more, whose edits make what training never showed.
        most_objects: Up to how many objects a scene has, 1 to 4.
        tasks: Which edits.
        seed: Of the stream, of every editor's draws and of the bootstrap.
        captions: ``plan``: editors get the captions that the language processor makes of the
            instruction; ``true``: those of the scene before and after.
        language: The language processor's name.
        grounder: The grounder's name; ``auto``: of the models where they have one.
        segmenter: The segmenter's name; ``auto`` alike.
        device: Where networks run.
    """

    models: Path | None = None
    split: Split = "validation"
    count: int = 100
    held_out: int = 0
    most_objects: int = 4
    tasks: tuple[Task, ...] = TASKS
    seed: int = 0
    captions: Captions = "plan"
    language: str = "rules"
    grounder: str = "auto"
    segmenter: str = "auto"
    device: str = "auto"

    def __post_init__(self) -> None:
        """Refuse what no scoring can be made of.

        Raises:
            InvalidInput: It says what.
        """
        if check_split(self.split) == "train":
            raise InvalidInput(
                "training scenes tell nothing of an editor", hint="Take validation, or test."
            )
        if not 1 <= self.count <= _MOST:
            raise InvalidInput(f"a scoring of {self.count} scenes", hint=f"Take 1 to {_MOST}.")
        if not 0 <= self.held_out <= _MOST:
            raise InvalidInput(f"{self.held_out} held-out scenes", hint=f"Take 0 to {_MOST}.")
        if self.seed < 0:
            raise InvalidInput(f"the seed {self.seed} is negative", hint="Take 0 or more.")
        wrong = [task for task in self.tasks if task not in TASKS]
        if wrong or not self.tasks or len(set(self.tasks)) < len(self.tasks):
            raise InvalidInput(
                f"the kinds {', '.join(self.tasks) or '(none)'}",
                hint=f"Name some of {', '.join(TASKS)}, each once.",
            )
        if self.held_out and not set(self.tasks) & set(MAKING):
            raise InvalidInput(
                "no kind that is asked for can make an object that training never showed",
                hint=f"Take --held-out 0, or some of {', '.join(MAKING)} too.",
            )

    def told(self, case: EditCase) -> tuple[str, str] | None:
        """Return the captions that editors are handed; None where the plan's own stay."""
        return (case.source_caption, case.target_caption) if self.captions == "true" else None
