"""Seconds and memory of ``insitu video`` as a person runs it: a fresh process, an empty cache."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from benchmarks.video_subjects import PATTERN, RECOLOUR, SECOND, Subject, insitu_video, row_of
from video.clip import Clip

TIMES_AS_LONG = 20
_QUALITY = 18  # crf of the clips that are repeated


def pointwise(subjects: Sequence[Subject], work: Path) -> dict[str, Any]:
    """Recolour with an empty cache."""
    return {"rows": [_fresh(subject, RECOLOUR, work) for subject in subjects]}


def canonical(subjects: Sequence[Subject], work: Path) -> dict[str, Any]:
    """Fill the target with a pattern, by the canonical route, with an empty cache."""
    return {"rows": [_fresh(subject, PATTERN, work) for subject in subjects]}


def second(subjects: Sequence[Subject], work: Path) -> dict[str, Any]:
    """Give the same instruction's region another colour, and another pattern, with a full cache."""
    rows = []
    for subject in subjects:
        cache = work / f"{subject.name} second"
        shutil.rmtree(cache, ignore_errors=True)
        for first, after in ((RECOLOUR, SECOND), (PATTERN, PATTERN)):
            insitu_video(subject, first, work / "first.mp4", cache)
            again = replace(subject, words=subject.words | {PATTERN: _other_pattern(subject)})
            found = insitu_video(again, after, work / "second.mp4", cache)
            rows.append(row_of(again, found) | {"instruction": again.words[after]})
    return {"rows": rows}


def memory(subject: Subject, work: Path) -> dict[str, Any]:
    """Recolour a clip and one many times as long, and compare the peaks."""
    rows = []
    for times in (1, TIMES_AS_LONG):
        clip = repeated(subject.clip, work / f"{times} times.mp4", times)
        cache = work / f"memory {times}"
        shutil.rmtree(cache, ignore_errors=True)
        found = insitu_video(replace(subject, clip=clip), RECOLOUR, work / "long.mp4", cache)
        rows.append(row_of(subject, found) | {"times": times})
    return {"rows": rows, "ratio": rows[1]["peak"] / rows[0]["peak"]}


def repeated(source: Path, path: Path, times: int) -> Path:
    """Write a clip forwards and backwards in turn, so that nothing jumps where it starts anew."""
    with Clip.open(source) as clip, av.open(str(path), "w") as container:
        width, height = clip.size
        rate = Fraction(clip.info.rate).limit_denominator(1000)
        stream = container.add_stream("libx264", rate=rate, options={"crf": str(_QUALITY)})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for turn in range(times):
            order = range(len(clip))
            for index in reversed(order) if turn % 2 else order:
                frame = av.VideoFrame.from_ndarray(clip.rgb(index), "rgb24")
                container.mux(stream.encode(frame.reformat(format="yuv420p")))
        container.mux(stream.encode(None))
    return path


def _fresh(subject: Subject, kind: str, work: Path) -> dict[str, Any]:
    cache = work / f"{subject.name} {kind}"
    shutil.rmtree(cache, ignore_errors=True)
    return row_of(subject, insitu_video(subject, kind, work / f"{subject.name}.mp4", cache))


def _other_pattern(subject: Subject) -> str:
    return subject.words[PATTERN].replace("stripes", "dots")
