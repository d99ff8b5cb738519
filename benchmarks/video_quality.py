"""How steady an edited clip is beside frames edited one by one, and how near it is to the truth."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.video_subjects import PATTERN, RECOLOUR, Subject, insitu_video
from configs.video import video_settings
from image_core.applying import value_of
from image_core.compositing import bounding_box
from image_core.errors import InsituError
from image_core.local_editor import LocalEditor
from image_core.photo_result import StageClock
from image_core.types import EditPlan, RegionHint
from video.clip import Clip, ExactFrame
from video.colour_planes import to_rgb
from video.edit import fitted_shots
from video.evaluation import evaluate_clip
from video.frame_edits import FrameResult, as_float, frame_key
from video.frames import Picture
from video.layer import EditLayer
from video.measures import drift, likeness
from video.measuring import flows_of, shots_of
from video.motion_tally import MotionTally, mean
from video.pointing import Pointing
from video.shot_fits import ShotFit
from video.survey import Survey, VideoRequest, survey
from video.truth import ClipTruth
from video.truth_tally import binary
from video.writing import laid
from video.written import open_written

_POINTS = 4000  # of the target that are followed, at most
_PAINTED = 4  # grey levels from which a pixel of a reference frame counts as painted

Tell = Callable[[str], None]


@contextmanager
def cache_at(folder: Path) -> Iterator[None]:
    """Let our own functions use a cache that a command has filled."""
    before = os.environ.get("INSITU_CACHE")
    os.environ["INSITU_CACHE"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["INSITU_CACHE"]
        else:
            os.environ["INSITU_CACHE"] = before


def edited(subject: Subject, kind: str, work: Path) -> tuple[Path, Path]:
    """Return a lossless edit of a subject and its cache; one that is there is taken."""
    output, cache = work / f"{subject.name} {kind}.mkv", work / f"{subject.name} quality"
    if not output.is_file():
        insitu_video(subject, kind, output, cache, "--lossless")
    return output, cache


def steadiness(subjects: Sequence[Subject], work: Path, tell: Tell) -> dict[str, Any]:
    """Measure ours, frames edited one by one, and the source, on the same pixels."""
    rows = []
    for subject in subjects:
        for kind in (RECOLOUR, PATTERN):
            tell(f"steadiness: {subject.name}, {kind}")
            output, cache = edited(subject, kind, work)
            with cache_at(cache):
                rows.append(_steadiness(subject, kind, output))
    return {"rows": rows}


def _steadiness(subject: Subject, kind: str, output: Path) -> dict[str, Any]:
    written = open_written(output)
    rivals = {"naive": OneByOne.by_box(subject, kind)}
    if subject.phrase is not None:
        rivals["naive by phrase"] = OneByOne.by_phrase(subject, kind)
    shots, flows = shots_of(written.source), flows_of(written.source, video_settings())
    tally = MotionTally(flows=flows, shots=shots)
    for frame in written.frames():
        versions = {"source": frame.before.rgb, "ours": frame.after.rgb}
        versions |= {name: rival.edited(frame.before) for name, rival in rivals.items()}
        tally.add(frame.index, versions, frame.alpha)
    found = {name: tally.steadiness(name) for name in ("source", "ours", *rivals)}
    return {
        "subject": subject.name,
        "kind": kind,
        "steadiness": found,
        "ratio": {name: found["ours"] / found[name] for name in rivals},
        "flicker": {name: mean([row.flicker[name] for row in tally.rows]) for name in found},
        "missed": {name: rival.missed for name, rival in rivals.items()},
    }


@dataclass
class OneByOne:
    """A person who edits each frame by itself: the region found, and all measured, in it alone.

    Attributes:
        editor: The same operators.
        plan: The same plan.
        hint: Of a frame's number: the region in the person's hand.
        missed: Frames in which nothing was found, and which stay as they are.
    """

    editor: LocalEditor
    plan: EditPlan
    hint: Callable[[int], RegionHint | None]
    missed: int = 0

    @classmethod
    def by_box(cls, subject: Subject, kind: str) -> OneByOne:
        """Give each frame a box: the true one where it is known, else the subject's."""
        editor = LocalEditor.default()
        truth = subject.truth

        def hint(index: int) -> RegionHint | None:
            box = subject.box if truth is None else _box(truth, index)
            return RegionHint(boxes=(tuple(map(float, box)),)) if box else None  # type: ignore[arg-type]

        return cls(editor, editor.plan(subject.words[kind]), hint)

    @classmethod
    def by_phrase(cls, subject: Subject, kind: str) -> OneByOne:
        """Let each frame be searched for the phrase."""
        editor = LocalEditor.default()
        return cls(editor, editor.plan(subject.words[kind]), lambda _: None)

    def edited(self, frame: ExactFrame) -> Picture:
        """Return a frame after its edit, as its own planes hold it."""
        planes, _ = laid(frame, self._result(frame))
        return to_rgb(planes, frame.colour)

    def _result(self, frame: ExactFrame) -> FrameResult | None:
        image, keys = as_float(frame.rgb), [frame_key(0, frame.index)]
        location = self.editor.locate([image], self.plan, [self.hint(frame.index)])[0]
        if isinstance(location, InsituError):
            self.missed += 1
            return None
        prepared = self.editor.prepare(self.plan, [image], [location], keys=keys)
        outcome = self.editor.apply(prepared, [image], [location], keys=keys, strength=None)[0]
        result = value_of(outcome)
        return FrameResult(image=result.image, alpha=result.alpha)


def _box(truth: ClipTruth, index: int) -> tuple[int, int, int, int] | None:
    mask = binary(truth.mask(index)) > 0
    return bounding_box(mask) if mask.any() else None


def to_truth(subject: Subject, work: Path, tell: Tell) -> dict[str, Any]:
    """Compare a recolouring, and how paint is carried, with the truth of a clip of our own."""
    truth = subject.truth
    assert truth is not None
    tell("truth: recolour")
    output, cache = edited(subject, RECOLOUR, work)
    with cache_at(cache):
        report = evaluate_clip(output, truth=truth.folder, settings=video_settings(), clip="none")
        tell("truth: painted pattern")
        with Clip.open(subject.clip) as clip:
            seen, request = surveyed(subject, clip)
            fits, _, _ = fitted_shots(
                clip, request, seen, clock=StageClock(_silent), progress=_silent
            )
            painted = _painted(truth, clip, fits)
    return {"recolour": report["truth"], "painted": painted}


def surveyed(subject: Subject, clip: Clip) -> tuple[Survey, VideoRequest]:
    """Return what an edit by pattern knows of a clip when it begins."""
    request = VideoRequest(
        output=subject.clip.with_suffix(".unwritten.mkv"),
        instruction=subject.words[PATTERN],
        pointing=Pointing(at=clip.info.index_at(subject.at), hint=subject.hint),
        settings=video_settings(),
    )
    seen = survey(LocalEditor.default(), clip, request, clock=StageClock(_silent), progress=_silent)
    return seen, request


def _silent(stage: str, done: float) -> None:
    del stage, done


def _painted(truth: ClipTruth, clip: Clip, fits: Sequence[ShotFit]) -> dict[str, Any]:
    """Paint the true pattern on the canonical picture, carry it, and compare."""
    apart, unshaken, psnr, covered = [], [], {}, []
    for fit in fits:
        layer = _layer(truth, fit)
        for index in fit.span:
            found = drifts(truth, fit, index, clip.size)
            if index != fit.fit.deformation.reference:
                apart.append(found)
                unshaken.append(float((found <= 1).mean()) if len(found) else np.nan)
            frame = next(iter(clip.planes(index, index + 1))).rgb
            carried, goal = fit.carried(layer, index, frame), as_float(truth.painted(index))
            true = binary(truth.mask(index))
            if true.any():
                psnr[index] = likeness(carried.image, goal, true)
                covered.append(float((binary(carried.alpha) * true).sum() / true.sum()))
    every = np.concatenate(apart) if apart else np.zeros(0, np.float32)
    worst = min(psnr, key=lambda index: psnr[index], default=None)
    return {
        "fits": len(fits),
        "points": len(every),
        "drift_median": float(np.median(every)) if len(every) else None,
        "drift_p95": float(np.quantile(every, 0.95)) if len(every) else None,
        "within_a_pixel": mean(unshaken),
        "psnr": mean(list(psnr.values())),
        "psnr_least": None if worst is None else psnr[worst],
        "psnr_least_frame": worst,
        "covered_share": mean(covered),
    }


def drifts(truth: ClipTruth, fit: ShotFit, index: int, size: tuple[int, int]) -> np.ndarray:
    """Return by how many pixels points of the target miss their true places in a frame.

    Only points that are truly seen in it, and in the reference frame, are followed.
    """
    points = truth.key_points()
    points = points[:: max(1, len(points) // _POINTS)]
    deformation = fit.fit.deformation
    there, shown = truth.track(points, deformation.reference)
    at, seen = truth.track(points, index)
    width, height = size
    within = (at[:, 0] <= width - 1) & (at[:, 1] <= height - 1) & (at.min(axis=1) >= 0)
    counted = seen & shown & within
    if not counted.any():
        return np.zeros(0, np.float32)
    origin = deformation.window.resized(size).origin
    places = np.asarray(deformation.places(index, size) - origin, np.float32)
    return drift(places, there[counted], at[counted])


def _layer(truth: ClipTruth, fit: ShotFit) -> EditLayer:
    """Return the true paint of a part's reference frame as a layer."""
    reference = fit.fit.deformation.reference
    with Clip.open(truth.lossless) as clip:
        plain = as_float(next(iter(clip.planes(reference, reference + 1))).rgb)
    change = as_float(truth.painted(reference)) - plain
    window, image = fit.canonical.window, fit.canonical.picture.copy()
    alpha = np.zeros(image.shape[:2], np.float32)
    window.crop(alpha)[...] = np.abs(change).max(axis=-1) > _PAINTED / 255
    window.crop(image)[...] += change
    return EditLayer.between(fit.canonical, np.clip(image, 0, 1), alpha=alpha)
