"""``insitu evaluate``: how well an edit was done, in numbers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from insitu.evaluate_pocket import EvaluatePocket
from insitu.evaluate_video import EvaluateVideo


@dataclass(frozen=True, kw_only=True)
class EvaluateNerf:
    """Measure a NeRF run on the views that it was not trained on.

    Outside the region against the originals; inside against the true edit where it is known (a
    capture of `insitu pocket` has it); how well views agree, by depth; how well regions agree with
    the one region in 3D.
    """

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
        from insitu.report_lines import give_report
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
        give_report(report, self.output, as_json=self.format == "json")
        return 0


_What = (
    Annotated[EvaluateNerf, tyro.conf.subcommand("nerf")]
    | Annotated[EvaluateVideo, tyro.conf.subcommand("video")]
    | Annotated[EvaluatePocket, tyro.conf.subcommand("pocket")]
)


@dataclass(frozen=True, kw_only=True)
class EvaluateCommand:
    """How well an edit was done, in numbers: of a NeRF run, of a clip, or of editors."""

    what: tyro.conf.OmitSubcommandPrefixes[_What]

    @property
    def debug(self) -> bool:
        """Whether the traceback of an error is shown."""
        return self.what.debug

    def run(self) -> int:
        """Do it, and return the exit code."""
        return self.what.run()
