"""The edit's own flags on the command line of ``ns-train``: ``--pipeline.…``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from image_core.compositing import FEATHER
from image_core.errors import InvalidInput
from image_core.local_editor_config import LocalEditorConfig
from image_core.mask_file import read_mask
from image_core.types import RegionHint
from nerf.schedule import Schedule


@dataclass
class EditFlags:
    """What is edited, by whom, where, and when; nerfstudio's configs are not frozen."""

    instruction: str = ""
    """What to edit, e.g. "make the red ball blue"; without one the run only reconstructs."""
    then: tuple[str, ...] = ()
    """Further turns."""
    editor: str = "auto"
    """A built-in or registered editor, or FILE.py:Class for your own."""
    editor_options: tuple[str, ...] = ()
    """key=value for that editor."""
    language: str = "auto"
    """Who reads the instruction: auto, rules, language_model, or a plug-in."""
    grounder: str = "auto"
    """Who finds what the words name: auto, classic, grounding_dino, sam3, or a plug-in."""
    segmenter: str = "auto"
    """Who cuts it out: auto, grabcut, sam, segment_anything, or a plug-in."""
    models: Path | None = None
    """A folder from which every part loads its model, as `insitu pocket train` writes it."""
    editor_device: str = "auto"
    """Where the editor's networks run: auto, cpu, cuda, cuda:N."""
    box: tuple[float, float, float, float] | None = None
    """The thing in one view: X0 Y0 X1 Y1 in pixels of the picture; with --pipeline.box-view."""
    point: tuple[float, float] | None = None
    """A point inside the thing in one view: X Y; with --pipeline.box-view."""
    mask: Path | None = None
    """The thing's mask in one view, white = edit; with --pipeline.box-view."""
    box_view: str | None = None
    """The picture's file name that box, point or mask belong to."""
    mask_dir: Path | None = None
    """A folder with a mask for each view (same file name, .png); a view without one is kept."""
    min_confidence: float | None = None
    """Regions found by phrase below this are refused; the grounder's own bound unless given."""
    min_share: float = 0.3
    """The phrase must be found in at least this share of the views."""
    region_3d: Literal["field", "box", "off"] = "field"
    """field: one region in 3D, learned from the views' own; box: the grown hull of it, with room
    for another shape; off: each view's own region."""
    region_grow: float = 1.2
    """How much larger than the thing the box of --pipeline.region-3d box is."""
    region_steps: int = 400
    """Training steps of the region in 3D."""
    reconstruct_steps: int = 30000
    """Training steps before the edit begins; a nerfacto run that is loaded counts as done."""
    update_every: int = 10
    """Training steps from one update of the data set to the next."""
    views_per_update: int = 1
    """Views that are edited at once."""
    rounds: int = 15
    """How often each view is edited; an edit that is pointwise (recolour, tone) takes one."""
    settle_steps: int = 3000
    """Training steps after the last update."""
    strength: tuple[float, ...] = ()
    """How much of the edit, 0 to 1: one value, or several from the first round to the last."""
    seed: int = 0
    """Keys the order of the views and the editor's random draws."""
    fresh_edit: bool = False
    """Start the edit anew from a loaded run that was already being edited."""

    def schedule(self) -> Schedule:
        """Return the loop's numbers.

        Raises:
            InvalidInput: One of them cannot be.
        """
        if self.reconstruct_steps < 0:
            raise InvalidInput(f"--pipeline.reconstruct-steps {self.reconstruct_steps} is below 0")
        return Schedule(
            update_every=self.update_every,
            views_per_update=self.views_per_update,
            rounds=self.rounds,
            settle_steps=self.settle_steps,
            strength=tuple(self.strength),
            seed=self.seed,
        )

    def local_editor_config(self) -> LocalEditorConfig:
        """Return which parts the edit is made with."""
        return LocalEditorConfig(
            language=self.language,
            grounder=self.grounder,
            segmenter=self.segmenter,
            editor=self.editor,
            editor_options=tuple(self.editor_options),
            min_confidence=self.min_confidence,
            device=self.editor_device,
            models=None if self.models is None else self.models.expanduser().absolute(),
        )

    def hint(self) -> RegionHint | None:
        """Return the region in one view; None when there is none.

        Raises:
            InvalidInput: It names no view, or stands beside --pipeline.mask-dir.
        """
        if self.box is None and self.point is None and self.mask is None:
            if self.box_view is not None:
                raise InvalidInput("--pipeline.box-view needs a --pipeline.box, point or mask")
            return None
        if self.mask_dir is not None:
            raise InvalidInput("--pipeline.mask-dir and a region in one view exclude each other")
        if self.box_view is None:
            raise InvalidInput(
                "the region belongs to one view", hint="Name it: --pipeline.box-view FILE."
            )
        return RegionHint(
            mask=read_mask(self.mask) if self.mask is not None else None,
            boxes=() if self.box is None else (self.box,),
            points=() if self.point is None else (self.point,),
            feather=FEATHER,
        )

    def check(self) -> None:
        """Refuse values that no run can have, before anything is loaded.

        Raises:
            InvalidInput: One of them.
        """
        self.schedule()
        self.hint()
        if not 0 < self.min_share <= 1:
            raise InvalidInput(f"--pipeline.min-share {self.min_share:g} is not in (0, 1]")
        if self.region_grow < 1:
            raise InvalidInput(f"--pipeline.region-grow {self.region_grow:g} is below 1")
        if self.region_steps < 1:
            raise InvalidInput(f"--pipeline.region-steps {self.region_steps} is below 1")
        if self.editor_options and self.editor == "auto":
            raise InvalidInput(
                "--pipeline.editor-options are for an editor that is named",
                hint="Name it: --pipeline.editor NAME.",
            )
        if (self.then or self.box_view or self.mask_dir) and not self.instruction:
            raise InvalidInput("there is a region but no --pipeline.instruction")
