"""``insitu pocket``: pictures of a small world of our own, with the true edit beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from insitu.pocket_clip import PocketClip

if TYPE_CHECKING:
    import numpy as np

_Format = Literal["text", "json"]
_Flag = tyro.conf.FlagCreatePairsOff


@dataclass(frozen=True, kw_only=True)
class PocketScene:
    """Write one picture of the scene, its true edit and the target's exact mask as PNG files."""

    output: Annotated[str, tyro.conf.arg(aliases=["-o"], metavar="FILE")]
    """Where the picture goes."""
    edited_out: Annotated[str | None, tyro.conf.arg(metavar="FILE")] = None
    """Where the same picture goes as it looks once the target has its new colour."""
    mask_out: Annotated[str | None, tyro.conf.arg(metavar="FILE")] = None
    """Where the target's mask goes: 255 where a pixel shows nothing else."""
    size: Annotated[tuple[int, int], tyro.conf.arg(metavar="W H")] = (640, 480)
    """Width and height in pixels."""
    seed: int = 0
    """0 is the tuned scene; another moves things a little."""
    target: Annotated[str, tyro.conf.arg(metavar="NAME")] = "red ball"
    """The thing that the true edit recolours."""
    colour: Annotated[str, tyro.conf.arg(metavar="WORDS")] = "blue"
    """The colour that it gets."""
    format: _Format = "text"
    """json: one object on stdout."""
    debug: Annotated[bool, _Flag] = False
    """Show the traceback of an error."""

    def run(self) -> int:
        """Do it, and return the exit code. The last line is the picture's path."""
        from insitu.reporting import print_json
        from pocket.capture import check_picture
        from pocket.render import coverage, develop, trace
        from pocket.table import VIEWPOINTS, table_scene

        width, height = self.size
        check_picture(width=width, height=height, seed=self.seed)
        wanted = [place for place in (self.edited_out, self.mask_out, self.output) if place]
        _check_places(wanted)
        scene = table_scene(self.seed)
        edited = scene.recoloured(self.target, self.colour)
        camera = VIEWPOINTS.cameras(1, width=width, height=height, seed=self.seed)[0]
        traced = trace(scene, camera)
        if self.edited_out:
            _write_png(self.edited_out, develop(edited, traced))
        if self.mask_out:
            _write_png(self.mask_out, coverage(scene, traced)[self.target])
        _write_png(self.output, develop(scene, traced))
        instruction = f"make the {self.target} {self.colour}"
        if self.format == "json":
            print_json(
                {
                    "status": "ok",
                    "exit_code": 0,
                    "output": self.output,
                    "edited": self.edited_out,
                    "mask": self.mask_out,
                    "size": [width, height],
                    "seed": self.seed,
                    "instruction": instruction,
                    "target": self.target,
                    "things": list(scene.names),
                }
            )
        else:
            print(f'a picture of {width} x {height} pixels; its true edit is of "{instruction}"')
            print(self.output)
        return 0


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


def _check_places(places: list[str]) -> None:
    from pathlib import Path

    from image_core.errors import InvalidInput

    for place in places:
        if Path(place).suffix.lower() != ".png":
            raise InvalidInput(
                f"{place} is no name of a PNG file", hint="The truth is exact; end it in .png."
            )
    if len({Path(place).resolve() for place in places}) < len(places):
        raise InvalidInput("two pictures would go to one file", hint="Give each its own name.")


def _write_png(place: str, picture: np.ndarray) -> None:
    from pathlib import Path

    import numpy as np

    from image_core.photo import write_atomically
    from insitu.overlay import encode_picture

    samples = np.asarray(np.rint(picture * 255), dtype=np.uint8)
    write_atomically(place, encode_picture(samples, Path(place)))
