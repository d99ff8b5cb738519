"""Running the stages as processes: two at a time on CPUs, one on a GPU."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from image_core.errors import EditFailed, InvalidInput
from image_core.types import no_progress
from pocket.training.curves import Curve
from pocket.training.stages import Stage, chosen_stages, is_done, is_ready, steps_of
from pocket.training.worker import Order, work_as_process

_LOOK_EVERY = 1.0  # seconds between two looks at the processes
_SHORTEST = 0.1  # minutes


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """A whole training.

    Attributes:
        folder: Of the zoo.
        minutes: Of two quiet cores; 240 train all models in full.
        only: Names of stages; empty for all.
        seed: Of all that is drawn.
        device: Of torch: ``cpu`` or ``cuda``.
        processes: At most so many on CPUs, of one thread each.
    """

    folder: Path
    minutes: float = 240.0
    only: tuple[str, ...] = ()
    seed: int = 0
    device: str = "cpu"
    processes: int = 2

    def __post_init__(self) -> None:
        """Refuse values that make no sense.

        Raises:
            InvalidInput: It says which.
        """
        if not _SHORTEST <= self.minutes <= 100_000:
            raise InvalidInput(
                f"a training of {self.minutes:g} minutes", hint="240 is a full one, 5 a glimpse."
            )
        if self.seed < 0:
            raise InvalidInput(f"the seed {self.seed}", hint="Take 0 or more.")
        if not 1 <= self.processes <= 64:
            raise InvalidInput(f"{self.processes} processes", hint="Take one a core; 2 are usual.")


def run_training(
    settings: TrainingSettings,
    *,
    stopped: Callable[[], bool],
    progress: Callable[[str, float], None] = no_progress,
) -> tuple[str, ...]:
    """Train what is not trained yet, from where it stands.

    Args:
        settings: What and how long.
        stopped: Asked every second; the processes then write their checkpoints and end.
        progress: Told each stage's done share.

    Returns:
        Names of the stages that are done.

    Raises:
        InvalidInput: A stage is not known, or needs another one.
        EditFailed: A stage's process failed.
    """
    work = settings.folder / "work"
    stages = chosen_stages(work, settings.only)
    steps = {
        stage.name: steps_of(stage, settings.minutes, gpu=settings.device != "cpu")
        for stage in stages
    }
    most = settings.processes if settings.device == "cpu" else 1
    running: dict[str, Any] = {}
    try:
        while True:
            _reap(running)
            left = [one for one in stages if not is_done(work, one, steps[one.name])]
            for stage in left:
                free = stage.name not in running and len(running) < most
                if free and is_ready(work, stage) and not stopped():
                    running[stage.name] = _started(settings, stage)
            if not running:
                break
            if stopped():
                break
            _tell(settings.folder, stages, steps, progress)
            time.sleep(_LOOK_EVERY)
    finally:
        for process in running.values():
            process.terminate()
        for process in running.values():
            process.join()
    return tuple(one.name for one in stages if is_done(work, one, steps[one.name]))


def _started(settings: TrainingSettings, stage: Stage) -> Any:
    order = Order(
        folder=settings.folder,
        stage=stage.name,
        minutes=settings.minutes,
        seed=settings.seed,
        device=settings.device,
    )
    # a fresh interpreter: a forked one would inherit torch's threads in an unknown state
    process = get_context("spawn").Process(target=work_as_process, args=(order,), name=stage.name)
    process.start()
    return process


def _reap(running: dict[str, Any]) -> None:
    for name in [name for name, process in running.items() if not process.is_alive()]:
        process = running.pop(name)
        process.join()
        if process.exitcode:
            raise EditFailed(
                f"the training of {name} failed (exit code {process.exitcode})",
                hint="What it printed says why; the same command resumes from its checkpoint.",
            )


def _tell(
    folder: Path,
    stages: tuple[Stage, ...],
    steps: dict[str, int],
    progress: Callable[[str, float], None],
) -> None:
    for stage in stages:
        lines = Curve(path=folder / "curves" / f"{stage.name}.jsonl").lines()
        if lines:
            progress(stage.name, min(1.0, lines[-1]["step"] / steps[stage.name]))
