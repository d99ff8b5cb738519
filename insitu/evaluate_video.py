"""``insitu evaluate video``: an edited clip in numbers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro


@dataclass(frozen=True, kw_only=True)
class EvaluateVideo:
    """Measure what `insitu video` wrote; its receipt and mask lie beside it.

    Outside the region against the source, plane by plane; inside how steady it is along the
    source's own motion, beside the source; how far the region agrees with itself from frame to
    frame; and how near the edit comes to the true one where it is known (a clip of `insitu pocket
    clip` has it).
    """

    edited: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="OUTPUT")]
    """A clip that insitu wrote."""
    source: Annotated[str | None, tyro.conf.arg(metavar="FILE")] = None
    """Where the source lies now, if it was moved."""
    truth: Annotated[str | None, tyro.conf.arg(metavar="DIR")] = None
    """The folder of a clip that `insitu pocket clip` wrote."""
    painted: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Compare with the painted frames of the truth instead of the edited ones."""
    clip: str = "auto"
    """CLIP's name or folder for the likeness of neighbouring frames; auto where it is present, or
    none."""
    output: Annotated[str | None, tyro.conf.arg(aliases=["-o"], metavar="FILE")] = None
    """Also write the report here, as JSON."""
    format: Literal["text", "json"] = "text"
    """json: one object on stdout."""
    debug: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Show the traceback of an error."""

    def run(self) -> int:
        """Do it, and return the exit code."""
        from insitu.extras import need_extra

        need_extra("video", "av", "decord", "scenedetect")
        from configs.video import video_settings
        from insitu.report_lines import give_report
        from insitu.waiting import stage_shown
        from video.evaluation import evaluate_clip

        self._check_values()
        with stage_shown() as progress:
            report = evaluate_clip(
                self.edited,
                source=self.source,
                truth=self.truth,
                painted=self.painted,
                settings=video_settings(),
                clip=self.clip,
                progress=progress,
            )
        give_report(report, self.output, as_json=self.format == "json")
        return 0

    def _check_values(self) -> None:
        """Refuse a comparison without its truth, and a report that would replace what it is of."""
        from image_core.errors import InvalidInput

        if self.painted and self.truth is None:
            raise InvalidInput("--painted needs the truth", hint="Say where it is: --truth DIR.")
        if self.output is None:
            return
        place = Path(self.output).resolve()
        clip = Path(self.edited).resolve()
        beside = {clip, *(clip.with_name(clip.name + end) for end in (".json", ".mask.mkv"))}
        if self.source is not None:
            beside.add(Path(self.source).resolve())
        if place in beside:
            raise InvalidInput(
                f"the report would replace {self.output}", hint="Give it a name of its own."
            )
