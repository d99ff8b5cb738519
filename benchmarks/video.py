"""Video editing: seconds, steadiness, nearness to the truth, what fits cost, memory.

    python -m benchmarks.video                      # prints all tables
    python -m benchmarks.video --results            # and writes benchmarks/results/video.{json,md}
    python -m benchmarks.video --only fits memory   # these parts anew, the others as they were
    python -m benchmarks.video --quick              # tries all parts in minutes; writes no results

Edits are made by ``insitu`` in processes of their own. With ``--work``, lossless edits that were
made for ``steadiness`` and ``truth`` are kept, and used again.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

from benchmarks import video_fits, video_quality, video_report, video_runs
from benchmarks.editors_measuring import machine
from benchmarks.running import folder, tell
from benchmarks.video_subjects import Subject, ours, wolf

RESULTS = Path(__file__).parent / "results"
PARTS = ("pointwise", "canonical", "second", "steadiness", "truth", "fits", "memory")
_SIZE, _FRAMES = (320, 240), 40
_SMALL = (160, 120)
_QUICK_FRAMES = 8
_QUICK_FITS = ("chained flow, 160 px", "splines, one level, 240 px")
_QUICK_MINUTES = 0.1


def main() -> None:
    """Run what was asked for, print it and, if wanted, write it down."""
    asked = _asked()
    path = RESULTS / "video.json"
    known = path.is_file() and not asked.quick
    found: dict[str, Any] = json.loads(path.read_text()) if known else {}
    with folder(asked.work) as work:
        subjects = _subjects(asked, work)
        for part in asked.only:
            tell(part)
            where = machine()
            found[part] = _part(part, subjects, asked, work) | {"machine": where}
            if asked.results and not asked.quick:
                path.write_text(json.dumps(found, indent=1) + "\n")
                (RESULTS / "video.md").write_text(video_report.page(found))
    print(video_report.page(found))


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.video")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART")
    parser.add_argument("--subjects", nargs="+", choices=("wolf", "ours"), default=("wolf", "ours"))
    parser.add_argument("--minutes", type=float, nargs="*", default=[2.0], help="for hash fields")
    parser.add_argument("--results", action="store_true", help="write benchmarks/results")
    parser.add_argument("--quick", action="store_true", help="tiny clips; no results")
    parser.add_argument("--work", type=Path, help="keep edits and caches there")
    return parser.parse_args()


def _subjects(asked: argparse.Namespace, work: Path) -> list[Subject]:
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    size, frames = (_SMALL, _QUICK_FRAMES) if asked.quick else (_SIZE, _FRAMES)
    own = ours(work / f"ours {frames} {size[0]}", frames=frames, size=size)
    other = wolf(Path(os.environ.get("INSITU_DATA", beside)))
    found = {"wolf": None if asked.quick else other, "ours": own}
    return [subject for name in asked.subjects if (subject := found[name]) is not None]


def _part(
    part: str, subjects: list[Subject], asked: argparse.Namespace, work: Path
) -> dict[str, Any]:
    if part == "pointwise":
        return video_runs.pointwise(subjects, work)
    if part == "canonical":
        return video_runs.canonical(subjects, work)
    if part == "second":
        return video_runs.second(subjects, work)
    if part == "steadiness":
        return video_quality.steadiness(subjects, work, tell)
    frames = _QUICK_FRAMES if asked.quick else _FRAMES
    if part == "memory":
        return video_runs.memory(ours(work / "small", frames=frames, size=_SMALL), work)
    if part == "truth":
        size = _SMALL if asked.quick else _SIZE
        subject = ours(work / f"ours {frames} {size[0]}", frames=frames, size=size)
        return video_quality.to_truth(subject, work, tell)
    return video_fits.fits(
        subjects,
        work,
        tell,
        minutes=[_QUICK_MINUTES] if asked.quick else asked.minutes,
        chosen=_QUICK_FITS if asked.quick else tuple(video_fits.FLOW_SETTINGS),
    )


if __name__ == "__main__":
    main()
