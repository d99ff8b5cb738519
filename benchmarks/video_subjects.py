"""The clips that ``benchmarks.video`` edits, and running ``insitu`` on them as a fresh process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from image_core.types import RegionHint
from pocket.clip import ClipSettings, write_clip
from video.truth import ClipTruth, read_truth

WOLF_BOX = (0, 56, 441, 480)
RECOLOUR, SECOND, PATTERN = "recolour", "second", "pattern"
_LOG_TAIL = 2000  # characters of what a failed command said


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A clip and what is done to it.

    Attributes:
        name: For the tables.
        clip: The file.
        box: Around the thing in the frame shown at ``at``.
        at: Seconds.
        words: Instructions by kind.
        truth: What is known of a clip of our own.
        phrase: Finds the thing in any frame without a box; None where no rival is given one.
    """

    name: str
    clip: Path
    box: tuple[int, int, int, int]
    at: float
    words: dict[str, str]
    truth: ClipTruth | None = None
    phrase: str | None = None

    @property
    def flags(self) -> tuple[str, ...]:
        """The region, as ``insitu video`` takes it."""
        return ("--box", *map(str, self.box), "--at", str(self.at))

    @property
    def hint(self) -> RegionHint:
        """The same for our own functions."""
        return RegionHint(boxes=(tuple(map(float, self.box)),))  # type: ignore[arg-type]


def wolf(data: Path) -> Subject | None:
    """Return the wolf among the shared test data; None where it is not here."""
    clip = data / "videos" / "wolf.mp4"
    if not clip.is_file():
        return None
    words = {RECOLOUR: "make it red", SECOND: "make it blue", PATTERN: "fill it with stripes"}
    return Subject(name="wolf", clip=clip, box=WOLF_BOX, at=0.0, words=words)


def ours(folder: Path, *, frames: int, size: tuple[int, int]) -> Subject:
    """Make a clip of our own, with its truth."""
    write_clip(folder, ClipSettings(frames=frames, width=size[0], height=size[1]))
    truth = read_truth(folder)
    words = {
        RECOLOUR: truth.instruction,
        SECOND: f"make the {truth.target} green",
        PATTERN: f"fill the {truth.target} with stripes",
    }
    return Subject(
        name="ours",
        clip=truth.clip,
        box=truth.box,
        at=truth.key_time,
        words=words,
        truth=truth,
        phrase=truth.instruction,
    )


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What a command took.

    Attributes:
        wall: Seconds by the clock from the start of its process to its end.
        cpu: Seconds of processor time, its children's too.
        peak: Most bytes it held.
        load: The machine's when it began.
        outcome: What it said with ``--format json``.
    """

    wall: float
    cpu: float
    peak: int
    load: float
    outcome: dict[str, Any]


class CommandFailed(Exception):
    """A command that should have worked ended with an error."""


def insitu_video(subject: Subject, kind: str, output: Path, cache: Path, *more: str) -> Ran:
    """Edit a clip in a process of its own."""
    asked = ["video", str(subject.clip), subject.words[kind], *subject.flags]
    return ran([*asked, "-o", str(output), *more], cache)


def ran(arguments: Sequence[str], cache: Path) -> Ran:
    """Run ``insitu`` in a process of its own.

    Args:
        arguments: Of ``insitu``.
        cache: Its cache.

    Raises:
        CommandFailed: It ended with an error.
    """
    cache.mkdir(parents=True, exist_ok=True)
    said, log = cache / "stdout", cache / "stderr"
    load = os.getloadavg()[0]
    with said.open("wb") as out, log.open("wb") as err:
        start = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "insitu", *arguments, "--format", "json"],
            stdout=out,
            stderr=err,
            env=os.environ | {"INSITU_CACHE": str(cache)},
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise CommandFailed(f"{' '.join(arguments)}: {log.read_text()[-_LOG_TAIL:]}")
    return Ran(
        wall=wall,
        cpu=usage.ru_utime + usage.ru_stime,
        peak=usage.ru_maxrss * 1024,
        load=round(load, 1),
        outcome=json.loads(said.read_text()),
    )


def row_of(subject: Subject, found: Ran) -> dict[str, Any]:
    """Return what a table tells of a command."""
    told = {key: value for key, value in asdict(found).items() if key != "outcome"}
    outcome = found.outcome
    return {
        "subject": subject.name,
        **told,
        "route": outcome["route"],
        "frames": outcome["frames"],
        "stages": outcome["seconds_by_stage"],
        "warnings": outcome["warnings"],
    }
