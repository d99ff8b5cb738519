"""The method's pipeline: reconstruction as in nerfacto, then the edit, between training steps.

Views are edited in a callback before an iteration: outside autocast, with no graph of a batch held.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nerfstudio.engine.callbacks import (
    TrainingCallback,
    TrainingCallbackAttributes,
    TrainingCallbackLocation,
)
from nerfstudio.pipelines.base_pipeline import VanillaPipeline, VanillaPipelineConfig
from nerfstudio.utils.rich_utils import CONSOLE

from image_core.errors import InsituError, InvalidInput
from nerf import perceptual
from nerf.checkpoints import check_state
from nerf.datamanager import InsituDataManager, InsituDataManagerConfig
from nerf.edit_flags import EditFlags
from nerf.edit_phase import EditPhase
from nerf.field_views import FieldViews
from nerf.model import InsituModel, InsituModelConfig
from nerf.progress import Progress
from nerf.viewer_controls import ViewerControls

_OURS = ("_model.region_field.", "_model.region_outputs")
_LPIPS = "_model.lpips."  # a stock nerfacto checkpoint carries AlexNet


@dataclass
class InsituPipelineConfig(EditFlags, VanillaPipelineConfig):
    """What is edited (``EditFlags``), the capture and the model."""

    _target: type = field(default_factory=lambda: InsituPipeline)
    datamanager: InsituDataManagerConfig = field(default_factory=InsituDataManagerConfig)
    model: InsituModelConfig = field(default_factory=InsituModelConfig)


class InsituPipeline(VanillaPipeline):
    """Reconstructs, then edits where the instruction says."""

    config: InsituPipelineConfig
    datamanager: InsituDataManager

    def __init__(self, config: InsituPipelineConfig, *args: Any, **kwargs: Any) -> None:
        """Make the data manager and the model; no editor is made before there is training.

        Raises:
            InvalidInput: A flag, a picture or a pose cannot be used; more than one process.
        """
        world_size = kwargs.get("world_size", 1)
        if world_size > 1:
            raise InvalidInput(
                f"{world_size} processes were asked for; the edited views live in one",
                hint="Run on one device: --machine.num-devices 1.",
            )
        config.check()
        super().__init__(config, *args, **kwargs)
        self.edit: EditPhase | None = None
        self.first_edit_step = config.reconstruct_steps
        self._keep_reconstruction: Callable[[int], None] | None = None
        self.progress = Progress(self)
        self.controls = ViewerControls(config)

    @property
    def insitu_model(self) -> InsituModel:
        """The model, by its own type."""
        model: Any = self.model
        found: InsituModel = model
        return found

    def open_edit(self, run: Path, source: Path | None, start: int) -> None:
        """Get the edit ready before training.

        Args:
            run: The run's folder.
            source: The folder of the run that was loaded.
            start: The first training step.

        Raises:
            InsituError: The instruction, region, editor or loaded state cannot be used.
        """
        if not self.config.instruction:
            CONSOLE.log("No --pipeline.instruction: this run only reconstructs.")
            return
        if self.config.model.perceptual_weight:
            perceptual.require()
        self.open_with(self.config, run, source, start)

    def open_with(self, flags: EditFlags, run: Path, source: Path | None, start: int) -> None:
        """Get an edit ready, the command line's or another one (the viewer's)."""
        views = FieldViews(self.datamanager, self.insitu_model)
        edit = EditPhase(flags, views, run, tell=CONSOLE.log)
        edit.open(source, start)
        self.edit = edit
        self.first_edit_step = flags.reconstruct_steps
        if edit.update is not None:
            self._supervise_edits()

    def _supervise_edits(self) -> None:
        self.insitu_model.begin_editing(self.datamanager.begin_editing())

    def get_training_callbacks(
        self, training_callback_attributes: TrainingCallbackAttributes
    ) -> list[TrainingCallback]:
        """Return nerfacto's callbacks, and the edit's before them."""
        callbacks = super().get_training_callbacks(training_callback_attributes)
        trainer = training_callback_attributes.trainer
        self._keep_reconstruction = getattr(trainer, "keep_reconstruction", None)
        before = TrainingCallback(
            where_to_run=[TrainingCallbackLocation.BEFORE_TRAIN_ITERATION],
            func=self.edit_before,
        )
        return [before, *callbacks]

    def edit_before(self, step: int) -> None:
        """Begin the edit, or edit the views that are due, before a training step."""
        if self.controls.take_restart():
            self._restart(step)
        edit = self.edit
        if edit is None or self.controls.paused or step < self.first_edit_step:
            return
        begins = edit.update is None
        if begins and self._keep_reconstruction is not None:
            self._keep_reconstruction(step)
        for edited in edit.step(step):
            self.progress.edited(edited)
        if begins:
            self._supervise_edits()
        assert edit.update is not None
        self.progress.updated(edit.update, step)

    def _restart(self, step: int) -> None:
        """Start the edit anew as the viewer asks; what cannot be edited leaves all as it is."""
        assert self.edit is not None
        try:
            self.open_with(self.controls.flags(self.config), self.edit.run, None, step)
        except InsituError as error:
            CONSOLE.log(f"[yellow]The edit goes on as it was: {error} {error.hint}[/yellow]")
            return
        self.datamanager.forget_edits()
        self.first_edit_step = min(step, self.first_edit_step)

    def load_pipeline(self, loaded_state: dict[str, Any], step: int) -> None:
        """Load a checkpoint whose weights are this model's, all of them.

        nerfstudio loads what fits and leaves the rest random, without a word.

        Raises:
            InvalidInput: A weight is missing, unknown, or of another shape.
        """
        state = {key.removeprefix("module."): value for key, value in loaded_state.items()}
        state = {key: value for key, value in state.items() if not key.startswith(_LPIPS)}
        check_state(
            {key: value for key, value in state.items() if key.startswith("_model.")},
            {key: value for key, value in self.state_dict().items() if key.startswith("_model.")},
            optional=lambda key: key.startswith(_OURS),
        )
        own = {k: v for k, v in self.state_dict().items() if k.startswith(_OURS)}
        super().load_pipeline(own | state, step)
