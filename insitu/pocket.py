"""``insitu pocket``: pictures of small worlds of our own, with the true edits beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import tyro

from insitu.pocket_clip import PocketClip
from insitu.pocket_scenes import PocketScene
from insitu.pocket_train import PocketTrain

_Format = Literal["text", "json"]
_Flag = tyro.conf.FlagCreatePairsOff


@dataclass(frozen=True, kw_only=True)
class PocketCapture:
    """Write a multi-view capture for nerfstudio, with exact masks and the exactly edited views.

    It shows five things on a table. The same arguments give the same bytes. Prints the folder last.
    """

    output: Annotated[str, tyro.conf.arg(aliases=["-o"], metavar="DIR")]
    """Where it goes: a new or empty folder, or one that holds this very capture."""
    views: Annotated[int, tyro.conf.arg(metavar="N")] = 40
    """How many pictures."""
    size: Annotated[tuple[int, int], tyro.conf.arg(metavar="W H")] = (160, 120)
    """Width and height of each in pixels."""
    seed: int = 0
    """0 is the tuned scene; another moves things and cameras a little."""
    target: Annotated[str, tyro.conf.arg(metavar="NAME")] = "red ball"
    """The thing that the true edit recolours."""
    colour: Annotated[str, tyro.conf.arg(metavar="WORDS")] = "blue"
    """The colour that it gets."""
    format: _Format = "text"
    """json: one object on stdout."""
    debug: Annotated[bool, _Flag] = False
    """Show the traceback of an error."""

    def run(self) -> int:
        """Do it, and return the exit code."""
        from insitu.reporting import print_json
        from pocket.capture import write_capture

        width, height = self.size
        capture = write_capture(
            self.output,
            views=self.views,
            width=width,
            height=height,
            seed=self.seed,
            target=self.target,
            colour=self.colour,
        )
        if self.format == "json":
            print_json(
                {
                    "status": "ok",
                    "exit_code": 0,
                    "folder": str(capture.folder),
                    "views": capture.views,
                    "size": [capture.width, capture.height],
                    "seed": capture.seed,
                    "instruction": capture.instruction,
                    "target": capture.target,
                    "things": list(capture.things),
                }
            )
        else:
            print(f"{capture.views} views of {width} x {height} pixels, with the truth for")
            print(f'  "{capture.instruction}"')
            print(capture.folder)
        return 0


_Action = (
    Annotated[PocketScene, tyro.conf.subcommand("scene")]
    | Annotated[PocketCapture, tyro.conf.subcommand("capture")]
    | Annotated[PocketClip, tyro.conf.subcommand("clip")]
    | Annotated[PocketTrain, tyro.conf.subcommand("train")]
)


@dataclass(frozen=True, kw_only=True)
class PocketCommand:
    """A small world of our own with ground truth."""

    action: tyro.conf.OmitSubcommandPrefixes[_Action]

    @property
    def debug(self) -> bool:
        """Whether the traceback of an error is shown."""
        return self.action.debug

    def run(self) -> int:
        """Do it, and return the exit code."""
        return self.action.run()
