"""``insitu pocket scene``: one picture of the 3D scene, or a folder of flat scenes, with truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

if TYPE_CHECKING:
    import numpy as np

_TARGET, _COLOUR = "red ball", "blue"
_SIZE = (640, 480)  # of the one picture
_FLAT_SIZE = 64  # a side of each of many


@dataclass(frozen=True, kw_only=True)
class PocketScene:
    """Write a picture, its true edit and the target's exact mask; with --count, a folder of many.

    Without --count it is one picture of the scene that ``capture`` shows. With it, flat scenes of
    coloured shapes, each with captions, an instruction, its masks and the exactly edited picture.
    """

    output: Annotated[str, tyro.conf.arg(aliases=["-o"], metavar="PATH")]
    """Where the picture goes, or the folder: a new or empty one, or one that holds these scenes."""
    count: Annotated[int | None, tyro.conf.arg(metavar="N")] = None
    """How many flat scenes."""
    split: Literal["train", "validation", "test"] = "validation"
    """Which stream of flat scenes."""
    pairs: Literal["seen", "held-out"] = "seen"
    """held-out: each edit makes a colour and shape that training never shows together."""
    edited_out: Annotated[str | None, tyro.conf.arg(metavar="FILE")] = None
    """Where the one picture goes as it looks once the target has its new colour."""
    mask_out: Annotated[str | None, tyro.conf.arg(metavar="FILE")] = None
    """Where its target's mask goes: 255 where a pixel shows nothing else."""
    size: Annotated[tuple[int, int] | None, tyro.conf.arg(metavar="W H")] = None
    """Width and height in pixels: 640 480, or 64 64 for flat scenes, which are square."""
    seed: int = 0
    """Of the one scene, 0 is the tuned one and another moves things a little; of many, a stream."""
    target: Annotated[str, tyro.conf.arg(metavar="NAME")] = _TARGET
    """The thing that the true edit of the one picture recolours."""
    colour: Annotated[str, tyro.conf.arg(metavar="WORDS")] = _COLOUR
    """The colour that it gets."""
    format: Literal["text", "json"] = "text"
    """json: one object on stdout."""
    debug: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Show the traceback of an error."""

    def run(self) -> int:
        """Do it, and return the exit code. The last line is the path of what was written."""
        return self._one() if self.count is None else self._many(self.count)

    def _one(self) -> int:
        from insitu.reporting import print_json
        from pocket.capture import check_picture
        from pocket.render import coverage, develop, trace
        from pocket.table import VIEWPOINTS, table_scene

        self._refuse_with_one()
        width, height = self.size or _SIZE
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

    def _many(self, count: int) -> int:
        from insitu.reporting import print_json
        from pocket.flat import write_scenes

        self._refuse_with_many()
        width, height = self.size or (_FLAT_SIZE, _FLAT_SIZE)
        if width != height:
            from image_core.errors import InvalidInput

            raise InvalidInput(
                f"flat scenes of {width} x {height} pixels", hint="They are square: --size 64 64."
            )
        written = write_scenes(
            self.output,
            count=count,
            split=self.split,
            seed=self.seed,
            size=width,
            pairs=self.pairs,
        )
        if self.format == "json":
            print_json(
                {
                    "status": "ok",
                    "exit_code": 0,
                    "folder": str(written.folder),
                    "count": written.count,
                    "split": written.split,
                    "seed": written.seed,
                    "size": [written.size, written.size],
                    "pairs": self.pairs,
                }
            )
        else:
            print(f"{written.count} {written.split} scenes of {width} x {height} pixels,")
            print("  each with captions, an instruction, masks and the true edit")
            print(written.folder)
        return 0

    def _refuse_with_one(self) -> None:
        from image_core.errors import InvalidInput

        if (self.split, self.pairs) != ("validation", "seen"):
            raise InvalidInput(
                "--split and --pairs speak of flat scenes", hint="Say how many: --count 200."
            )

    def _refuse_with_many(self) -> None:
        from image_core.errors import InvalidInput

        one = {
            "--edited-out": self.edited_out,
            "--mask-out": self.mask_out,
            "--target": self.target != _TARGET,
            "--colour": self.colour != _COLOUR,
        }
        if any(one.values()):
            wrong = ", ".join(name for name, given in one.items() if given)
            raise InvalidInput(
                f"{wrong} with --count",
                hint="A folder of scenes holds edits and masks of its own; leave it out.",
            )


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
