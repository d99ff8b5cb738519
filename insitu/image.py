"""``insitu image``: edit the part of a photo, or of each photo in a folder, that is named."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

ABSENT = "\x00"
"""Stands for a positional argument that was not given (an empty text is a given one)."""

_Box = tuple[float, float, float, float]
_Point = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class ImageCommand:
    """Edit just the part of a photo that the instruction names; all else stays bit for bit.

    Pixels are those of the upright picture, the origin top left, X1 and Y1 exclusive. Beside the
    output lie its receipt (.json) and the mask that was used (.mask.png); `insitu verify` proves
    from them that nothing else changed.
    """

    input: Annotated[
        tyro.conf.Positional[str],
        tyro.conf.arg(
            metavar="INPUT", help="A photo, a folder or a quoted glob.", help_behavior_hint=""
        ),
    ] = ABSENT
    instruction: Annotated[
        tyro.conf.Positional[str],
        tyro.conf.arg(
            metavar="INSTRUCTION",
            help='Such as "make the yellow chair blue".',
            help_behavior_hint="",
        ),
    ] = ABSENT
    output: Annotated[str | None, tyro.conf.arg(aliases=["-o"], metavar="FILE")] = None
    """Where to write; <stem>.edited.<ext> unless given (JPEG: png). For a folder, a folder."""
    then: Annotated[tyro.conf.UseAppendAction[tuple[str, ...]], tyro.conf.arg(metavar="TEXT")] = ()
    """A further turn, done on the result; repeatable."""
    mask: Annotated[str | None, tyro.conf.arg(metavar="FILE")] = None
    """The region as a picture: what is above 0 may change. Taken as it is, feathered inwards."""
    box: Annotated[
        tyro.conf.UseAppendAction[tuple[_Box, ...]], tyro.conf.arg(metavar="X0 Y0 X1 Y1")
    ] = ()
    """A box around the thing; repeatable."""
    point: Annotated[
        tyro.conf.UseAppendAction[tuple[_Point, ...]], tyro.conf.arg(metavar="X Y")
    ] = ()
    """A point inside the thing; repeatable. A box is surer."""
    not_point: Annotated[
        tyro.conf.UseAppendAction[tuple[_Point, ...]], tyro.conf.arg(metavar="X Y")
    ] = ()
    """A point outside the thing; repeatable."""
    refine: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Move a given mask's edge to the picture's."""
    dry_run: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Only find the region and write an overlay of it at -o."""
    mask_out: Annotated[str | None, tyro.conf.arg(metavar="FILE")] = None
    """Also write the region's 8-bit alpha here."""
    candidates_out: Annotated[str | None, tyro.conf.arg(metavar="FILE")] = None
    """Also write the picture with all candidates' boxes here."""
    editor: Annotated[str, tyro.conf.arg(metavar="NAME|FILE.py:Class")] = "auto"
    """Which editor; auto takes the strongest that is present and fits."""
    editor_options: Annotated[tuple[str, ...], tyro.conf.arg(metavar="KEY=VALUE")] = ()
    """Options of a named editor."""
    language: str = "auto"
    """Which language processor: rules, language_model, or auto."""
    grounder: str = "auto"
    """Which part finds what a phrase names; auto takes the strongest that is present."""
    segmenter: str = "auto"
    """Which part cuts it out; auto takes the strongest that is present."""
    models: Annotated[str | None, tyro.conf.arg(metavar="pocket|DIR")] = None
    """Load every part's model from this folder, as `insitu pocket train` writes it, and from
    nowhere else; pocket: the miniature models that belong to insitu."""
    seed: int = 0
    """Keys every random draw."""
    strength: Annotated[float | Literal["auto"] | None, tyro.conf.arg(metavar="S")] = None
    """How much of the edit, from 0 to 1 (auto where the editor has it); the editor's own measure
    unless given."""
    lossy: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Allow a container that changes every pixel a little."""
    format: Literal["text", "json"] = "text"
    """json: one object a line on stdout."""
    device: str = "auto"
    """Where networks run: auto, cpu, cuda, cuda:N or mps."""
    replay: Annotated[str | None, tyro.conf.arg(metavar="RECEIPT")] = None
    """Repeat the edit of a receipt, instead of INPUT and INSTRUCTION."""
    workers: int = 0
    """Photos edited at the same time from a folder; 0 chooses by cores and memory."""
    debug: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Show the traceback of an error."""

    def run(self) -> int:
        """Do it, and return the exit code."""
        from insitu.batch import is_batch, run_batch
        from insitu.single import run_replay, run_single
        from insitu.usage import usage_error

        if self.replay is not None:
            if self.input is not ABSENT and self.input != ABSENT:
                raise usage_error("--replay takes the photo and instruction from the receipt")
            return run_replay(self)
        if ABSENT in (self.input, self.instruction):
            raise usage_error("INPUT and INSTRUCTION are needed")
        if is_batch(self.input):
            return run_batch(self)
        return run_single(self)

    @property
    def source(self) -> Path:
        """The input as a path."""
        return Path(self.input)
