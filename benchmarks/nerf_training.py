"""One training through ``ns-train``'s own entry point, in a process of its own, by the clock.

``train`` starts the process and reads its report; in the process, ``main`` puts a clock around the
steps of the edit and then calls what ``ns-train`` calls.
"""

from __future__ import annotations

import functools
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

STAGES = ("start-up", "locating", "reconstruct", "regions", "edit", "settle", "end")
"""In their order. Start-up is Python, the libraries, the command line and the parts made; locating
is finding the regions in the views; regions is making them agree in 3D; edit goes to the last
update; end is the last checkpoint."""

_LOG_TAIL = 15  # lines told when training fails


class TrainingFailed(RuntimeError):
    """``ns-train`` ended with an error; the end of its log is in the message."""

    @property
    def reason(self) -> str:
        """The line that says what went wrong."""
        lines = str(self).splitlines()
        told = [line for line in lines if line.startswith("insitu:") or "Error: " in line]
        return (told or lines or ["no word in its log"])[-1].strip()


def train(
    method: str,
    capture: Path,
    folder: Path,
    flags: Sequence[str],
    *,
    threads: int | None,
    environment: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Train and return the report; a report of the same training that lies there is returned again.

    Args:
        method: As ``ns-train`` lists it.
        capture: The data.
        folder: Of this training; the run lies in its ``run``.
        flags: Further arguments of ``ns-train``.
        threads: ``OMP_NUM_THREADS``; None leaves it to torch.
        environment: Further variables.

    Returns:
        ``run`` (the run's folder), ``stages`` (wall and cpu seconds of each), ``wall``, ``cpu``,
        ``steps``, ``loop`` (see ``Watch.loop``) and ``peak`` (bytes).

    Raises:
        TrainingFailed: It ended with an error.
    """
    run = folder / "run" / "scene" / method / "run"
    arguments = [method, "--data", str(capture), "--output-dir", str(folder / "run")]
    arguments += ["--experiment-name", "scene", "--timestamp", "run", *flags]
    asked = {"arguments": arguments, "threads": threads}
    report = folder / "report.json"
    if report.is_file():
        found: dict[str, Any] = json.loads(report.read_text())
        if found.get("asked") == asked:
            return found
    shutil.rmtree(folder, ignore_errors=True)  # one that was broken off
    folder.mkdir(parents=True)
    (folder / "case.json").write_text(json.dumps(asked | {"began": time.time()}))
    variables = os.environ | (environment or {})
    if threads is not None:
        variables |= {"OMP_NUM_THREADS": str(threads)}
    with (folder / "log").open("wb") as log:
        ended = subprocess.run(
            [sys.executable, "-m", "benchmarks.nerf_training", str(folder)],
            stdout=log,
            stderr=subprocess.STDOUT,
            env=variables,
            check=False,
        )
    if ended.returncode or not report.is_file():
        lines = (folder / "log").read_text(errors="replace").splitlines()[-_LOG_TAIL:]
        raise TrainingFailed("\n".join(lines))
    found = json.loads(report.read_text()) | {"run": str(run), "asked": asked}
    report.write_text(json.dumps(found, indent=1))
    return found


class Watch:
    """When what happened in this process, by the clock and in processor time."""

    def __init__(self, began: float) -> None:
        """Count from the process's start.

        Args:
            began: ``time.time()`` of the process that started this one, then.
        """
        self._before = time.time() - began - time.perf_counter()
        self.marks: dict[str, tuple[float, float]] = {}
        self.inside: dict[str, list[float]] = {}
        self.at_edit: dict[str, list[float]] = {}
        self.steps = 0
        self.views = 0

    def now(self) -> tuple[float, float]:
        """Return wall and processor seconds since the process was started."""
        return self._before + time.perf_counter(), time.process_time()

    def mark(self, name: str) -> None:
        """Take note of the time; of several of one name the last counts."""
        self.marks[name] = self.now()

    def counted(self, owner: Any, method: str, name: str) -> None:
        """Add up the seconds inside a method."""
        inner = getattr(owner, method)
        total = self.inside.setdefault(name, [0.0, 0.0])

        @functools.wraps(inner)
        def around(*args: Any, **kwargs: Any) -> Any:
            _settle()  # what a GPU still does belongs to what came before
            start = self.now()
            try:
                return inner(*args, **kwargs)
            finally:
                _settle()
                end = self.now()
                total[0] += end[0] - start[0]
                total[1] += end[1] - start[1]

        setattr(owner, method, around)

    def called(self, owner: Any, method: str, before: str, after: str) -> None:
        """Mark the beginning and the end of a method."""
        inner = getattr(owner, method)

        @functools.wraps(inner)
        def around(*args: Any, **kwargs: Any) -> Any:
            self.mark(before)
            try:
                return inner(*args, **kwargs)
            finally:
                self.mark(after)

        setattr(owner, method, around)

    def then(self, owner: Any, method: str, after: Callable[..., None]) -> None:
        """Call something with a method's arguments after it."""
        inner = getattr(owner, method)

        @functools.wraps(inner)
        def around(*args: Any, **kwargs: Any) -> Any:
            outcome = inner(*args, **kwargs)
            after(*args, **kwargs)
            return outcome

        setattr(owner, method, around)

    def stages(self) -> dict[str, tuple[float, float]]:
        """Return wall and cpu seconds of each stage; an edit that was not there takes none."""
        marks = self.marks
        trained, ended = marks["trained"], self.now()
        begun = marks.get("edit begins", trained)
        found, known = marks.get("agreed from", begun), marks.get("agreed to", begun)
        edited = marks.get("edited", trained)
        located = _apart(marks.get("open to", (0.0, 0.0)), marks.get("open from", (0.0, 0.0)))
        agreed = _apart(known, found)
        values = (
            _apart(marks["training"], located),
            located,
            _apart(begun, marks["training"]),
            agreed,
            _apart(_apart(edited, begun), agreed),
            _apart(trained, edited),
            _apart(ended, trained),
        )
        return dict(zip(STAGES, values, strict=True))

    def loop(self) -> dict[str, Any] | None:
        """Return the seconds from the first update to the last, and those inside each of its parts.

        The parts do not contain each other. None without an edit.
        """
        if "edited" not in self.marks:
            return None
        total = _apart(self.marks["edited"], self.marks["loop begins"])
        return {"total": total, "inside": self.at_edit, "views": self.views}


def _apart(later: tuple[float, float], earlier: tuple[float, float]) -> tuple[float, float]:
    return later[0] - earlier[0], later[1] - earlier[1]


def _settle() -> None:
    import torch

    gpu: Any = torch.cuda  # has types in part
    if gpu.is_initialized():
        gpu.synchronize()


def _watched(watch: Watch) -> None:
    from nerfstudio.engine.trainer import Trainer

    from image_core.local_editor import LocalEditor
    from nerf import edit_phase
    from nerf.edit_phase import EditPhase
    from nerf.field_views import FieldViews
    from nerf.pipeline import InsituPipeline
    from nerf.trainer import InsituTrainer

    watch.called(Trainer, "train", "training", "trained with its end")
    watch.called(Trainer, "_after_train", "trained", "saved")
    watch.called(EditPhase, "open", "open from", "open to")
    watch.called(edit_phase, "in_3d", "agreed from", "agreed to")
    watch.called(EditPhase, "begin", "edit begins", "loop begins")
    watch.counted(FieldViews, "image", "rendering")
    watch.counted(LocalEditor, "apply", "editing")
    watch.counted(InsituTrainer, "train_iteration", "training")

    def stepped(*_: Any) -> None:
        watch.steps += 1

    def begun(*_: Any) -> None:
        for total in watch.inside.values():
            total[:] = 0.0, 0.0  # what comes before the loop is none of its own

    def updated(pipeline: Any, step: int) -> None:
        update = pipeline.edit.update if pipeline.edit is not None else None
        if update is not None and update.last_update == step:
            watch.mark("edited")
            watch.views = update.edits
            watch.at_edit = {name: list(total) for name, total in watch.inside.items()}

    watch.then(InsituTrainer, "train_iteration", stepped)
    watch.then(EditPhase, "begin", begun)
    watch.then(InsituPipeline, "edit_before", updated)


def _peak() -> int:
    """Return the most bytes held: on a GPU by tensors, else by the process."""
    import torch

    if torch.cuda.is_available() and torch.cuda.max_memory_allocated():
        return torch.cuda.max_memory_allocated()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main(folder: Path) -> None:
    """Train as the case in a folder says, and leave the report there."""
    case = json.loads((folder / "case.json").read_text())
    watch = Watch(case["began"])
    from nerfstudio.scripts import train as command

    _watched(watch)
    sys.argv = ["ns-train", *case["arguments"]]
    entry: Any = command.entrypoint
    entry()
    wall, cpu = watch.now()
    report = {
        "stages": watch.stages(),
        "wall": wall,
        "cpu": cpu,
        "steps": watch.steps,
        "loop": watch.loop(),
        "peak": _peak(),
    }
    (folder / "report.json").write_text(json.dumps(report))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
