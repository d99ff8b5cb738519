"""``insitu evaluate``: how well an edit was done, in numbers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro


@dataclass(frozen=True, kw_only=True)
class EvaluateCommand:
    """Measure a NeRF run on the views that it was not trained on.

    Outside the region against the originals; inside against the true edit where it is known (a
    capture of `insitu pocket` has it); how well views agree, by depth; how well regions agree with
    the one region in 3D.
    """

    what: tyro.conf.Positional[Literal["nerf"]]
    """A run of nerfstudio."""
    load_config: Annotated[str, tyro.conf.arg(metavar="RUN/config.yml")]
    """The run's config.yml."""
    truth: Annotated[str | None, tyro.conf.arg(metavar="DIR")] = None
    """The folder with truth.json; the capture's own truth/ unless given."""
    masks: Annotated[str | None, tyro.conf.arg(metavar="DIR")] = None
    """Masks of the region, one a view with its file name as .png, where there is no truth: to
    measure runs, edited or not, on the same pixels."""
    pairs: int = 8
    """How many pairs of views are warped into each other; 0 for none."""
    clip: str = "auto"
    """CLIP's name or folder for the directional similarity; auto where it is present, or none."""
    output: Annotated[str | None, tyro.conf.arg(aliases=["-o"], metavar="FILE")] = None
    """Also write the report here, as JSON."""
    format: Literal["text", "json"] = "text"
    """json: one object on stdout."""
    debug: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Show the traceback of an error."""

    def run(self) -> int:
        """Do it, and return the exit code."""
        from image_core.photo import write_atomically
        from insitu.reporting import print_json
        from insitu.waiting import stage_shown
        from nerf.evaluation import evaluate_run

        with stage_shown() as progress:
            report = evaluate_run(
                Path(self.load_config),
                Path(self.truth) if self.truth is not None else None,
                masks=Path(self.masks) if self.masks is not None else None,
                pairs=self.pairs,
                clip=self.clip,
                progress=progress,
            )
        if self.output is not None:
            write_atomically(Path(self.output), (json.dumps(report, indent=1) + "\n").encode())
        if self.format == "json":
            print_json({"status": "done", "exit_code": 0, "output": self.output, **report})
        else:
            print("\n".join(_lines(report)))
            if self.output is not None:
                print(f"report: {self.output}")
        return 0


def _lines(report: dict[str, Any], before: str = "") -> list[str]:
    """Return the report's means, one line a number; what concerns single views is left to JSON."""
    lines = []
    for key, value in report.items():
        name = f"{before}{key}"
        if isinstance(value, dict):
            lines += _lines(value, f"{name}.")
        elif key == "notes":
            lines += [f"note: {note}" for note in value]
        elif isinstance(value, float):
            lines.append(f"{name}: {value:.4g}")
        elif not isinstance(value, list):
            lines.append(f"{name}: {'not measured' if value is None else value}")
    return lines
