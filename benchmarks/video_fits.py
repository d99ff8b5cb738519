"""What seconds buy: fits of both models, judged by PSNR, folds, and how a painted pattern slips."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from benchmarks.video_quality import Tell, cache_at, surveyed
from benchmarks.video_subjects import Subject
from video.canonical_edits import union_of
from video.chains import Regions, region_at
from video.clip import Clip
from video.finding import ShotKey
from video.fit_report import fit_quality
from video.fitted import FittedShot
from video.flow_fit import FlowFitSettings, fit_flow
from video.flow_store import FlowStore
from video.frame_edits import as_float
from video.frames import ScaledFrames, working_size
from video.hash_settings import FIXED
from video.measures import likeness
from video.motion_tally import mean
from video.spans import best_reference
from video.spline_fit import SplineSettings

_Result = TypeVar("_Result")

FIT_SIDE = 240  # px, of the hash fields and of the static mean
FLOW_SETTINGS: dict[str, FlowFitSettings] = {
    "chained flow, 160 px": FlowFitSettings(side=160, splines=None),
    "chained flow, 240 px": FlowFitSettings(side=240, splines=None),
    "splines, one level, 240 px": FlowFitSettings(splines=SplineSettings(sweeps=(2,))),
    "splines, two levels, 240 px": FlowFitSettings(splines=SplineSettings(sweeps=(1, 2))),
    "splines, 160 px": FlowFitSettings(side=160),
    "splines, 240 px (normal)": FlowFitSettings(),
    "splines, 240 px, no relocking": FlowFitSettings(relock=None),
    "splines, 360 px (best)": FlowFitSettings(side=360),
}
_TRIED = 24  # steps of a short training, which tells what a step takes and what all else does
_FEWEST = 20  # steps of a training, however slow they are


def fits(
    subjects: Sequence[Subject],
    work: Path,
    tell: Tell,
    *,
    minutes: Sequence[float],
    chosen: Sequence[str] = tuple(FLOW_SETTINGS),
) -> dict[str, Any]:
    """Fit each subject's first shot, the target alone and whole frames, with both models.

    Whole frames get hash fields for the least of the minutes only.
    """
    rows, still = [], []
    for subject in subjects:
        with cache_at(work / f"{subject.name} quality"), Clip.open(subject.clip) as clip:
            seen, _ = surveyed(subject, clip)
            key = seen.sought.found[0]
            for part, regions in (("target", union_of(seen.regions[0])), ("whole frames", None)):
                about = {"subject": subject.name, "part": part}
                still.append(about | _static(clip, key, regions))
                for name in chosen:
                    tell(f"fits: {subject.name}, {part}, {name}")
                    row = _flow_row(clip, seen.flows, key, FLOW_SETTINGS[name], regions)
                    rows.append(about | {"model": name} | row)
                    tell(_short(row))
                for budget in minutes if regions is not None else sorted(minutes)[:1]:
                    tell(f"fits: {subject.name}, {part}, hash fields, {budget:g} minutes")
                    row = _hash_row(clip, seen.flows, key, regions, budget * 60)
                    rows.append(about | {"model": f"hash fields, {budget:g} CPU min"} | row)
                    tell(_short(row))
    return {"rows": rows, "static": still, "side": FIT_SIDE}


def _short(row: Mapping[str, Any]) -> str:
    return f"  {row['psnr']:.2f} dB, {row['folds']:.2%} folds, {row['cpu']:.0f} CPU s"


def _flow_row(
    clip: Clip, flows: FlowStore, key: ShotKey, settings: FlowFitSettings, regions: Regions | None
) -> dict[str, Any]:
    def fit() -> FittedShot:
        reference = best_reference(key.span, regions)
        return fit_flow(
            clip, flows, key.span, reference=reference, settings=settings, regions=regions
        )

    return _judged(fit, clip, flows, regions)


def _hash_row(
    clip: Clip, flows: FlowStore, key: ShotKey, regions: Regions | None, seconds: float
) -> dict[str, Any]:
    from video.hash_fit import HashFit, fit_hash

    small = ScaledFrames(clip, working_size(clip.size, FIT_SIDE), kept=len(key.span))

    def trained(steps: int, progress: Callable[[int, int], None] | None = None) -> HashFit:
        return fit_hash(
            small,
            flows,
            key.span,
            replace(FIXED, steps=steps),
            reference=best_reference(key.span, regions),
            regions=regions,
            progress=progress,
        )

    stamps: list[float] = []
    _, took, _ = _fitted(lambda: trained(_TRIED, lambda *_: stamps.append(time.process_time())))
    each = float(np.median(np.diff(stamps)))
    steps = max(_FEWEST, round((seconds - took) / each) + _TRIED)
    done = 0

    def fit() -> FittedShot:
        nonlocal done
        found = trained(steps)
        done = found.steps
        target = found.groups[0]
        return FittedShot(
            deformation=target.deformation.dense(),
            canonical=target.canonical,
            held_out_psnr=found.held_out_psnr,
        )

    return _judged(fit, clip, flows, regions) | {"steps": done, "planned_steps": steps}


def _judged(
    fit: Callable[[], FittedShot], clip: Clip, flows: FlowStore, regions: Regions | None
) -> dict[str, Any]:
    made, cpu, wall = _fitted(fit)
    quality = fit_quality(made, clip, flows, regions=regions)
    return {
        "cpu": cpu,
        "wall": wall,
        "psnr": quality.mean("psnr"),
        "psnr_least": quality.worst_psnr,
        "folds": quality.mean("folds"),
        "slip": quality.mean("slip"),
        "blur": quality.blur,
        "coverage": quality.coverage,
    }


def _fitted(fit: Callable[[], _Result]) -> tuple[_Result, float, float]:
    start, busy = time.perf_counter(), time.process_time()
    made = fit()
    return made, time.process_time() - busy, time.perf_counter() - start


def _static(clip: Clip, key: ShotKey, regions: Regions | None) -> dict[str, float]:
    """Return how well one picture that stands still shows the frames: what any fit must beat."""
    size = working_size(clip.size, FIT_SIDE)
    small = ScaledFrames(clip, size)
    total = np.zeros((size[1], size[0], 3), np.float64)
    for index in key.span:
        total += as_float(small.rgb(index))
    average = np.asarray(total / len(key.span), np.float32)
    found = []
    for index in key.span:
        frame = as_float(small.rgb(index))
        found.append(likeness(average, frame, region_at(regions, index, size)))
    return {"psnr": mean(found)}
