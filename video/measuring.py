"""What is measured of a clip once and kept for every instruction: its shots and its flows."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from image_core.errors import InvalidInput
from image_core.photo import write_atomically
from image_core.types import no_progress
from video.clip import Clip
from video.flow import Dis, FlowEstimator
from video.flow_store import FlowStore
from video.frames import ScaledFrames, Span, working_size
from video.needs_torch import has_torch, need_torch
from video.settings import VideoSettings
from video.shots import ShotSettings, as_records, find_shots, from_records
from video.workplace import measures_folder

_KEPT = 8  # small frames in memory
_SHOTS = "shots.json"


def shots_of(clip: Clip, *, progress: Callable[[str, float], None] = no_progress) -> list[Span]:
    """Return a clip's shots, found once."""
    folder = measures_folder("shots", clip.info.sha256, repr(ShotSettings()))
    path = folder / _SHOTS
    try:
        return from_records(json.loads(path.read_bytes()), len(clip))
    except (OSError, ValueError, InvalidInput):  # not found yet, or torn
        pass
    shots = find_shots(clip, progress=progress)
    write_atomically(path, json.dumps(as_records(shots)).encode())
    return shots


def flows_of(clip: Clip, settings: VideoSettings) -> FlowStore:
    """Return the clip's flows; each is measured when it is first asked for, and kept."""
    size = working_size(clip.size, settings.flow_side)
    estimator = estimator_of(settings)
    folder = measures_folder("flow", clip.info.sha256, estimator.name, f"{size[0]}x{size[1]}")
    return FlowStore(folder, ScaledFrames(clip, size, kept=_KEPT), estimator)


def estimator_of(settings: VideoSettings) -> FlowEstimator:
    """Return what measures motion.

    Raises:
        MissingWeights: RAFT was asked for, and its weights or torch are missing.
    """
    if settings.flow == "raft":
        need_torch("RAFT")
        from video.raft import Raft

        return Raft("large", device=_device())
    if settings.flow == "auto" and has_torch():
        from video.raft import Raft, has_raft

        # the weights are looked for first: torch takes seconds to import
        if has_raft("large") and _device() == "cuda":
            return Raft("large", device="cuda")
    return Dis(settings.flow_preset)


def _device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def measure_flows(
    flows: FlowStore,
    spans: Sequence[Span],
    *,
    progress: Callable[[str, float], None] = no_progress,
) -> None:
    """Measure the flows of some stretches that are not kept yet, so that the wait can be shown."""
    missing = [index for span in spans for index in flows.missing(span)]
    for count, index in enumerate(missing):
        progress("flow", count / len(missing))
        flows.pair(index)
    if missing:
        progress("flow", 1.0)
