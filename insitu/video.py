"""``insitu video``: edit the part of a clip that is named, in one command from a video file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import tyro

from insitu.image import ABSENT

_Box = tuple[float, float, float, float]
_Point = tuple[float, float]
_Flag = tyro.conf.FlagCreatePairsOff


@dataclass(frozen=True, kw_only=True)
class VideoCommand:
    """Edit just the part of a clip that the instruction names.

    Sound, frame times, size and colour tags stay as they are. What changes each pixel by itself
    (colour, tone) is done on the source's own frames; what is painted or generated is made once a
    shot, on a canonical picture, and carried to the frames. With --lossless (or an .mkv by default)
    `insitu verify` proves frame by frame that nothing else changed. Interrupted work goes on when
    the same command is given again.

    Pixels are those of the upright frame, the origin top left, X1 and Y1 exclusive. Times are
    seconds of presentation time.
    """

    input: Annotated[
        tyro.conf.Positional[str],
        tyro.conf.arg(
            metavar="INPUT",
            help="A video, a GIF, a folder of frames, or a folder of videos; or a quoted glob.",
            help_behavior_hint="",
        ),
    ] = ABSENT
    instruction: Annotated[
        tyro.conf.Positional[str],
        tyro.conf.arg(
            metavar="INSTRUCTION",
            help='Such as "make the yellow ball blue". Not with --canonical or --canonical-out.',
            help_behavior_hint="",
        ),
    ] = ABSENT
    output: Annotated[str | None, tyro.conf.arg(aliases=["-o"], metavar="FILE")] = None
    """Where to write: .mp4, .mov, .mkv, .gif, or a folder for frames. <stem>.edited.mkv, lossless,
    unless given. For several videos, a folder."""
    then: Annotated[tyro.conf.UseAppendAction[tuple[str, ...]], tyro.conf.arg(metavar="TEXT")] = ()
    """A further turn, done on the result; repeatable."""
    at: Annotated[float | None, tyro.conf.arg(metavar="SECONDS")] = None
    """The time at which box, point, mask or phrase is looked at; the first edited frame for a box,
    the frame that shows the thing best for a phrase, unless given."""
    box: Annotated[
        tyro.conf.UseAppendAction[tuple[_Box, ...]], tyro.conf.arg(metavar="X0 Y0 X1 Y1")
    ] = ()
    """A box around the thing in the frame at --at; repeatable."""
    point: Annotated[
        tyro.conf.UseAppendAction[tuple[_Point, ...]], tyro.conf.arg(metavar="X Y")
    ] = ()
    """A point inside the thing; repeatable. A box is surer."""
    not_point: Annotated[
        tyro.conf.UseAppendAction[tuple[_Point, ...]], tyro.conf.arg(metavar="X Y")
    ] = ()
    """A point outside the thing; repeatable."""
    mask: Annotated[str | None, tyro.conf.arg(metavar="FILE")] = None
    """The region in the frame at --at as a picture: what is above 0 may change."""
    mask_dir: Annotated[str | None, tyro.conf.arg(metavar="DIR")] = None
    """Masks of some or all frames; the last number in a file's name is the frame's, from 0."""
    refine: Annotated[bool, _Flag] = False
    """Move a given mask's edge to the frame's."""
    start: Annotated[float | None, tyro.conf.arg(metavar="SECONDS")] = None
    """Edit only from this time on."""
    end: Annotated[float | None, tyro.conf.arg(metavar="SECONDS")] = None
    """Edit only before this time."""
    trim: Annotated[bool, _Flag] = False
    """Write only what lies from --start to --end, instead of the whole clip."""
    shots: Annotated[tuple[int, ...], tyro.conf.arg(metavar="N")] = ()
    """Edit only these shots, counted from 1; --dry-run shows them."""
    dry_run: Annotated[bool, _Flag] = False
    """Only find shots and regions, and write a sheet of sample frames at -o."""
    canonical_out: Annotated[str | None, tyro.conf.arg(metavar="DIR")] = None
    """Write one picture a shot, to paint on in any program, and stop."""
    canonical: Annotated[str | None, tyro.conf.arg(metavar="DIR|PNG")] = None
    """Carry what was painted on the pictures of --canonical-out back to the frames."""
    lossless: Annotated[bool, _Flag] = False
    """Write FFV1: every sample outside the region is the source's. Needs .mkv."""
    codec: Literal["h264", "h265", "ffv1"] | None = None
    """How the output is coded: h264 unless given, ffv1 with --lossless."""
    crf: int | None = None
    """The constant rate factor of h264 or h265; smaller is better and bigger."""
    quality: Literal["draft", "normal", "best"] = "normal"
    """How much is spent on motion and on the canonical picture's fit."""
    flow: Literal["auto", "dis", "raft"] = "auto"
    """What measures motion: RAFT where its weights are present and a GPU is, else DIS."""
    field: Literal["splines", "hash"] = "splines"
    """What ties frames to the canonical picture: flow and splines, or CoDeF's hash fields (needs
    torch; slow without a GPU)."""
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
    """How much of the edit, from 0 to 1; the editor's own measure unless given."""
    replay: Annotated[str | None, tyro.conf.arg(metavar="RECEIPT")] = None
    """Repeat the edit of a receipt, instead of an INSTRUCTION; INPUT says where the source is now,
    if it was moved."""
    keep: Annotated[bool, _Flag] = False
    """Keep the folder with the work's parts; it is told at the end."""
    format: Literal["text", "json"] = "text"
    """json: the outcome as one object on stdout, progress as objects on stderr."""
    device: str = "auto"
    """Where networks run: auto, cpu, cuda, cuda:N or mps."""
    debug: Annotated[bool, _Flag] = False
    """Show the traceback of an error."""

    def run(self) -> int:
        """Do it, and return the exit code."""
        from insitu.extras import need_extra

        need_extra("video", "av", "decord", "scenedetect")
        from insitu.video_batch import is_batch, run_batch
        from insitu.video_replay import run_replay
        from insitu.video_request import check_usage
        from insitu.video_run import run_video

        check_usage(self)
        if self.replay is not None:
            return run_replay(self)
        return run_batch(self) if is_batch(self.input) else run_video(self)
