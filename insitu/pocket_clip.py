"""``insitu pocket clip``: a clip of a small moving world of our own, with the truth beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import tyro


@dataclass(frozen=True, kw_only=True)
class PocketClip:
    """Write a clip with sound, exact masks, exactly edited and painted frames, and exact motion.

    A ball, a cross and a box float over a photo, and a post passes in front of the ball. The same
    arguments give the same bytes. Prints the folder last.
    """

    output: Annotated[str, tyro.conf.arg(aliases=["-o"], metavar="DIR")]
    """Where it goes: a new or empty folder, or one that holds this very clip."""
    frames: Annotated[int, tyro.conf.arg(metavar="N")] = 40
    """How many."""
    size: Annotated[tuple[int, int], tyro.conf.arg(metavar="W H")] = (320, 240)
    """Width and height in pixels, both even."""
    fps: Annotated[float, tyro.conf.arg(metavar="F")] = 20.0
    """Frames a second."""
    shots: Annotated[int, tyro.conf.arg(metavar="N")] = 1
    """How many hard-cut shots; every second one lacks the target."""
    seed: int = 0
    """0 is the tuned world; another moves things a little and takes other photos."""
    target: Annotated[str, tyro.conf.arg(metavar="NAME")] = "red ball"
    """The thing that the true edit recolours, and that the pattern is painted on."""
    colour: Annotated[str, tyro.conf.arg(metavar="WORDS")] = "blue"
    """The colour that it gets."""
    format: Literal["text", "json"] = "text"
    """json: one object on stdout."""
    debug: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Show the traceback of an error."""

    def run(self) -> int:
        """Do it, and return the exit code."""
        from insitu.reporting import print_json
        from pocket.clip import ClipSettings, write_clip

        width, height = self.size
        written = write_clip(
            self.output,
            ClipSettings(
                frames=self.frames,
                width=width,
                height=height,
                fps=self.fps,
                shots=self.shots,
                seed=self.seed,
                target=self.target,
                colour=self.colour,
            ),
        )
        settings = written.settings
        if self.format == "json":
            print_json(
                {
                    "status": "ok",
                    "exit_code": 0,
                    "folder": str(written.folder),
                    "clip": str(written.clip),
                    "lossless": str(written.lossless),
                    "frames": settings.frames,
                    "size": [width, height],
                    "fps": settings.fps,
                    "shots": settings.shots,
                    "seed": settings.seed,
                    "instruction": settings.instruction,
                    "target": settings.target,
                    "box": list(written.box),
                    "at": written.key_time,
                }
            )
        else:
            box = " ".join(map(str, written.box))
            print(f"{settings.frames} frames of {width} x {height} pixels, with the truth for")
            print(f'  "{settings.instruction}" --box {box} --at {written.key_time:g}')
            print(written.folder)
        return 0
