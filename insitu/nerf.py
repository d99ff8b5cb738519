"""``insitu nerf``: what a NeRF edit would touch, before any training; and its edited data set."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

if TYPE_CHECKING:
    from nerf.export import Exported

_Format = Literal["text", "json"]
_Flag = tyro.conf.FlagCreatePairsOff
_Box = tuple[float, float, float, float]


@dataclass(frozen=True, kw_only=True)
class NerfRegions:
    """Find in every view of a capture what an instruction names, and draw it; nothing is trained.

    With --box only the view that it belongs to can be shown: into the others it is carried by the
    reconstruction's depth, which is there once training has begun.
    """

    capture: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="CAPTURE")]
    """A nerfstudio capture: its folder, or its transforms.json."""
    instruction: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="INSTRUCTION")]
    """Such as "make the red ball blue"."""
    output: Annotated[str, tyro.conf.arg(aliases=["-o"], metavar="DIR")]
    """A new folder: one overlay a view in which it is found."""
    then: Annotated[tyro.conf.UseAppendAction[tuple[str, ...]], tyro.conf.arg(metavar="TEXT")] = ()
    """A further turn; repeatable."""
    box: Annotated[
        tyro.conf.UseAppendAction[tuple[_Box, ...]], tyro.conf.arg(metavar="X0 Y0 X1 Y1")
    ] = ()
    """A box around the thing in one view; repeatable."""
    box_view: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None
    """The picture that the box belongs to: its path in the capture, or its file name."""
    mask_dir: Annotated[str | None, tyro.conf.arg(metavar="DIR")] = None
    """Masks of your own, one a view with its file name as .png."""
    language: str = "auto"
    """Which language processor: rules, language_model, or auto."""
    grounder: str = "auto"
    """Which part finds what a phrase names; auto takes the strongest that is present."""
    segmenter: str = "auto"
    """Which part cuts it out; auto takes the strongest that is present."""
    models: Annotated[str | None, tyro.conf.arg(metavar="pocket|DIR")] = None
    """Load every part's model from this folder, and from nowhere else."""
    device: str = "auto"
    """Where networks run: auto, cpu, cuda, cuda:N or mps."""
    min_share: Annotated[float, tyro.conf.arg(metavar="SHARE")] = 0.3
    """The phrase must be found in at least this share of the views."""
    format: _Format = "text"
    """json: one object on stdout."""
    debug: Annotated[bool, _Flag] = False
    """Show the traceback of an error."""

    def run(self) -> int:
        """Do it, and return the exit code."""
        from insitu.nerf_regions import run_regions

        return run_regions(self)


@dataclass(frozen=True, kw_only=True)
class NerfExport:
    """Write the edited data set of a run as a capture, for any other trainer.

    Pictures are PNG at the size that was trained at, intrinsics scaled to it. Views without an edit
    hold the original's samples. Regions lie in masks_insitu/, and receipt.json says what was done.
    """

    load_config: Annotated[str, tyro.conf.arg(metavar="RUN/config.yml")]
    """The config.yml of a run of `ns-train insitu`, or its folder."""
    output: Annotated[str, tyro.conf.arg(aliases=["-o"], metavar="DIR")]
    """A new folder."""
    data: Annotated[str | None, tyro.conf.arg(metavar="DIR")] = None
    """Where the capture lies now, if it was moved since the run."""
    format: _Format = "text"
    """json: one object on stdout."""
    debug: Annotated[bool, _Flag] = False
    """Show the traceback of an error."""

    def run(self) -> int:
        """Do it, and return the exit code."""
        from insitu.reporting import print_json
        from insitu.waiting import stage_shown
        from nerf.export import export_capture

        data = Path(self.data) if self.data is not None else None
        with stage_shown() as progress:
            done = export_capture(
                Path(self.load_config), Path(self.output), data=data, progress=progress
            )
        if self.format == "json":
            print_json(_outcome(done))
        else:
            print("\n".join(_lines(done)))
        return 0


_Action = (
    Annotated[NerfRegions, tyro.conf.subcommand("regions")]
    | Annotated[NerfExport, tyro.conf.subcommand("export")]
)


@dataclass(frozen=True, kw_only=True)
class NerfCommand:
    """NeRF captures: look at the regions of an edit before training, export the edited pictures."""

    action: tyro.conf.OmitSubcommandPrefixes[_Action]

    @property
    def debug(self) -> bool:
        """Whether the traceback of an error is shown."""
        return self.action.debug

    def run(self) -> int:
        """Do it, and return the exit code."""
        return self.action.run()


def _outcome(done: Exported) -> dict[str, Any]:
    return {
        "status": "done",
        "exit_code": 0,
        "output": str(done.output),
        "width": done.width,
        "height": done.height,
        "edited": list(done.edited),
        "kept": list(done.kept),
        "held_out": list(done.held_out),
        "changed_outside": done.changed_outside,
        "warnings": list(done.warnings),
    }


def _lines(done: Exported) -> list[str]:
    return [
        *(f"warning: {warning}" for warning in done.warnings),
        f"edited: {len(done.edited)} views at {done.width}x{done.height}",
        f"as they were: {len(done.kept)} trained views{_named(done.kept)}, {len(done.held_out)} "
        f"held out{_named(done.held_out)}",
        f"outside the regions: {done.changed_outside:,} samples differ from the originals",
        f"output: {done.output}",
    ]


def _named(names: tuple[str, ...]) -> str:
    from nerf.view_checks import listed

    return f" ({listed(names)})" if names else ""
