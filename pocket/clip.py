"""A clip of the moving world on disk, with the truth beside it.

FOLDER/
clip.mp4                         H.264, 4:2:0, AAC sound
lossless.mkv                     the very pictures in FFV1, the same sound
truth/truth.json                 instruction, target, key frame and box, shots, times, hidden
shares, the file names below, a digest
truth/masks/00000.png …          the share of each pixel that shows the target, 255 = all
truth/edited/00000.png …         each frame as it looks once the instruction is carried out
truth/painted/key.png            the key frame with checks painted on the target
truth/painted/frames/00000.png … each frame as it looks with that paint on the target
truth/motion.npz                 where each point of the target lies in each frame, and
whether it is seen there (``video.truth`` reads it)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from image_core.errors import MissingWeights
from image_core.types import no_progress
from pocket.cameras import Camera
from pocket.clip_render import Frame, render_frame
from pocket.clip_scene import Coat, Shot
from pocket.clip_settings import ClipSettings, check_settings
from pocket.clip_track import Sight, Surface, coat_of, key_frame, seen_from, sight, surface, visible
from pocket.clip_world import HOW_IT_MOVES, camera, world
from pocket.folders import check_folder, held, published, write_png, write_record

__all__ = ["ClipSettings", "WrittenClip", "picture_name", "write_clip"]

CLIP, LOSSLESS, RECORD = "clip.mp4", "lossless.mkv", "truth/truth.json"

_FORM = 1  # of the files; another one is another clip
_PAINTED = 0.5  # share of the target in the key frame that the patch covers


@dataclass(frozen=True, kw_only=True)
class WrittenClip:
    """A clip that lies on disk.

    Attributes:
        folder: Where.
        settings: What it shows.
        key: Number of the key frame, which shows the target fully where one does.
        key_time: Its time in seconds.
        box: Around the target in the key frame: left, top, right, bottom, half-open.
        hidden: For each frame the share of the target that something stands before; 1 where the
            target isn't there.
    """

    folder: Path
    settings: ClipSettings
    key: int
    key_time: float
    box: tuple[int, int, int, int]
    hidden: tuple[float, ...]

    @property
    def clip(self) -> Path:
        """The H.264 file."""
        return self.folder / CLIP

    @property
    def lossless(self) -> Path:
        """The FFV1 file."""
        return self.folder / LOSSLESS


def write_clip(
    folder: str | Path,
    settings: ClipSettings | None = None,
    *,
    progress: Callable[[str, float], None] = no_progress,
) -> WrittenClip:
    """Render and write a clip; the folder appears when all of it is there.

    The same settings give the same bytes. A folder that holds this very clip is left as it is.

    Args:
        folder: Where; it may exist when it is empty.
        settings: What it shows; 40 frames of 320 x 240 where left out.
        progress: Told the done share of the frames.

    Raises:
        InvalidInput: A number is out of range, there is no such target or colour, the folder holds
            something else or cannot be written.
        MissingWeights: PyAV is not installed.
    """
    settings = settings or ClipSettings()
    check_settings(settings)
    _check_extra()
    place = check_folder(folder)
    shots = world(
        frames=settings.frames, shots=settings.shots, seed=settings.seed, target=settings.target
    )
    record = held(place, RECORD, _asked(settings))
    if record is None:
        view = camera(settings.width, settings.height)
        plan = _planned(settings, shots, view)
        record = _record(settings, shots, plan)
        with published(place) as partial:
            painted = _write_frames(partial, settings, shots, view, plan, progress)
            motion = _motion(settings, shots, view, plan)
            np.savez_compressed(partial / "truth/motion.npz", **motion)
            write_record(partial, RECORD, {**record, "painted_share": painted})
    key = record["key"]
    left, top, right, bottom = key["box"]
    return WrittenClip(
        folder=place,
        settings=settings,
        key=key["frame"],
        key_time=key["time"],
        box=(left, top, right, bottom),
        hidden=tuple(record["hidden"]),
    )


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """What must be known before the first frame is rendered.

    Attributes:
        sights: How much of the target each frame shows.
        key: Number of the key frame, in the first shot.
        surface: What it shows of the target.
        coat: The patch that is painted.
    """

    sights: tuple[Sight, ...]
    key: int
    surface: Surface
    coat: Coat


def picture_name(number: int) -> str:
    """Return the file name of a frame's pictures, counted from 0."""
    return f"{number:05d}.png"


def _check_extra() -> None:
    try:
        import av  # noqa: F401
    except ImportError as error:
        raise MissingWeights(
            "PyAV, which writes clips, is not installed", hint="pip install 'insitu[video]'"
        ) from error


def _planned(settings: ClipSettings, shots: Sequence[Shot], view: Camera) -> _Plan:
    sights = tuple(
        sight(shot, view, frame, target=settings.target) for shot, frame in _all_frames(shots)
    )
    first = shots[0]
    key = key_frame(sights[: first.length])
    body = first.body(settings.target)
    assert body is not None  # the first shot has it
    seen = surface(first, view, key, target=settings.target)
    coat = coat_of(seen, body.motion.pose(key), share=_PAINTED)
    return _Plan(sights=sights, key=key, surface=seen, coat=coat)


def _write_frames(
    folder: Path,
    settings: ClipSettings,
    shots: Sequence[Shot],
    view: Camera,
    plan: _Plan,
    progress: Callable[[str, float], None],
) -> float:
    """Write both clips and all pictures; return the share of the target that is painted."""
    from pocket.clip_writing import ClipFile

    painted = 0.0
    common: dict[str, Any] = {
        "size": (settings.width, settings.height),
        "rate": settings.rate,
        "seed": settings.seed,
    }
    with (
        ClipFile(folder / CLIP, codec="libx264", **common) as clip,
        ClipFile(folder / LOSSLESS, codec="ffv1", **common) as lossless,
    ):
        for number, (shot, frame) in enumerate(_all_frames(shots)):
            made = render_frame(
                shot,
                view,
                frame,
                target=settings.target,
                colour=settings.colour,
                coat=plan.coat,
                noise=(settings.seed, number),
            )
            clip.add(made.source)
            lossless.add(made.source)
            name = picture_name(number)
            write_png(folder / "truth/masks" / name, made.mask)
            write_png(folder / "truth/edited" / name, made.edited)
            write_png(folder / "truth/painted/frames" / name, made.painted)
            if number == plan.key:
                write_png(folder / "truth/painted/key.png", made.painted)
                painted = _changed_share(made)
            progress("render", (number + 1) / settings.frames)
    return painted


def _motion(
    settings: ClipSettings, shots: Sequence[Shot], view: Camera, plan: _Plan
) -> dict[str, np.ndarray]:
    """Return what the truth's reader needs to carry points from the key frame to any frame."""
    points = plan.surface.points
    own = np.nan_to_num(points.reshape(-1, 3).T)
    on_target = plan.surface.seen.ravel()
    poses = np.full((settings.frames, 3, 4), np.nan)
    seen = np.zeros((settings.frames, own.shape[1]), dtype=bool)
    for number, (shot, frame) in enumerate(_all_frames(shots)):
        body = shot.body(settings.target)
        if body is not None:
            poses[number] = seen_from(body.motion.pose(frame), view)
            seen[number] = on_target & visible(shot, body, view, frame, own)
    return {
        "corner": np.array([plan.surface.left, plan.surface.top]),
        "points": points,
        "poses": poses,
        "seen": np.packbits(seen, axis=1),
        "focal": np.array(view.focal),
        "size": np.array([view.width, view.height]),
    }


def _record(settings: ClipSettings, shots: Sequence[Shot], plan: _Plan) -> dict[str, Any]:
    rows, columns = plan.surface.points.shape[:2]
    left, top = plan.surface.left, plan.surface.top
    times = [float(number / settings.rate) for number in range(settings.frames)]
    return {
        **_asked(settings),
        "instruction": settings.instruction,
        "key": {
            "frame": plan.key,
            "time": times[plan.key],
            "box": [left, top, left + columns, top + rows],
        },
        "times": times,
        "cuts": [[shot.start, shot.start + shot.length] for shot in shots],
        "hidden": [round(one.hidden, 4) for one in plan.sights],
        "shown": [one.shown for one in plan.sights],
        "files": {
            "clip": f"../{CLIP}",
            "lossless": f"../{LOSSLESS}",
            "masks": "masks",
            "edited": "edited",
            "painted": "painted/frames",
            "painted_key": "painted/key.png",
            "motion": "motion.npz",
        },
        "moves": HOW_IT_MOVES,
    }


def _asked(settings: ClipSettings) -> dict[str, Any]:
    """Return all that decides what is written."""
    return {"form": _FORM, "world": "clip", **asdict(settings)}


def _all_frames(shots: Sequence[Shot]) -> Iterator[tuple[Shot, int]]:
    for shot in shots:
        for frame in range(shot.length):
            yield shot, frame


def _changed_share(made: Frame) -> float:
    """Return the share of the target's pixels that the paint changes."""
    target = made.mask > 0
    changed = (made.painted != made.source).any(axis=2)
    return round(float(changed[target].mean()), 4) if target.any() else 0.0
