"""Which frames an edit may touch."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from image_core.errors import InvalidInput
from image_core.types import RegionHint
from video.clip_info import ClipInfo
from video.colour_tags import ColourTags
from video.frames import Span
from video.plane_formats import PlaneFormat
from video.pointing import Pointing, check_pointing, masks_in
from video.stretch import Stretch, chosen_spans, frame_at, frames_between


def tick_clip_info(times: Iterable[int], time_base: Fraction) -> ClipInfo:
    """Return what would be known of a clip with these frame times."""
    format, tags = PlaneFormat(kind="yuv", sx=2, sy=2), ColourTags()
    return ClipInfo(
        path=Path("clip.mp4"),
        codec="h264",
        stored_size=(64, 48),
        stored_format="yuv420p",
        format=format,
        tags=tags,
        colour=tags.model(format, 48),
        time_base=time_base,
        times=tuple(times),
        last_duration=1,
        sha256="0" * 64,
    )


SHOTS = [Span(0, 10), Span(10, 14), Span(14, 30)]


def test_frames_lie_in_a_half_open_stretch_of_time() -> None:
    info = tick_clip_info(times=range(30), time_base=Fraction(1, 10))
    assert frames_between(info, Stretch()) == Span(0, 30)
    assert frames_between(info, Stretch(start=0.5, end=1.0)) == Span(5, 10)
    assert frames_between(info, Stretch(start=2.0, end=99)) == Span(20, 30)


@pytest.mark.parametrize(
    "stretch", [Stretch(start=2, end=1), Stretch(start=1, end=1), Stretch(end=-3)]
)
def test_a_stretch_without_frames_is_refused(stretch: Stretch) -> None:
    info = tick_clip_info(times=range(30), time_base=Fraction(1, 10))
    with pytest.raises(InvalidInput, match="no frame is shown"):
        frames_between(info, stretch)


def test_a_time_that_is_no_number_is_refused() -> None:
    info = tick_clip_info(times=range(30), time_base=Fraction(1, 10))
    with pytest.raises(InvalidInput, match="seconds"):
        frames_between(info, Stretch(start=float("nan")))
    with pytest.raises(InvalidInput, match="outside the clip"):
        frame_at(info, float("nan"))


def test_a_moment_is_the_nearest_frame_also_of_uneven_times() -> None:
    info = tick_clip_info(times=[0, 4, 5, 20], time_base=Fraction(1, 10))
    assert [frame_at(info, seconds) for seconds in (0, 0.3, 0.44, 1.4, 2.1)] == [0, 1, 1, 3, 3]
    with pytest.raises(InvalidInput, match="outside the clip"):
        frame_at(info, 9)


def test_shots_are_cut_to_the_stretch() -> None:
    assert chosen_spans(SHOTS, Span(0, 30), ()) == SHOTS
    assert chosen_spans(SHOTS, Span(5, 12), ()) == [Span(5, 10), Span(10, 12)]
    assert chosen_spans(SHOTS, Span(5, 30), (3, 1)) == [Span(5, 10), Span(14, 30)]


def test_a_shot_that_is_not_there_is_refused() -> None:
    for number in (0, 4, -1):
        with pytest.raises(InvalidInput, match="no shot"):
            chosen_spans(SHOTS, Span(0, 30), (number,))
    with pytest.raises(InvalidInput, match="none of the chosen shots"):
        chosen_spans(SHOTS, Span(0, 9), (3,))


def test_masks_are_matched_by_the_last_number_in_their_names(tmp_path: Path) -> None:
    info = tick_clip_info(times=range(12), time_base=Fraction(1, 10))
    for name in ("take2_0003.png", "0011.png", "notes.txt", "cover.png"):
        (tmp_path / name).write_bytes(b"")
    assert {index: path.name for index, path in masks_in(tmp_path, info).items()} == {
        3: "take2_0003.png",
        11: "0011.png",
    }


def test_a_mask_of_no_frame_is_refused(tmp_path: Path) -> None:
    info = tick_clip_info(times=range(12), time_base=Fraction(1, 10))
    with pytest.raises(InvalidInput, match="holds no masks"):
        masks_in(tmp_path, info)
    (tmp_path / "0012.png").write_bytes(b"")
    with pytest.raises(InvalidInput, match="frame 12; the clip has 12"):
        masks_in(tmp_path, info)
    with pytest.raises(InvalidInput, match="no folder"):
        masks_in(tmp_path / "none", info)


def test_two_masks_of_one_frame_are_refused(tmp_path: Path) -> None:
    info = tick_clip_info(times=range(12), time_base=Fraction(1, 10))
    for name in ("a_3.png", "b_3.png"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(InvalidInput, match="masks of one frame"):
        masks_in(tmp_path, info)


def test_a_region_in_the_hand_must_fit_the_frames() -> None:
    info = tick_clip_info(times=range(3), time_base=Fraction(1, 10))
    with pytest.raises(InvalidInput):
        check_pointing(Pointing(hint=RegionHint(mask=np.ones((3, 3), np.float32))), info)
    hint = RegionHint(boxes=((0, 0, 10, 10),))
    with pytest.raises(InvalidInput, match="exclude"):
        check_pointing(Pointing(hint=hint, masks={0: Path("x")}), info)
