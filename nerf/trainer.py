"""The trainer: starts from nerfacto or insitu runs, saves whole checkpoints, resumes exactly."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import json
import os
import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import yaml
from nerfstudio.engine.trainer import Trainer, TrainerConfig
from nerfstudio.models.nerfacto import NerfactoModelConfig
from nerfstudio.utils import writer
from nerfstudio.utils.rich_utils import CONSOLE

from image_core.errors import InsituError, InvalidInput
from image_core.photo import write_atomically
from nerf.checkpoints import (
    keep_newest,
    latest_loadable,
    random_state,
    restore_random_state,
    save_atomically,
)
from nerf.pipeline import InsituPipeline, InsituPipelineConfig

_CHECKPOINTS = "nerfstudio_models"
_RECONSTRUCTION = Path("reconstruction")
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_KEPT = 2  # checkpoints, so that a torn one falls back


@dataclass
class InsituTrainerConfig(TrainerConfig):
    """``max_num_iterations`` bounds the step that a run ends at, resumed or not."""

    _target: type = field(default_factory=lambda: InsituTrainer)
    threads: int = 1
    """Of torch on a CPU unless OMP_NUM_THREADS is set; small steps gain nothing from more."""


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """End the process with one clear message where a run cannot go on."""
    try:
        try:
            yield
        except OSError as error:
            if error.errno not in _FULL:
                raise
            # such as tensorboard's events, which nerfstudio writes
            raise InvalidInput(
                f"nothing more can be written: {error.strerror}",
                hint="Make room, then go on from the last checkpoint: --load-dir of this run.",
            ) from error
    except InsituError as error:
        hint = f"\n{error.hint}" if error.hint else ""
        raise SystemExit(f"insitu: {type(error).__name__}: {error}{hint}") from error


class InsituTrainer(Trainer):
    """nerfstudio's trainer around an ``InsituPipeline``."""

    config: InsituTrainerConfig
    pipeline: InsituPipeline

    def __init__(
        self, config: InsituTrainerConfig, local_rank: int = 0, world_size: int = 1
    ) -> None:
        """Take a configuration.

        Args:
            config: It is completed by the settings of the run that it loads.
            local_rank: Of this process.
            world_size: Must be 1; the pipeline says so.
        """
        self._loaded_random: dict[str, Any] | None = None
        self._records: deque[dict[str, Any]] = deque(maxlen=_KEPT)
        self._ended_at: int | None = None
        self._reconstructed = False
        self._bound = config.max_num_iterations
        on_cpu = config.machine.device_type == "cpu"
        if on_cpu and config.threads and "OMP_NUM_THREADS" not in os.environ:
            torch.set_num_threads(config.threads)
        super().__init__(config, local_rank, world_size)

    def setup(self, test_mode: Any = "val") -> None:
        """Make all parts, load what is to be loaded, and get the edit ready.

        Raises:
            SystemExit: Something cannot be used; the cause is an ``InsituError``.
        """
        with _told():
            if self.config.load_dir is not None:
                self._adopt_settings(self._run_of(self.config.load_dir))
            super().setup(test_mode)

    def train(self) -> None:
        """Train to the end of the edit, or to ``max_num_iterations``.

        Raises:
            SystemExit: The edit cannot go on; the cause is an ``InsituError``.
        """
        last = min(self._bound, self._known_end() or sys.maxsize)
        # nerfstudio counts what is still to come
        remaining = max(0, last - self._start_step)
        self.config = dataclasses.replace(self.config, max_num_iterations=remaining)
        self.step = self._start_step - 1
        if self._loaded_random is not None:
            restore_random_state(self._loaded_random)
        with _told():
            super().train()

    def train_iteration(self, step: int) -> Any:
        """Run one step, and see whether it was the last."""
        outcome = super().train_iteration(step)
        end = self._known_end()
        writer.GLOBAL_BUFFER["max_iter"] = max(step + 1, self._expected_end())
        if end is not None and step + 1 >= end:
            self._ended_at, self.stop_training = step, True
        return outcome

    def _known_end(self) -> int | None:
        """Return the step before which training ends; None while updates are to come."""
        edit = self.pipeline.edit
        if edit is None:
            return self.pipeline.config.reconstruct_steps
        return None if edit.update is None else edit.update.end

    def _expected_end(self) -> int:
        """Return where it will end as far as can be told, for the console's estimate."""
        edit, known = self.pipeline.edit, self._known_end()
        if known is not None or edit is None:
            return known or 0
        return edit.expected_end(self.pipeline.first_edit_step)

    def _after_train(self) -> None:
        """Save at the step that was trained last; nerfstudio's loop has counted on by then."""
        if self._ended_at is not None:
            self.step = self._ended_at
        super()._after_train()

    @staticmethod
    def _run_of(load_dir: Path) -> Path:
        """Return the run's folder, given it or its folder of checkpoints."""
        return load_dir if (load_dir / _CHECKPOINTS).is_dir() else load_dir.parent

    def _adopt_settings(self, run: Path) -> None:
        """Take the model's and the data's settings from the run that is loaded, and keep them.

        Raises:
            InvalidInput: It is no nerfacto.
        """
        path = run / "config.yml"
        if not path.is_file():
            CONSOLE.log(f"[yellow]{run} has no config.yml: its settings are taken as here.")
            return
        loaded = yaml.load(path.read_text(), Loader=yaml.Loader)  # as every ns-… command does
        model = loaded.pipeline.model
        if not isinstance(model, NerfactoModelConfig):
            raise InvalidInput(
                f"{run} is a {loaded.method_name}, not a nerfacto",
                hint="Load a nerfacto or insitu run, or reconstruct anew without --load-dir.",
            )
        # whoever loads a nerfacto means it to be edited as it is
        self._reconstructed = not isinstance(loaded.pipeline, InsituPipelineConfig)
        own: InsituPipelineConfig = self.config.pipeline  # type: ignore[assignment]
        for setting in dataclasses.fields(NerfactoModelConfig):
            if setting.name not in ("_target", "eval_num_rays_per_chunk"):
                setattr(own.model, setting.name, getattr(model, setting.name))
        data = loaded.pipeline.datamanager
        own.datamanager.camera_res_scale_factor = data.camera_res_scale_factor
        own.datamanager.dataparser = data.dataparser
        if own.datamanager.data is None:
            own.datamanager.data = data.data or data.dataparser.data
        self.config.save_config()

    def _load_checkpoint(self) -> None:
        """Load what the configuration names, then find the regions or go on where it was.

        Raises:
            InsituError: The checkpoint or the edit cannot be used.
        """
        source: Path | None = None
        if self.config.load_dir is not None:
            source = self._run_of(self.config.load_dir)
            below = self.config.load_dir / _CHECKPOINTS
            folder = below if below.is_dir() else self.config.load_dir
            path, state = latest_loadable(folder, self.config.load_step)
            self._take(path, state)
        elif self.config.load_checkpoint is not None:
            path = self.config.load_checkpoint
            source = path.parent.parent
            step = int(path.stem.removeprefix("step-")) if path.stem.startswith("step-") else None
            self._take(*latest_loadable(path.parent, step))
        else:
            CONSOLE.print("No checkpoint to load, so training from nothing.")
        self.pipeline.open_edit(self.base_dir, source, self._start_step)
        if self._reconstructed:
            self.pipeline.first_edit_step = self._start_step

    def _take(self, path: Path, state: dict[str, Any]) -> None:
        """Bring model, optimisers and random generators to a checkpoint's state."""
        self._start_step = int(state["step"]) + 1
        self.pipeline.load_pipeline(state["pipeline"], int(state["step"]))
        self.optimizers.load_optimizers(state["optimizers"])
        if "schedulers" in state and self.config.load_scheduler:
            self.optimizers.load_schedulers(state["schedulers"])
        self.grad_scaler.load_state_dict(state["scalers"])
        ours = state.get("insitu")
        if ours is not None:
            self._loaded_random = ours["random"]
            sampler = self.pipeline.insitu_model.proposal_sampler
            sampler._steps_since_update = int(ours["steps_since_update"])
            sampler._step = int(ours["sampler_step"])
            # nerfacto sets it after the edit has rendered, so it is still the step before's there
            sampler.set_anneal(float(ours["sampler_anneal"]))
        record = self.pipeline.datamanager.record
        if record:
            self._records.append(record)
        CONSOLE.print(f"Loaded {path}")

    def _state(self, step: int) -> dict[str, Any]:
        """Return all that a run needs to go on after a step, nerfstudio's part and ours."""
        sampler = self.pipeline.insitu_model.proposal_sampler
        optimizers = self.optimizers
        return {
            "step": step,
            "pipeline": self.pipeline.state_dict(),
            "optimizers": {k: v.state_dict() for k, v in optimizers.optimizers.items()},
            "schedulers": {k: v.state_dict() for k, v in optimizers.schedulers.items()},
            "scalers": self.grad_scaler.state_dict(),
            "insitu": {
                "random": random_state(),
                "steps_since_update": sampler._steps_since_update,
                "sampler_step": sampler._step,
                "sampler_anneal": float(sampler._anneal),
            },
        }

    def keep_reconstruction(self, step: int) -> None:
        """Keep the scene as it is before the edit's first step, to view it or to edit it anew.

        It lies in ``reconstruction/`` with ``reconstruction.yml`` beside it; a run that was loaded
        to be edited at once has it already.
        """
        if step == self._start_step:
            return
        config = dataclasses.replace(
            self.config, relative_model_dir=_RECONSTRUCTION, max_num_iterations=self._bound
        )
        folder = config.get_checkpoint_dir()
        save_atomically(self._state(step - 1), folder / f"step-{step - 1:09d}.ckpt")
        text = yaml.dump(config)
        write_atomically(self.base_dir / f"{_RECONSTRUCTION}.yml", text.encode())

    def save_checkpoint(self, step: int) -> None:
        """Write a checkpoint whole or not at all, and the record beside the edited pictures."""
        save_atomically(self._state(step), self.checkpoint_dir / f"step-{step:09d}.ckpt")
        record = self.pipeline.datamanager.record
        if record:
            data = json.dumps(record | {"step": step}, indent=1).encode()
            folder = self.base_dir / "edits"
            folder.mkdir(parents=True, exist_ok=True)
            write_atomically(folder / "record.json", data)
        if record:
            self._records.append(record)
        if self.config.save_only_latest_checkpoint:
            keep_newest(self.checkpoint_dir, _KEPT)
            if self.pipeline.edit is not None:
                self.pipeline.edit.tidy(self._records)
